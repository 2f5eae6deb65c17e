import { expect, test } from "vitest";
import { openAedes } from "../../support/brokers.ts";
import { poll } from "../../support/poll.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { Received } from "./received.ts";
import { config, openAgent, openSensor } from "./support.ts";

const start = 1_764_000_000_000;

function flow(index: number, vehicles: number): string {
  return `traffic_flow,sensor=tf-1 vehicles=${vehicles},speed_avg=50 ${start + 10_000 * index}`;
}
function level(index: number, metres: number): string {
  return `water_tank,sensor=wt-1 level=${metres} ${start + 10_000 * index}`;
}

test("what filters leave out has no number, is counted, and what they hold goes when the agent ends", async () => {
  using folder = tempFolder("edge");
  await using broker = await openAedes();
  const received = new Received();
  broker.onMessage = received.take;
  const filters = [
    { measurement: "traffic_flow", average: { window_s: 60 } },
    { measurement: "water_tank", duplicates: true, dead_band: { level: 0.5 }, max_silence_s: 3600 },
  ];
  const settings = config({ mqttPort: broker.port, data: folder.path, filters });
  {
    await using agent = await openAgent(settings);
    using sensor = await openSensor(agent.inputs[0]!.address);
    const tanks = Array.from({ length: 1000 }, (_, index) => level(index, index < 500 ? 2 : 3));
    const cars = Array.from({ length: 1000 }, (_, index) => flow(index, 1));
    await sensor.send([...tanks, ...tanks.slice(-1), ...cars, "weather,sensor=ws-1 temp=20 1"]);
    await poll(() => agent.stats().received === 2002);
    await sensor.end();
  }
  // What the end was too quick for.
  await using agent = await openAgent(settings);
  await poll(() => agent.stats().connected && agent.stats().backlog === 0 && received.count === 175);
  const lines = received.lines();
  expect(received.contiguous).toBe(true);
  // The first, both sides of the jump, one an hour (of 360 readings), and the last.
  expect(lines.filter((line) => line.startsWith("water_tank"))).toEqual([
    level(0, 2),
    level(360, 2),
    level(499, 2),
    level(500, 3),
    level(860, 3),
    level(999, 3),
  ]);
  const vehicles = lines.flatMap((line) => /^traffic_flow.* vehicles=(\d+)/.exec(line)?.[1] ?? []);
  expect(vehicles.map(Number).reduce((sum, value) => sum + value, 0)).toBe(1000);
  // The first reading ends a window, as each sixth after it; three are in the one that was open at the end.
  expect(vehicles).toHaveLength(168);
  expect(lines.filter((line) => line.startsWith("weather"))).toEqual(["weather,sensor=ws-1 temp=20 1"]);
});

test("other rules begin while readings come: what the former held goes first, and nothing is numbered twice", async () => {
  using folder = tempFolder("edge");
  await using broker = await openAedes();
  const received = new Received();
  broker.onMessage = received.take;
  const settings = config({
    mqttPort: broker.port,
    data: folder.path,
    filters: [{ dead_band: { level: 1 }, max_silence_s: 3600 }],
  });
  await using agent = await openAgent(settings);
  using sensor = await openSensor(agent.inputs[0]!.address);
  await sensor.send([level(0, 2), level(1, 2.1), level(2, 2.2)]);
  await poll(() => agent.stats().received === 3);
  await agent.reconfigure({
    ...settings,
    filters: [],
    batch: { max_bytes: 8192, max_age_ms: 20 },
    window: 2,
  });
  await sensor.send([level(3, 2.3), level(4, 2.4)]);
  await poll(() => received.count === 4);
  expect(received.lines()).toEqual([level(0, 2), level(2, 2.2), level(3, 2.3), level(4, 2.4)]);
  expect(received.contiguous).toBe(true);
  expect(agent.stats()).toMatchObject({ received: 5, withinBand: 1, batched: 4 });
});
