import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { formatBatchHeader } from "#telemetry/batch-header.ts";
import { flowLine, sharePlatform, type SharedPlatform } from "./support.ts";

let shared: SharedPlatform;
beforeAll(async () => void (shared = await sharePlatform()));
afterAll(() => shared[Symbol.asyncDispose]());

const base = Date.now() - 3_600_000;

/** Readings `from` … `to - 1` of a sensor, one a second. */
function flowLines(sensor: string, from: number, to: number): string {
  return Array.from(
    { length: to - from },
    (_, i) => `${flowLine(sensor, from + i, base + (from + i) * 1000)}\n`,
  ).join("");
}

function numbered(outbox: string, sensor: string, from: number, to: number): string {
  return formatBatchHeader({ outbox, first: from, n: to - from }) + flowLines(sensor, from, to);
}

async function stored(sensor: string): Promise<Record<string, unknown>[]> {
  const readings = await shared.platform.readings("traffic_flow", sensor);
  return readings.map(({ time, agency: _agency, sensor: _sensor, ...fields }) => ({
    second: (Date.parse(time) - base) / 1000,
    ...fields,
  }));
}

const expected = (from: number, to: number): Record<string, unknown>[] =>
  Array.from({ length: to - from }, (_, i) => ({ second: from + i, vehicles: from + i, speed_avg: 48.5 }));

describe.concurrent("what comes twice is stored once", () => {
  test("the same batch twice, known by its reading numbers", async () => {
    await using gateway = await shared.newGateway();
    const sensor = `${gateway.name}.a`;
    const batch = numbered(randomUUID(), sensor, 0, 100);
    await gateway.send(batch);
    await gateway.send(batch);
    const account = await shared.platform.settled(gateway.name);
    expect(account).toMatchObject({
      sent: 200,
      stored: 100,
      merged: 0,
      duplicate: 100,
      refused: 0,
      missing: [],
    });
    expect(await stored(sensor)).toEqual(expected(0, 100));
  });

  test("the same batch twice without numbers, known by its keys", async () => {
    await using gateway = await shared.newGateway();
    const sensor = `${gateway.name}.a`;
    await gateway.send(flowLines(sensor, 0, 100));
    await gateway.send(flowLines(sensor, 0, 100));
    const account = await shared.platform.settled(gateway.name);
    expect(account).toMatchObject({ sent: 200, stored: 100, merged: 0, duplicate: 100, refused: 0 });
    expect(await stored(sensor)).toEqual(expected(0, 100));
  });

  test("the same batch twice at once, in one journal commit", async () => {
    await using gateway = await shared.newGateway();
    const sensor = `${gateway.name}.a`;
    await Promise.all(Array.from({ length: 5 }, () => gateway.send(flowLines(sensor, 0, 100))));
    expect(await shared.platform.settled(gateway.name)).toMatchObject({
      sent: 500,
      stored: 100,
      duplicate: 400,
    });
    expect(await stored(sensor)).toEqual(expected(0, 100));
  });

  test("batches cut anew from the same readings: what overlaps is recognised, the rest is stored", async () => {
    await using gateway = await shared.newGateway();
    const sensor = `${gateway.name}.a`;
    const outbox = randomUUID();
    await gateway.send(numbered(outbox, sensor, 0, 60));
    await gateway.send(numbered(outbox, sensor, 40, 100));
    await gateway.send(numbered(outbox, sensor, 50, 90));
    expect(await shared.platform.settled(gateway.name)).toMatchObject({
      sent: 160,
      stored: 100,
      duplicate: 60,
    });
    expect(await stored(sensor)).toEqual(expected(0, 100));
  });

  test("the same readings from a new outbox, as after a factory reset", async () => {
    await using gateway = await shared.newGateway();
    const sensor = `${gateway.name}.a`;
    await gateway.send(numbered(randomUUID(), sensor, 0, 100));
    await gateway.send(numbered(randomUUID(), sensor, 0, 100));
    expect(await shared.platform.settled(gateway.name)).toMatchObject({
      sent: 200,
      stored: 100,
      duplicate: 100,
    });
    expect(await stored(sensor)).toEqual(expected(0, 100));
  });

  test("the same message as line protocol and as JSON", async () => {
    await using gateway = await shared.newGateway();
    const sensor = `${gateway.name}.a`;
    await gateway.send(flowLine(sensor, 0, base));
    const fields = { vehicles: 0, speed_avg: 48.5 };
    await gateway.send(JSON.stringify({ measurement: "traffic_flow", sensor, time: base, fields }), "json");
    expect(await shared.platform.settled(gateway.name)).toMatchObject({ sent: 2, stored: 1, duplicate: 1 });
    expect(await stored(sensor)).toEqual(expected(0, 1));
  });
});

describe.concurrent("order does not matter", () => {
  test("batches out of order: what is missing shows, and is gone once it has come", async () => {
    await using gateway = await shared.newGateway();
    const sensor = `${gateway.name}.a`;
    const outbox = randomUUID();
    await gateway.send(numbered(outbox, sensor, 200, 300));
    await gateway.send(numbered(outbox, sensor, 0, 100));
    const before = await shared.platform.settled(gateway.name);
    expect(before).toMatchObject({ sent: 300, stored: 200, on_its_way: { missing: 100 } });
    expect(before.missing).toEqual([{ outbox, from: 100, to: 200 }]);
    await gateway.send(numbered(outbox, sensor, 100, 200));
    const after = await shared.platform.settled(gateway.name);
    expect(after).toMatchObject({
      sent: 300,
      stored: 300,
      duplicate: 0,
      on_its_way: { missing: 0 },
      missing: [],
    });
    expect(await stored(sensor)).toEqual(expected(0, 300));
  });

  test("readings that are older than what is stored are stored, and recognised when they come again", async () => {
    await using gateway = await shared.newGateway();
    const sensor = `${gateway.name}.a`;
    for (const from of [80, 0, 60, 20, 40, 0, 80]) await gateway.send(flowLines(sensor, from, from + 20));
    expect(await shared.platform.settled(gateway.name)).toMatchObject({
      sent: 140,
      stored: 100,
      duplicate: 40,
    });
    expect(await stored(sensor)).toEqual(expected(0, 100));
  });

  test("readings across midnight, the younger day first", async () => {
    await using gateway = await shared.newGateway();
    const sensor = `${gateway.name}.a`;
    const midnight = new Date().setUTCHours(0, 0, 0, 0) - 86_400_000;
    const line = (minute: number): string => flowLine(sensor, minute + 30, midnight + minute * 60_000);
    for (const minute of [5, -5, 4, -4, 0, -1]) await gateway.send(line(minute));
    await shared.platform.settled(gateway.name);
    const readings = await shared.platform.readings("traffic_flow", sensor);
    expect(readings.map(({ vehicles }) => vehicles)).toEqual([25, 26, 29, 30, 34, 35]);
  });
});

describe.concurrent("fields merge one by one, and the last arrival wins", () => {
  test("partial fields of one reading become one row", async () => {
    await using gateway = await shared.newGateway();
    const sensor = `${gateway.name}.a`;
    await gateway.send(`traffic_flow,sensor=${sensor} vehicles=7 ${base}`);
    await gateway.send(`traffic_flow,sensor=${sensor} speed_avg=51,occupancy=0.25 ${base}`);
    expect(await shared.platform.settled(gateway.name)).toMatchObject({
      sent: 2,
      stored: 2,
      merged: 1,
      duplicate: 0,
    });
    expect(await stored(sensor)).toEqual([{ second: 0, vehicles: 7, speed_avg: 51, occupancy: 0.25 }]);
  });

  test("a correction replaces its field and leaves the others, also when newer readings have come", async () => {
    await using gateway = await shared.newGateway();
    const sensor = `${gateway.name}.a`;
    await gateway.send(flowLines(sensor, 0, 3));
    await gateway.send(`traffic_flow,sensor=${sensor} vehicles=70 ${base + 1000}`);
    expect(await shared.platform.settled(gateway.name)).toMatchObject({
      sent: 4,
      stored: 4,
      merged: 1,
      duplicate: 0,
    });
    expect(await stored(sensor)).toEqual([
      { second: 0, vehicles: 0, speed_avg: 48.5 },
      { second: 1, vehicles: 70, speed_avg: 48.5 },
      { second: 2, vehicles: 2, speed_avg: 48.5 },
    ]);
  });

  test("the same key twice in one batch is one row, with the last value of each field", async () => {
    await using gateway = await shared.newGateway();
    const sensor = `${gateway.name}.a`;
    const batch = [
      `traffic_flow,sensor=${sensor} vehicles=1,speed_avg=10 ${base}`,
      `traffic_flow,sensor=${sensor} vehicles=2 ${base}`,
      `traffic_flow,sensor=${sensor} vehicles=9 ${base + 1000}`,
      `traffic_flow,sensor=${sensor} vehicles=3,occupancy=0.5 ${base}`,
    ];
    await gateway.send(formatBatchHeader({ outbox: randomUUID(), first: 0, n: 4 }) + batch.join("\n"));
    const account = await shared.platform.settled(gateway.name);
    expect(account).toMatchObject({ sent: 4, stored: 4, merged: 2, duplicate: 0 });
    expect(await stored(sensor)).toEqual([
      { second: 0, vehicles: 3, speed_avg: 10, occupancy: 0.5 },
      { second: 1, vehicles: 9 },
    ]);
  });
});

describe.concurrent("a batch header that does not tell the truth", () => {
  test.each<[string, string]>([
    ["counts more readings than there are", formatBatchHeader({ outbox: randomUUID(), first: 0, n: 5 })],
    ["counts fewer readings than there are", formatBatchHeader({ outbox: randomUUID(), first: 0, n: 2 })],
    ["is of a later version", "# marsad 2 outbox=x first=0 n=3\n"],
    ["is broken", "# marsad 1 outbox=me first=0\n"],
  ])(
    "%s: is told, its readings are stored all the same, and none of its numbers counts as seen",
    async (_what, header) => {
      await using gateway = await shared.newGateway();
      const sensor = `${gateway.name}.a`;
      await gateway.send(header + flowLines(sensor, 0, 3));
      expect((await gateway.refusal("bad-header")).detail).not.toBe("");
      const account = await shared.platform.settled(gateway.name);
      expect(account).toMatchObject({ stored: 3, duplicate: 0, refused_by_reason: { "bad-header": 1 } });
      expect(account.on_its_way.missing).toBe(0);
      expect(await stored(sensor)).toEqual(expected(0, 3));
    },
  );
});
