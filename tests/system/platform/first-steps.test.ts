import { copyFile, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { requireDebian, whySkipped } from "../../support/debian.ts";
import { mosquittoPub } from "../../support/mosquitto-pub.ts";
import { connectGateway } from "../../support/mqtt-gateway.ts";
import { startPlatform } from "../../support/platform.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { runMarsad } from "../cli/run-marsad.ts";
import { flowLine } from "./support.ts";

/** Runs a command that must succeed. @returns what it printed. */
async function marsad(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await runMarsad(args);
  if (code !== 0) throw new Error(`marsad ${args.join(" ")}: exit code ${code}\n${stdout}${stderr}`);
  return stdout;
}

function parking(occupied: number, time: number): string {
  return `parking,sensor=pk-07 occupied=${occupied},entries_total=90314,gate_open=true ${time}`;
}

test.concurrent("a platform, a gateway, a sensor and mosquitto_pub: line protocol and JSON are stored and visible", async ({
  skip,
}) => {
  skip(!(await requireDebian("mosquitto-clients")), whySkipped("mosquitto-clients"));
  using folder = tempFolder("first");
  await using platform = await startPlatform({ folder: folder.path });
  const { http } = platform.ready;
  const data = ["--data", platform.data];

  const printed = await marsad("gateway", "add", "corniche-1", "--agency", "mobility", ...data);
  const password = /password +(\S+)/.exec(printed)?.[1] ?? "";
  await marsad("sensor", "add", "tf-012", "--gateway", "corniche-1", "--place", "Al Dafna", ...data);
  const [silent] = await platform.accounts();
  expect(silent).toMatchObject({ gateway: "corniche-1", sent: 0, last_seen: null, balanced: true });
  const now = Date.now();
  const publish = async (format: string, payload: string): Promise<void> => {
    const topic = `marsad/mobility/corniche-1/up/${format}`;
    const { code, stderr } = await mosquittoPub({
      port: platform.mqttPort,
      name: "corniche-1",
      password,
      topic,
      payload,
    });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  };
  await publish("lp", `traffic_flow,sensor=tf-012 vehicles=31,speed_avg=48.2 ${now - 2000}`);
  const time = new Date(now - 1000).toISOString();
  await publish(
    "json",
    JSON.stringify({ measurement: "traffic_flow", sensor: "tf-012", time, fields: { vehicles: 33 } }),
  );

  // The platform sees within a second what was added beside it; until then readings wait.
  await platform.settled("corniche-1", ({ on_its_way }) => on_its_way.waiting === 0);
  const first = new Date(now - 2000).toISOString();
  expect(await platform.readings("traffic_flow", "tf-012")).toEqual([
    { time: first, agency: "mobility", sensor: "tf-012", vehicles: 31, speed_avg: 48.2 },
    { time, agency: "mobility", sensor: "tf-012", vehicles: 33 },
  ]);
  expect(await platform.csv("traffic_flow")).toEqual([
    expect.objectContaining({
      time: first,
      sensor: "tf-012",
      vehicles: "31",
      speed_avg: "48.2",
      occupancy: "",
    }),
    expect.objectContaining({ time, sensor: "tf-012", vehicles: "33", speed_avg: "" }),
  ]);
  // As somebody asks who just looks for the last hour.
  const lastHour = await (await fetch(`${http}/api/v1/readings?measurement=traffic_flow`)).json();
  expect(lastHour).toMatchObject({ readings: [{ vehicles: 31 }, { vehicles: 33 }], truncated: false });

  const status = await marsad("status", "--http", http);
  expect(status).toMatch(/is ready/);
  expect(status).toMatch(/received +2 readings since the start/);
  expect(status).toMatch(/stored +2/);
  expect(JSON.parse(await marsad("status", "--http", http, "--json"))).toMatchObject({
    ready: true,
    totals: { received: 2, stored: 2, refused: 0, waiting: 0 },
  });
  const account = await marsad("account", "--http", http);
  expect(account).toMatch(/corniche-1 +mobility .* yes/);
  expect(JSON.parse(await marsad("account", "corniche-1", "--http", http, "--json"))).toMatchObject({
    balanced: true,
    gateways: [{ gateway: "corniche-1", sent: 2, stored: 2, sensors: 1 }],
  });
  expect(JSON.parse(await marsad("gateway", "list", "--json", ...data)).gateways).toMatchObject([
    { name: "corniche-1", agency: "mobility" },
  ]);
  expect(JSON.parse(await marsad("sensor", "list", "--json", ...data))).toMatchObject({
    sensors: [{ sensor: "tf-012", gateway: "corniche-1" }],
  });
});

test.concurrent("readings of an unknown sensor wait, and are stored once `marsad sensor add` names it", async () => {
  using folder = tempFolder("first");
  await using platform = await startPlatform({ folder: folder.path });
  const data = ["--data", platform.data];
  const added = await marsad("gateway", "add", "corniche-1", "--agency", "mobility", "--json", ...data);
  const { password } = JSON.parse(added) as { password: string };
  const identity = { name: "corniche-1", agency: "mobility" };
  await using gateway = await connectGateway({ identity, password, port: platform.mqttPort });
  const now = Date.now();
  await gateway.send(`${flowLine("tf-1", 11, now - 2000)}\n${flowLine("tf-2", 12, now - 1000)}\n`);
  await gateway.send(
    JSON.stringify({ measurement: "traffic_flow", sensor: "tf-1", time: now, fields: { vehicles: 13 } }),
    "json",
  );
  expect(await platform.account("corniche-1")).toMatchObject({
    sent: 3,
    stored: 0,
    on_its_way: { waiting: 3 },
    balanced: true,
  });
  expect(await marsad("account", "--http", platform.ready.http)).toMatch(/corniche-1 /);

  await marsad("sensor", "add", "tf-1", "--gateway", "corniche-1", "--place", "الدفنة", ...data);
  expect(await platform.settled("corniche-1", ({ stored }) => stored > 0)).toMatchObject({
    sent: 3,
    stored: 2,
    on_its_way: { waiting: 1 },
  });
  await marsad("sensor", "add", "tf-2", "--gateway", "corniche-1", "--place", "QA-DA", ...data);
  await platform.settled("corniche-1", ({ on_its_way }) => on_its_way.waiting === 0);
  const readings = await platform.readings("traffic_flow");
  expect(readings.map(({ sensor, vehicles }) => [sensor, vehicles])).toEqual([
    ["tf-1", 11],
    ["tf-2", 12],
    ["tf-1", 13],
  ]);
});

test.concurrent("dead letters are listed, shown, and stored by a replay once the catalogue knows their measurement", async () => {
  using folder = tempFolder("first");
  const identity = { name: "parking-1", agency: "mobility" };
  const now = Date.now();
  const hopeless = `parkng,sensor=pk-07 occupied=1 ${now}`;
  let data: string;
  {
    await using platform = await startPlatform({ folder: folder.path });
    ({ data } = platform);
    const http = ["--http", platform.ready.http];
    const added = await marsad(
      "gateway",
      "add",
      "parking-1",
      "--agency",
      "mobility",
      "--json",
      "--data",
      data,
    );
    const { password } = JSON.parse(added) as { password: string };
    await using gateway = await connectGateway({ identity, password, port: platform.mqttPort });
    await gateway.birth(["pk-07"]);
    await gateway.send(
      [parking(212, now - 2000), hopeless, parking(213, now - 1000), flowLine("pk-07", 1, now)].join("\n"),
    );
    await gateway.send(
      `[{"measurement":"parking","sensor":"pk-07","time":${now},"fields":{"occupied":214}}]`,
      "json",
    );

    const list = await marsad("deadletters", "list", ...http);
    expect(list).toMatch(/parking-1 +unknown-measurement/);
    const letters = await platform.deadLetters("parking-1");
    expect(letters.map(({ channel, readings }) => ({ channel, readings }))).toEqual([
      { channel: "json", readings: 1 },
      { channel: "lp", readings: 3 },
    ]);
    const shown = await marsad("deadletters", "show", letters[1]!.id, ...http);
    expect(shown).toContain(parking(212, now - 2000));
    expect(await marsad("deadletters", "list", "--reason", "future", ...http)).toMatch(/no dead letters/);
    // Without a change there is nothing to win.
    expect(JSON.parse(await marsad("deadletters", "replay", "--all", "--json", ...http))).toEqual({
      tried: 4,
      accepted: 0,
      refused: 4,
    });
    expect(await platform.settled("parking-1")).toMatchObject({ sent: 5, stored: 1, refused: 4 });
    expect(await platform.end("SIGTERM")).toBe(0);
  }
  await mkdir(join(data, "catalogue.d"), { recursive: true });
  const example = new URL("../../../catalogue.d/parking.yaml.example", import.meta.url);
  await copyFile(example, join(data, "catalogue.d", "parking.yaml"));

  await using platform = await startPlatform({ folder: folder.path });
  const http = ["--http", platform.ready.http];
  expect(await marsad("deadletters", "replay", "--reason", "unknown-measurement", ...http)).toMatch(
    /4 tried, 3 accepted, 1 refused/,
  );
  expect(await platform.settled("parking-1")).toMatchObject({
    sent: 5,
    stored: 4,
    refused: 1,
    refused_by_reason: { "unknown-measurement": 1 },
  });
  expect((await platform.readings("parking", "pk-07")).map(({ occupied }) => occupied)).toEqual([
    212, 213, 214,
  ]);
  const [left, ...others] = await platform.deadLetters("parking-1");
  expect(others).toEqual([]);
  expect((await platform.deadLetter(left!.id)).payload?.text).toBe(hopeless);
  // A second replay changes nothing.
  expect(JSON.parse(await marsad("deadletters", "replay", "--all", "--json", ...http))).toEqual({
    tried: 1,
    accepted: 0,
    refused: 1,
  });
  expect(await platform.settled("parking-1")).toMatchObject({ sent: 5, stored: 4, refused: 1 });
});
