import { connectAsync } from "mqtt";
import { expect, test } from "vitest";
import { type Broker, openAedes, openMosquitto } from "../../support/brokers.ts";
import { requireDebian, whySkipped } from "../../support/debian.ts";
import { startEdge } from "../../support/edge.ts";
import { poll } from "../../support/poll.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { Received } from "./received.ts";
import { config, openAgent } from "./support.ts";

const hasMosquitto = await requireDebian("mosquitto");

const topics = [
  {
    topic: "zigbee2mqtt/{device}",
    measurement: "cold_storage",
    sensor: "{device}",
    sensors: { "cold room 7": "cs-007" },
    fields: {
      temp: { path: "temperature", unit: "Cel" },
      door_open: { path: "contact", values: { true: 0, false: 1 } },
    },
    time: { path: "last_seen", unit: "ms" },
  },
  {
    topic: "shellies/{device}/emeter/{phase}/power",
    format: "number",
    measurement: "energy_meter",
    sensor: "{device}.{phase}",
    fields: { power: { unit: "W" } },
  },
  { topic: "lines/#", format: "lines" },
];

function inputs(local: Broker): object[] {
  return [{ type: "mqtt", connect: `mqtt://127.0.0.1:${local.port}`, topics }];
}

/** Publishes at QoS 1. */
async function publish(
  local: Broker,
  messages: readonly (readonly [topic: string, payload: string])[],
  retain = false,
): Promise<void> {
  const client = await connectAsync(`mqtt://127.0.0.1:${local.port}`);
  for (const [topic, payload] of messages) await client.publishAsync(topic, payload, { qos: 1, retain });
  await client.endAsync();
}

/** A message whose event time says which it is. */
function zigbee(i: number): [topic: string, payload: string] {
  return [
    "zigbee2mqtt/cold room 7",
    JSON.stringify({
      temperature: i / 10,
      contact: i % 2 === 0,
      battery: 90,
      last_seen: 1_763_860_000_000 + i,
    }),
  ];
}

function some(from: number, to: number): ReturnType<typeof zigbee>[] {
  return Array.from({ length: to - from }, (_, i) => zigbee(from + i));
}

function zigbeeLine(i: number): string {
  return `cold_storage,sensor=cs-007 temp=${i / 10},door_open=${i % 2} ${1_763_860_000_000 + i}`;
}

test("messages of a local broker become readings", async ({ skip }) => {
  skip(!hasMosquitto, whySkipped("mosquitto"));
  using folder = tempFolder("edge");
  await using local = await openMosquitto(folder.path);
  await using broker = await openAedes();
  const received = new Received();
  broker.onMessage = received.take;
  await publish(
    local,
    [["zigbee2mqtt/cold room 7", JSON.stringify({ temperature: 99, last_seen: 5 })]],
    true,
  );
  await using agent = await openAgent(
    config({
      mqttPort: broker.port,
      data: folder.path,
      inputs: inputs(local),
      batch: { max_bytes: 8192, max_age_ms: 50 },
    }),
  );
  // Until it hears: messages that come before its first subscription are not for it.
  await poll(async () => {
    await publish(local, [["lines/first", "water_flow,sensor=wf-1 flow=1 5\n"]]);
    return received.count > 0;
  });
  await publish(local, [
    zigbee(1),
    ["zigbee2mqtt/bridge/state", '{"state":"online"}'],
    ["zigbee2mqtt/hall", JSON.stringify({ temperature: 20, last_seen: 5 })],
    ["zigbee2mqtt/cold room 7", "this is not JSON"],
    ["shellies/em3-98CD/emeter/0/power", "412.50"],
    ["lines/a/b", "water_flow,sensor=wf-1 flow=2 6\nwater_flow,sensor=wf-2 flow=3 6"],
    zigbee(2),
  ]);
  await poll(() => received.lines().includes(zigbeeLine(2)));
  const others = received.lines().filter((line) => line !== "water_flow,sensor=wf-1 flow=1 5");
  expect(others.map((line) => line.replace(/(power=\S+) \d+$/, "$1"))).toEqual([
    zigbeeLine(1),
    "energy_meter,sensor=em3-98CD.0 power=0.4125",
    "water_flow,sensor=wf-1 flow=2 6",
    "water_flow,sensor=wf-2 flow=3 6",
    zigbeeLine(2),
  ]);
  expect(agent.stats()).toMatchObject({ rejectedLines: 1 });
});

test("no message is lost while the agent is killed, away or without a broker", async ({ skip }) => {
  skip(!hasMosquitto, whySkipped("mosquitto"));
  using folder = tempFolder("edge");
  await using local = await openMosquitto(folder.path);
  await using broker = await openAedes();
  const received = new Received();
  broker.onMessage = received.take;
  const start = (): ReturnType<typeof startEdge> =>
    startEdge({
      folder: folder.path,
      gateway: "corniche-1",
      agency: "food",
      password: "secret",
      mqttPort: broker.port,
      sensors: ["cs-007"],
      settings: { inputs: inputs(local), batch: { max_age_ms: 30_000 } },
    });
  {
    await using edge = await start();
    await poll(async () => {
      await publish(local, [["lines/first", "water_flow,sensor=wf-1 flow=1 5\n"]]);
      return received.count > 0;
    });
    const publishing = publish(local, some(0, 300));
    await poll(() => received.lines().includes(zigbeeLine(20)), { interval: 1 });
    await edge.end("SIGKILL");
    await publishing;
  }
  await publish(local, some(300, 400));
  await using edge = await start();
  await poll(() => received.lines().includes(zigbeeLine(399)));
  await local.stop();
  await local.start();
  await poll(() => edge.log().match(/Connected to the local broker/g)!.length >= 3);
  await publish(local, some(400, 500));
  await poll(() => received.lines().includes(zigbeeLine(499)));
  const distinct = new Set(received.lines().filter((line) => line.startsWith("cold_storage")));
  expect(distinct).toEqual(new Set(Array.from({ length: 500 }, (_, i) => zigbeeLine(i))));
});
