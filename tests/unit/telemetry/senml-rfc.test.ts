import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { ResolveSeries } from "#telemetry/decode.ts";
import type { Reason } from "#telemetry/rejection.ts";
import { decodeSenml } from "#telemetry/senml/decode.ts";
import { SenmlNames } from "#telemetry/senml/names.ts";
import { resolvePack, type SenmlRecord } from "#telemetry/senml/pack.ts";
import { bytesOf, day, own, trial } from "./support.ts";

interface Expected {
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly resolved: unknown[];
  readonly sensors: Record<string, Record<string, string>>;
  readonly readings: { sensor: string; measurement: string; time: number; values: object }[];
  readonly refused: Reason[];
}

const folder = join(import.meta.dirname, "../../fixtures/senml");
const examples = readdirSync(folder, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => {
    const read = (file: string): string => readFileSync(join(folder, name, file), "utf8");
    return { name, input: read("input.json"), expected: JSON.parse(read("expected.json")) as Expected };
  });

describe.each(examples)("RFC 8428, $name", ({ input, expected }) => {
  test("is resolved", () => {
    const records = resolvePack(JSON.parse(input), expected.now) as readonly SenmlRecord[];
    const plain = records.map(({ baseName, ownName, unit, time, value, sum, problem }) => ({
      name: baseName + ownName,
      unit,
      time,
      value,
      sum,
      problem,
    }));
    expect(plain).toEqual(expected.resolved);
  });

  test("becomes readings", () => {
    const { sensors, readings, refused } = expected;
    const ids = Object.keys(sensors);
    const resolve: ResolveSeries = (_measurement, sensor) =>
      ids.includes(sensor) ? { series: ids.indexOf(sensor), gateway: own } : "unknown-sensor";
    const { context, rejections, rows } = trial();
    const names = new SenmlNames((sensor) => sensors[sensor]);
    const count = decodeSenml(bytesOf(input), names, resolve, {
      ...context,
      now: expected.now,
      maxAge: 20_000 * day,
    });
    expect(count).toEqual({ accepted: readings.length, seen: 0, refused: refused.length });
    expect(rejections.map(({ reason }) => reason)).toEqual(refused);
    const found = Object.entries(rows()).flatMap(([measurement, all]) =>
      all.map(({ series, ...row }) => ({ measurement, sensor: ids[series], ...row })),
    );
    expect(found).toEqual(readings);
  });
});
