import * as fc from "fast-check";
import { afterEach, describe, expect, test, vi } from "vitest";
import { decodeEnvelope } from "#telemetry/envelope.ts";
import { EnvelopeScanner } from "#telemetry/envelope-scanner.ts";
import { SeriesIndex } from "#telemetry/line-protocol/series-index.ts";
import { envelopes } from "./json-payloads.ts";
import { damaged, numbers, oddValues } from "./lines.ts";
import { bytesOf, catalogue, counted, day, minute, now, resolve, trial } from "./support.ts";

const scanner = new EnvelopeScanner(catalogue);

/** What both make of a payload, read twice: the second time the scanner knows its series. */
function bothOf(bytes: Uint8Array, seen?: (ordinal: number) => boolean) {
  const [plain, scanned] = [trial(seen), trial(seen)];
  const index = new SeriesIndex();
  const counts = [0, 1].map(() => ({
    plain: counted(decodeEnvelope(bytes, resolve, plain.context)),
    scanned: counted(scanner.scan(bytes, index, resolve, scanned.context)),
  }));
  const [ofPlain, ofScanned] = [plain, scanned].map(({ rejections, rows, runs }) => ({
    rejections,
    rows: rows(),
    runs: runs(),
  }));
  return {
    plain: { ...ofPlain, counts: counts.map((both) => both.plain) },
    scanned: { ...ofScanned, counts: counts.map((both) => both.scanned) },
  };
}

const reading = {
  measurement: "traffic_flow",
  sensor: "s-1",
  time: now,
  fields: { vehicles: 31, speed_avg: 48.2 },
};

describe("the scanner of envelopes and its oracle make the same of", () => {
  test("payloads of good, odd and bad readings", () => {
    fc.assert(
      fc.property(envelopes, (bytes) => {
        const { plain, scanned } = bothOf(bytes);
        expect(scanned).toStrictEqual(plain);
      }),
      { numRuns: 800 },
    );
  });

  test("damaged payloads", () => {
    fc.assert(
      fc.property(damaged(envelopes), (bytes) => {
        const { plain, scanned } = bothOf(bytes);
        expect(scanned).toStrictEqual(plain);
      }),
      { numRuns: 800 },
    );
  });

  test("any bytes, and any JSON", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const { plain, scanned } = bothOf(bytes);
        expect(scanned).toStrictEqual(plain);
      }),
    );
    fc.assert(
      fc.property(fc.json(), (text) => {
        const { plain, scanned } = bothOf(bytesOf(text));
        expect(scanned).toStrictEqual(plain);
      }),
    );
  });

  test("payloads some of whose readings were kept before", () => {
    fc.assert(
      fc.property(fc.oneof(envelopes, damaged(envelopes)), fc.uniqueArray(fc.nat(6)), (bytes, kept) => {
        const { plain, scanned } = bothOf(bytes, (ordinal) => kept.includes(ordinal));
        expect(scanned).toStrictEqual(plain);
      }),
      { numRuns: 400 },
    );
  });

  test("a payload that ends anywhere", () => {
    const texts = [
      JSON.stringify([reading, { ...reading, time: "2025-11-23T04:06:40.25+03:00" }]),
      `\t{ "readings" : [ ${JSON.stringify(reading)} ] }\n`,
      '{"fields":{"open":true,"cycles":31,"torque":-1.25e-3},"time":1763860000000,"sensor":"s-1","measurement":"valve"}',
    ];
    for (const text of texts) {
      for (let end = 0; end <= text.length; end += 1) {
        const { plain, scanned } = bothOf(bytesOf(text.slice(0, end)));
        expect(scanned).toStrictEqual(plain);
      }
    }
  });

  test.each(["traffic_flow.vehicles", "valve.open", "valve.cycles", "valve.torque"])(
    "every odd value of %s",
    (place) => {
      const [measurement, field] = place.split(".");
      for (const value of [...oddValues, "null", "{}", "[]", '"1"', "1 1", "1,"]) {
        const text = `[{"measurement":"${measurement}","sensor":"s-1","time":${now},"fields":{"${field}":${value}}}]`;
        const { plain, scanned } = bothOf(bytesOf(text));
        expect(scanned).toStrictEqual(plain);
      }
    },
  );
});

test.each<[string, object]>([
  ["of another gateway's sensor", { sensor: "f-1" }],
  ["of a retired sensor", { sensor: "r-1" }],
  ["of an unknown sensor", { sensor: "u-1" }],
  ["of a second 60", { time: "2025-11-23T01:06:60Z" }],
  ["of a minute 60", { time: "2025-11-23T01:60:06Z" }],
  ["of an hour 24", { time: "2025-11-23T24:06:06Z" }],
  ["of 30 February", { time: "2025-02-30T01:06:06Z" }],
  ["too old by a millisecond", { time: now - 400 * day - 1 }],
  ["too far ahead by a millisecond", { time: now + 5 * minute + 1 }],
])("a reading %s is refused, also among good ones", (_name, odd) => {
  const { plain, scanned } = bothOf(bytesOf(JSON.stringify([reading, { ...reading, ...odd }, reading])));
  expect(scanned).toStrictEqual(plain);
  expect(scanned.counts[1]).toEqual({ accepted: 2, seen: 0, refused: 1 });
});

test("every number is the double that JavaScript reads, or refused as it refuses it", () => {
  fc.assert(
    fc.property(numbers, (text) => {
      const { plain, scanned } = bothOf(
        bytesOf(`{"measurement":"valve","sensor":"s-1","time":${now},"fields":{"torque":${text}}}`),
      );
      expect(scanned).toStrictEqual(plain);
    }),
    { numRuns: 1000 },
  );
});

describe("its own way is taken", () => {
  afterEach(() => void vi.restoreAllMocks());

  test.each<[string, string]>([
    ["as JSON.stringify writes it", JSON.stringify([reading, reading])],
    ["with blanks", JSON.stringify([reading, reading], undefined, 2)],
    ["one reading", JSON.stringify(reading)],
    ["wrapped", JSON.stringify({ readings: [reading] })],
    [
      "with its keys in order of the alphabet",
      JSON.stringify({ fields: reading.fields, measurement: "traffic_flow", sensor: "s-1", time: now }),
    ],
    ["with a time in words", JSON.stringify([{ ...reading, time: new Date(now).toISOString() }])],
    ["with a zone", JSON.stringify([{ ...reading, time: "2025-11-23T04:06:40+03:00" }])],
    [
      "of every type",
      JSON.stringify({
        measurement: "valve",
        sensor: "s-1",
        time: now,
        fields: { open: true, cycles: -0, torque: 1e-7 },
      }),
    ],
  ])("by a payload %s", (_name, text) => {
    const parse = vi.spyOn(JSON, "parse");
    const { context, rejections } = trial();
    const { accepted } = scanner.scan(bytesOf(text), new SeriesIndex(), resolve, context);
    expect({ parsed: parse.mock.calls.length, rejections }).toEqual({ parsed: 0, rejections: [] });
    expect(accepted).toBe(text.split('"sensor"').length - 1);
  });
});

test("rows of before stay when a payload turns out bad in its last byte", () => {
  const { context, rows, rejections } = trial();
  const index = new SeriesIndex();
  const good = JSON.stringify(Array.from({ length: 30 }, (_, i) => ({ ...reading, time: now - i })));
  scanner.scan(bytesOf(good), index, resolve, context);
  const before = rows();
  scanner.scan(bytesOf(`${good}]`), index, resolve, context);
  expect(rows()).toStrictEqual(before);
  expect(rejections).toMatchObject([{ reason: "syntax", ordinal: 0 }]);
});

test("measurements that come later are known", () => {
  const { context, rows } = trial();
  const late = new EnvelopeScanner({ ...catalogue, measurements: catalogue.measurements.slice(0, -1) });
  late.addMeasurements(catalogue.measurements.slice(-1));
  const payload = bytesOf(
    JSON.stringify({ measurement: "valve", sensor: "s-1", time: now, fields: { cycles: 3 } }),
  );
  const parse = vi.spyOn(JSON, "parse");
  late.scan(payload, new SeriesIndex(), resolve, context);
  expect(parse).not.toHaveBeenCalled();
  parse.mockRestore();
  expect(rows()["valve"]).toMatchObject([{ time: now, values: { cycles: 3 } }]);
});
