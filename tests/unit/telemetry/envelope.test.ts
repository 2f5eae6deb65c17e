import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeEnvelope } from "#telemetry/envelope.ts";
import { decodeLines } from "#telemetry/line-protocol/oracle.ts";
import type { Reason } from "#telemetry/rejection.ts";
import { bytesOf, catalogue, day, minute, now, resolve, trial } from "./support.ts";

function decoded(payload: unknown, seen?: (ordinal: number) => boolean) {
  const into = trial(seen);
  const bytes =
    payload instanceof Uint8Array
      ? payload
      : bytesOf(typeof payload === "string" ? payload : JSON.stringify(payload));
  const count = decodeEnvelope(bytes, resolve, into.context);
  const texts = into.rejections.map(({ start, end }) => new TextDecoder().decode(bytes.subarray(start, end)));
  return { count, rows: into.rows(), rejections: into.rejections, texts };
}

const reading = {
  measurement: "traffic_flow",
  sensor: "tf-012",
  time: now,
  fields: { vehicles: 31, speed_avg: 48.2 },
};

test.each([
  ["one reading", reading],
  ["an array", [reading]],
  ["an array in an object", { readings: [reading] }],
])("%s is taken", (_name, payload) => {
  const { count, rows } = decoded(payload);
  expect(count).toStrictEqual({ accepted: 1, seen: 0, refused: 0 });
  expect(rows["traffic_flow"]).toMatchObject([{ time: now, values: { vehicles: 31, speed_avg: 48.2 } }]);
});

test("fields of every type are taken", () => {
  const { rows } = decoded({
    measurement: "valve",
    sensor: "a",
    time: now,
    fields: { open: true, cycles: 3, torque: -0.5 },
  });
  expect(rows["valve"]?.[0]?.values).toStrictEqual({ open: 1, cycles: 3, torque: -0.5 });
});

test.each([
  ["2025-11-23T01:06:40Z", now],
  ["2025-11-23t01:06:40.000z", now],
  ["2025-11-23 04:06:40+03:00", now],
  ["2025-11-22T19:36:40.250999-05:30", now + 250],
])("the time %s is taken", (time, expected) => {
  expect(decoded({ ...reading, time }).rows["traffic_flow"]?.[0]?.time).toBe(expected);
});

describe("a reading is refused", () => {
  test.each<[Reason, unknown]>([
    ["syntax", 5],
    ["syntax", null],
    ["syntax", []],
    ["unexpected-tag", { ...reading, unit: "km/h" }],
    ["unexpected-tag", JSON.parse('{"__proto__": {"measurement": "weather"}}')],
    ["syntax", {}],
    ["syntax", { ...reading, measurement: 5 }],
    ["unknown-measurement", { ...reading, measurement: "constructor" }],
    ["syntax", { ...reading, sensor: undefined }],
    ["syntax", { ...reading, sensor: "a b" }],
    ["unknown-sensor", { ...reading, sensor: "u-1" }],
    ["sensor-retired", { ...reading, sensor: "r-1" }],
    ["sensor-owned", { ...reading, sensor: "f-1" }],
    ["syntax", { ...reading, fields: undefined }],
    ["syntax", { ...reading, fields: {} }],
    ["syntax", { ...reading, fields: [1] }],
    ["unknown-field", { ...reading, fields: { toString: 1 } }],
    ["unknown-field", { ...reading, fields: JSON.parse('{"__proto__": 1}') }],
    ["wrong-type", { ...reading, fields: { vehicles: "31" } }],
    ["wrong-type", { ...reading, fields: { vehicles: true } }],
    ["wrong-type", { ...reading, fields: { vehicles: null } }],
    ["wrong-type", { ...reading, fields: { vehicles: { value: 1 } } }],
    ["out-of-range", { ...reading, fields: { vehicles: -1 } }],
    ["no-time", { ...reading, time: undefined }],
    ["no-time", { ...reading, time: null }],
    ["no-time", { ...reading, time: "now" }],
    ["syntax", { ...reading, time: now + 0.5 }],
    ["syntax", { ...reading, time: `${now}` }],
    ["syntax", { ...reading, time: "2025-11-23T01:06:40" }],
    ["syntax", { ...reading, time: "2025-02-30T01:06:40Z" }],
    ["syntax", { ...reading, time: "2025-11-23T24:00:00Z" }],
    ["syntax", { ...reading, time: "2025-11-23T01:06:40+24:00" }],
    ["future", { ...reading, time: now + 5 * minute + 1 }],
    ["too-old", { ...reading, time: now - 400 * day - 1 }],
  ])("as %s: %j", (reason, bad) => {
    const { count, rejections, texts, rows } = decoded([reading, bad, reading]);
    expect(count).toStrictEqual({ accepted: 2, seen: 0, refused: 1 });
    expect(rows["traffic_flow"]).toHaveLength(2);
    expect(rejections).toMatchObject([{ reason, ordinal: 1 }]);
    expect(texts).toStrictEqual([JSON.stringify(bad)]);
  });

  test("as not-finite: a number beyond all doubles", () => {
    const text = JSON.stringify(reading).replace("31", "1e400");
    expect(decoded(text).rejections).toMatchObject([{ reason: "not-finite" }]);
  });
});

test.each<[Reason, string | Uint8Array]>([
  ["syntax", ""],
  ["syntax", "traffic_flow,sensor=a vehicles=1 1"],
  ["syntax", "\ufeff[]"],
  ["syntax", "5"],
  ["syntax", '{"readings": {}}'],
  ["syntax", '{"readings": [], "gateway": "g"}'],
  ["syntax", '[{"fields": {"vehicles": NaN}}]'],
  ["invalid-utf8", Uint8Array.of(0x22, 0xff, 0x22)],
])("a payload that is no envelope is one refused reading: %s %j", (reason, payload) => {
  const bytes = typeof payload === "string" ? bytesOf(payload) : payload;
  const { count, rejections } = decoded(bytes);
  expect(count).toStrictEqual({ accepted: 0, seen: 0, refused: 1 });
  expect(rejections).toMatchObject([{ reason, start: 0, end: bytes.length, ordinal: 0 }]);
});

test("readings that were kept before are passed over and counted", () => {
  const { count } = decoded([reading, {}, reading], (ordinal) => ordinal < 2);
  expect(count).toStrictEqual({ accepted: 1, seen: 2, refused: 0 });
});

test("the last of two `readings` counts, in the rejections' places too", () => {
  const text = ' { "readings" : [1] , "r\\u0065adings":[ {"a":"]}\\"," } , [ ] ] } ';
  const { texts } = decoded(text);
  expect(texts).toStrictEqual(['{"a":"]}\\"," }', "[ ]"]);
});

test("deep nesting is refused like any other nonsense", () => {
  const deep = `${"[".repeat(50_000)}${"]".repeat(50_000)}`;
  expect(decoded(deep).count).toStrictEqual({ accepted: 0, seen: 0, refused: 1 });
  expect(decoded({ ...reading, fields: {} }).count.refused).toBe(1);
  expect(
    decoded(`[${JSON.stringify(reading)},${'{"a":'.repeat(50_000)}1${"}".repeat(50_000)}]`).count.accepted,
  ).toBe(1);
});

const jsonReading = fc.record(
  {
    measurement: fc.constantFrom("weather", "valve", "nope"),
    sensor: fc.constantFrom("a", "b", "f", "r", "u", ""),
    time: fc.oneof(fc.constantFrom<unknown>(now, now * 2, "2025-11-23T01:06:40Z", "x"), fc.jsonValue()),
    fields: fc.oneof(
      fc.dictionary(
        fc.constantFrom("temp", "open", "cycles", "__proto__"),
        fc.oneof(fc.integer(), fc.boolean(), fc.jsonValue()),
      ),
      fc.jsonValue(),
    ),
  },
  { requiredKeys: ["measurement", "sensor"] },
);
const envelopes = fc
  .oneof(jsonReading, fc.array(fc.oneof(jsonReading, fc.jsonValue())), fc.jsonValue())
  .map((value) => JSON.stringify(value, null, 1));

test("whatever is sent, each reading is counted once, and a refused one's bytes are refused again for the same reason", () => {
  const damaged = fc
    .tuple(envelopes, fc.nat(), fc.nat(3), fc.string({ maxLength: 3 }))
    .map(([text, at, cut, more]) => {
      const where = at % (text.length + 1);
      return text.slice(0, where) + more + text.slice(where + cut);
    });
  fc.assert(
    fc.property(fc.oneof(envelopes, damaged, fc.string()), (text) => {
      const { count, rows, rejections, texts } = decoded(text);
      expect(rejections).toHaveLength(count.refused);
      expect(Object.values(rows).flat()).toHaveLength(count.accepted);
      for (const [i, own] of texts.entries()) {
        if (Array.isArray(parsedOrNull(own))) continue; // alone it is an array of readings
        expect(decoded(own).rejections.map(({ reason }) => reason)).toStrictEqual([rejections[i]!.reason]);
      }
    }),
    { numRuns: 1000 },
  );
});

test("any bytes are decoded without an exception", () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      expect(decoded(bytes).count.accepted).toBe(0);
    }),
  );
});

test("line protocol and JSON judge a field alike", () => {
  const field = fc
    .constantFrom(...catalogue.measurements)
    .chain((measurement) =>
      fc.tuple(fc.constant(measurement.name), fc.constantFrom(...measurement.fields.map(({ name }) => name))),
    );
  const value = fc.oneof(
    fc.boolean(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.integer({ min: -2, max: 200 }),
  );
  fc.assert(
    fc.property(field, value, ([measurement, name], given) => {
      const json = decoded({ measurement, sensor: "a", time: now, fields: { [name]: given } });
      const lines = trial();
      const line = bytesOf(`${measurement},sensor=a ${name}=${String(given)} ${now}`);
      decodeLines(line, 0, line.length, resolve, lines.context);
      expect(json.rejections.map(({ reason, detail }) => ({ reason, detail }))).toStrictEqual(
        lines.rejections.map(({ reason, detail }) => ({ reason, detail })),
      );
      // JSON has no negative zero of its own: 0 and -0 are one value here.
      expect(json.rows).toEqual(Object.is(given, -0) ? json.rows : lines.rows());
    }),
  );
});

function parsedOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
