import * as fc from "fast-check";
import { expect, test } from "vitest";
import { Decoder } from "#ingest/decoder.ts";
import { compress, decompress } from "#runtime/zstd.ts";
import { ReadingTable } from "#telemetry/reading-table.ts";
import type { ReadingFormat } from "#telemetry/topic.ts";
import { catalogue, day, minute, now, own, resolve } from "../telemetry/support.ts";

type Value = number | boolean | string;
interface Sent {
  readonly measurement: string;
  readonly sensor: string;
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly fields: readonly (readonly [name: string, value: Value])[];
}

/** JSON has no infinity but numbers that are read as one. */
const json = (value: Value): string =>
  Math.abs(Number(value)) === Infinity ? `${Number(value) < 0 ? "-" : ""}1e400` : JSON.stringify(value);

/** The same readings, in every format. */
const spellings: Record<
  string,
  { readonly format: ReadingFormat; readonly write: (sent: readonly Sent[]) => Uint8Array }
> = {
  lp: { format: "lp", write: lines },
  "lp-zstd": {
    format: "lp",
    write: (sent) => {
      const back = decompress(compress(lines(sent)), 1 << 20);
      return back.ok ? back.bytes : new Uint8Array(0);
    },
  },
  json: {
    format: "json",
    write: (sent) =>
      Buffer.from(
        `[${sent
          .map(({ measurement, sensor, time, fields }) => {
            const values = fields.map(([name, value]) => `${JSON.stringify(name)}:${json(value)}`);
            return `{"measurement":"${measurement}","sensor":${JSON.stringify(sensor)},"time":${time},"fields":{${values.join(",")}}}`;
          })
          .join(",")}]`,
      ),
  },
  senml: {
    format: "senml",
    write: (sent) =>
      Buffer.from(
        `[${sent
          .flatMap(({ measurement, sensor, time, fields }) =>
            fields.map(([name, value], i) => {
              const base =
                i === 0 ? `"bn":${JSON.stringify(`${sensor}/${measurement}/`)},"bt":${time / 1000},` : "";
              const label = { number: "v", boolean: "vb", string: "vs" }[typeof value as "number"];
              return `{${base}"n":"${name}","${label}":${json(value)}}`;
            }),
          )
          .join(",")}]`,
      ),
  },
};

function lines(sent: readonly Sent[]): Uint8Array {
  const line = ({ measurement, sensor, time, fields }: Sent): string =>
    `${measurement},sensor=${sensor} ${fields.map(([name, value]) => `${name}=${json(value)}`).join(",")} ${time}\n`;
  return Buffer.from(sent.map(line).join(""));
}

function decode(format: ReadingFormat, payload: Uint8Array): { rows: unknown; refused: unknown } {
  const tables = catalogue.measurements.map((measurement) => new ReadingTable(measurement, 4));
  const decoder = new Decoder({
    catalogue,
    tables,
    maxAge: 400 * day,
    maxFuture: 5 * minute,
    resolve: () => resolve,
    deviceNames: () => () => undefined,
  });
  const { rejections } = decoder.decode({ agency: "a", gateway: own, format, payload, start: 0, at: now });
  return {
    rows: tables.map(({ length, time, series, values, runs }) => [
      [...time.subarray(0, length)],
      [...series.subarray(0, length)],
      values.map((column) => [...column.subarray(0, length)]),
      runs,
    ]),
    refused: rejections.map(({ reason, detail, ordinal }) => ({ reason, detail, ordinal })),
  };
}

const value = fc.oneof(
  { weight: 6, arbitrary: fc.double({ noNaN: true, min: 0, max: 200 }) },
  { weight: 3, arbitrary: fc.nat(100) },
  { weight: 1, arbitrary: fc.double({ noNaN: true }) },
  { weight: 1, arbitrary: fc.constantFrom<Value>(true, false, "text", -1, Infinity, 2 ** 53, 0.5) },
);
const reading = fc.constantFrom(...catalogue.measurements).chain(({ name, fields }) => {
  const field = fc.constantFrom(...fields.map((one) => one.name));
  return fc.record({
    measurement: fc.oneof(
      { weight: 20, arbitrary: fc.constant(name) },
      { weight: 1, arbitrary: fc.constantFrom("nope", "constructor") },
    ),
    sensor: fc.oneof(
      { weight: 12, arbitrary: fc.constantFrom("s-1", "s-2", "A.b_C:d-9") },
      { weight: 1, arbitrary: fc.constantFrom("u-1", "r-1", "f-1", "a=b", "-x", "ح", "a".repeat(65)) },
    ),
    time: fc.oneof(
      { weight: 12, arbitrary: fc.integer({ min: now - 400 * day, max: now + 5 * minute }) },
      { weight: 1, arbitrary: fc.constantFrom(now + 5 * minute + 1, now - 400 * day - 1, now * 1000) },
    ),
    fields: fc.uniqueArray(
      fc.tuple(
        fc.oneof(
          { weight: 12, arbitrary: field },
          { weight: 1, arbitrary: fc.constantFrom("speed", "toString") },
        ),
        value,
      ),
      { minLength: 1, maxLength: 5, selector: ([called]) => called },
    ),
  });
});
const readings = fc.uniqueArray(reading, {
  maxLength: 8,
  selector: ({ measurement, sensor, time }) => `${measurement} ${sensor} ${time}`,
});

test("the same readings in every format are the same rows, and are refused for the same reasons", () => {
  fc.assert(
    fc.property(readings, (sent) => {
      const results = Object.values(spellings).map(({ format, write }) => decode(format, write(sent)));
      for (const result of results) expect(result).toEqual(results[0]);
    }),
    { numRuns: 1000 },
  );
});

test("the property has something to compare: most readings are taken, and every reason of one comes up", () => {
  const reasons = new Set<string>();
  let rows = 0;
  for (const sent of fc.sample(readings, { numRuns: 500, seed: 1 })) {
    const { rows: tables, refused } = decode("lp", lines(sent));
    rows += (tables as number[][][]).reduce((sum, [times]) => sum + times!.length, 0);
    for (const { reason } of refused as { reason: string }[]) reasons.add(reason);
  }
  expect(rows).toBeGreaterThan(500);
  const every =
    "future not-finite out-of-range sensor-owned sensor-retired syntax too-old unknown-field unknown-measurement unknown-sensor wrong-type";
  expect([...reasons].toSorted().join(" ")).toBe(every);
});
