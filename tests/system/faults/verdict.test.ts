import { expect, test } from "vitest";
import { type MqttLoad, readingsPerBatch } from "../../support/mqtt-load.ts";
import { SteadyReadings } from "../../support/steady-readings.ts";
import type { StoredRow } from "../../support/stored-rows.ts";
import type { Source } from "./city.ts";
import { judge } from "./verdict.ts";

const start = Date.now() - 3_600_000;
const readings = new SteadyReadings("plain", start);

/** A gateway that offered three batches and has the PUBACKs of the first two. */
const loads = new Map<string, Source>([
  ["plain", { readings, load: { offered: 3, acknowledged: new Set([0, 1]) } as unknown as MqttLoad }],
]);

function rowOf(number: number): StoredRow {
  const [, sensor, vehicles, speed, time] = /sensor=(\S+) vehicles=(\S+),speed_avg=(\S+) (\d+)$/.exec(
    readings.line(number),
  )!;
  const fields = { vehicles: Number(vehicles), speed_avg: Number(speed) };
  return { agency: "mobility", sensor: sensor!, time: Number(time), fields };
}

const rows = Array.from({ length: 2 * readingsPerBatch }, (_, number) => rowOf(number));
const counts = { sent: 3 * readingsPerBatch, acknowledged: 2 * readingsPerBatch };
const fine = { ...counts, lost: [], twice: 0, invented: [] };

test("a store with every acknowledged reading once is fine, also with some that were sent and not acknowledged", async () => {
  expect(await judge({ count: rows.length, rows }, loads)).toEqual(fine);
  const more = [...rows, rowOf(2 * readingsPerBatch)];
  expect(await judge({ count: more.length, rows: more }, loads)).toEqual(fine);
});

test("an acknowledged reading without its row is lost, by name", async () => {
  const fewer = rows.toSpliced(7, 1);
  expect(await judge({ count: fewer.length, rows: fewer }, loads)).toEqual({ ...fine, lost: ["plain 7"] });
});

test("a second row of a key is twice, also one that only the store's count shows", async () => {
  const more = [...rows, rowOf(7)];
  expect(await judge({ count: more.length, rows: more }, loads)).toEqual({ ...fine, twice: 1 });
  expect(await judge({ count: rows.length + 1, rows }, loads)).toEqual({ ...fine, twice: 1 });
});

test("a row with another value, of another time, of a stranger or never offered is invented", async () => {
  const one = rowOf(7);
  const invented: StoredRow[] = [
    { ...one, fields: { ...one.fields, vehicles: 8 } },
    { ...one, time: one.time + 1 },
    { ...one, sensor: "stranger.7" },
    rowOf(3 * readingsPerBatch),
  ];
  const more = [...rows.toSpliced(7, 1), ...invented];
  const verdict = await judge({ count: more.length, rows: more }, loads);
  expect(verdict).toMatchObject({ lost: ["plain 7"], twice: 0 });
  expect(verdict.invented).toHaveLength(4);
});
