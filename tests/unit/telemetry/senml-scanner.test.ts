import * as fc from "fast-check";
import { afterEach, describe, expect, test, vi } from "vitest";
import { SeriesIndex } from "#telemetry/line-protocol/series-index.ts";
import { decodeSenml } from "#telemetry/senml/decode.ts";
import { SenmlNames } from "#telemetry/senml/names.ts";
import { SenmlScanner } from "#telemetry/senml/scanner.ts";
import { packs } from "./json-payloads.ts";
import { damaged, oddValues } from "./lines.ts";
import { bytesOf, catalogue, counted, now, resolve, trial } from "./support.ts";

const scanner = new SenmlScanner(catalogue);
const deviceNames = {
  flow: "water_flow.flow",
  "temp[Cel]": "weather.temp",
  vehicles: "traffic_flow.vehicles",
};
const newNames = () => new SenmlNames((sensor) => (/^s-\d+$/.test(sensor) ? deviceNames : undefined));

/** What both make of a pack, read twice: the second time the scanner knows its series. */
function bothOf(bytes: Uint8Array, seen?: (ordinal: number) => boolean) {
  const [plain, scanned] = [trial(seen), trial(seen)];
  const [plainNames, scannedNames] = [newNames(), newNames()];
  const index = new SeriesIndex();
  const counts = [0, 1].map(() => ({
    plain: counted(decodeSenml(bytes, plainNames, resolve, plain.context)),
    scanned: counted(scanner.scan(bytes, scannedNames, index, resolve, scanned.context)),
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

const bt = now / 1000;
const pack = [
  { bn: "s-1/traffic_flow/", bt, n: "vehicles", u: "count", v: 31 },
  { n: "speed_avg", u: "km/h", v: 48.2 },
];

describe("the scanner of packs and its oracle make the same of", () => {
  test("packs of good, odd and bad records", () => {
    fc.assert(
      fc.property(packs, (bytes) => {
        const { plain, scanned } = bothOf(bytes);
        expect(scanned).toStrictEqual(plain);
      }),
      { numRuns: 1000 },
    );
  });

  test("damaged packs", () => {
    fc.assert(
      fc.property(damaged(packs), (bytes) => {
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

  test("packs some of whose readings were kept before", () => {
    fc.assert(
      fc.property(fc.oneof(packs, damaged(packs)), fc.uniqueArray(fc.nat(6)), (bytes, kept) => {
        const { plain, scanned } = bothOf(bytes, (ordinal) => kept.includes(ordinal));
        expect(scanned).toStrictEqual(plain);
      }),
      { numRuns: 400 },
    );
  });

  test("a pack that ends anywhere", () => {
    const text = ` ${JSON.stringify([{ bu: "km/h" }, ...pack, { bn: "s-2/valve/open", n: "", vb: true, t: -1.5 }])} `;
    for (let end = 0; end <= text.length; end += 1) {
      const { plain, scanned } = bothOf(bytesOf(text.slice(0, end)));
      expect(scanned).toStrictEqual(plain);
    }
  });

  test.each(["v", "vb", "t", "bt", "bv", "n", "bn", "u", "bu"])("every odd value of %s", (label) => {
    for (const value of [
      ...oddValues,
      "null",
      "{}",
      "[]",
      '"1"',
      "1 1",
      "1,",
      '"s-1/valve/torque"',
      '"km/h"',
    ]) {
      for (const name of ["traffic_flow/speed_avg", "valve/open", "valve/cycles"]) {
        for (const text of [
          `[{"bn":"s-1/${name}","v":1},{"bn":"s-1/${name}","t":-1,"${label}":${value}}]`,
          `[{"${label}":${value},"bn":"s-1/${name}","v":1,"t":-1}]`,
        ]) {
          const { plain, scanned } = bothOf(bytesOf(text));
          expect(scanned).toStrictEqual(plain);
        }
      }
    }
  });

  test("records with names of the devices' own, among others, in any units", () => {
    const record = fc.record(
      {
        bn: fc.constantFrom("s-1:", "s-2/", "s-1", "s-1/water_flow/", "f-1:", "u-1:"),
        n: fc.constantFrom("flow", "temp", "vehicles", "nope", "x/flow", ""),
        u: fc.constantFrom("Cel", "K", "L/s", "m3/s", "", "count", "x".repeat(70)),
        t: fc.integer({ min: -2, max: 0 }),
        v: fc.constantFrom(0, 1, 280),
      },
      { requiredKeys: ["n", "v"] },
    );
    const few = fc.array(record, { maxLength: 12 });
    const good = fc.array(
      fc.record(
        { bn: fc.constantFrom("s-1:", "s-2.", "s-1/water_flow/"), t: fc.integer({ min: -2, max: 0 }) },
        { requiredKeys: ["bn"] },
      ),
      { maxLength: 40 },
    );
    const flows = good.map((all) => all.map((one, i) => ({ ...one, n: "flow", u: "L/s", v: i })));
    fc.assert(
      fc.property(fc.oneof(few, flows), fc.uniqueArray(fc.nat(9), { maxLength: 3 }), (all, kept) => {
        const { plain, scanned } = bothOf(
          bytesOf(JSON.stringify(all)),
          kept.length === 0 ? undefined : (ordinal) => kept.includes(ordinal),
        );
        expect(scanned).toStrictEqual(plain);
      }),
      { numRuns: 600 },
    );
  });

  test("many readings, in any order, of any times", () => {
    const record = fc.record({
      bn: fc.constantFrom("s-1/traffic_flow/", "s-2/traffic_flow/", "s-3/traffic_flow/"),
      t: fc.integer({ min: -9, max: 0 }),
      n: fc.constantFrom("vehicles", "speed_avg", "occupancy"),
      v: fc.constantFrom(0, 0.25, 1),
    });
    const integral = record.map((one) => (one.n === "vehicles" ? { ...one, v: Math.round(one.v) } : one));
    fc.assert(
      fc.property(fc.array(integral, { maxLength: 60 }), (all) => {
        const { plain, scanned } = bothOf(bytesOf(JSON.stringify(all)));
        expect(scanned).toStrictEqual(plain);
      }),
    );
    const history = Array.from({ length: 2000 }, (_, i) => ({
      ...(i === 0 && { bn: "s-1/traffic_flow/speed_avg", bt }),
      t: -(i % 1500),
      v: i % 90,
    }));
    const { plain, scanned } = bothOf(bytesOf(JSON.stringify(history)));
    expect(scanned).toStrictEqual(plain);
  });
});

test.each<[string, object[]]>([
  ["of another gateway's sensor", [{ bn: "f-1/traffic_flow/", n: "vehicles", v: 1 }]],
  ["of a retired sensor", [{ n: "r-1/traffic_flow/vehicles", v: 1 }]],
  ["of an unknown sensor", [{ n: "u-1/traffic_flow/vehicles", v: 1 }]],
  ["too old", [{ n: "s-1/traffic_flow/vehicles", v: 1, t: -401 * 86_400 }]],
  ["too far ahead", [{ n: "s-1/traffic_flow/vehicles", v: 1, t: 301 }]],
  ["of a wrong unit", [{ n: "s-1/traffic_flow/speed_avg", u: "Cel", v: 1, t: -1 }]],
])("a reading %s is refused, also behind good ones", (_name, odd) => {
  const { plain, scanned } = bothOf(bytesOf(JSON.stringify([...pack, { bt: 0, bn: "" }, ...odd])));
  expect(scanned).toStrictEqual(plain);
  expect(scanned.counts[1]).toEqual({ accepted: 1, seen: 0, refused: 1 });
});

test.each<[string, object]>([
  ["name", { bn: "x".repeat(256) }],
  ["unit", { bu: "x".repeat(65) }],
])("a base %s that is too long refuses a pack in which no record has it", (_name, base) => {
  const { plain, scanned } = bothOf(bytesOf(JSON.stringify([base, ...pack])));
  expect(scanned).toStrictEqual(plain);
  expect(scanned.counts[1]).toEqual({ accepted: 0, seen: 0, refused: 1 });
});

describe("its own way is taken", () => {
  afterEach(() => void vi.restoreAllMocks());

  test.each<[string, object[], number]>([
    ["with base names and units", pack, 1],
    [
      "of names spelled out",
      [
        { n: "s-1/traffic_flow/vehicles", v: 3 },
        { n: "s-2/valve/open", vb: false },
      ],
      2,
    ],
    [
      "with a header record",
      [
        { bn: "s-1/", bt, bu: "m/s" },
        { n: "traffic_flow/speed_avg", v: 3 },
      ],
      1,
    ],
    [
      "of a device with names of its own",
      [
        { bn: "s-1:", bt, n: "flow", u: "L/s", v: 3 },
        { n: "temp", u: "Cel", v: 21 },
        { n: "vehicles", v: 1 },
      ],
      3,
    ],
    [
      "of one field's history",
      [
        { bn: "s-1/weather/temp", bu: "K", bt, v: 300 },
        { t: -60, v: 301 },
      ],
      2,
    ],
    [
      "with records in disorder",
      [
        ...pack,
        { bn: "s-2/traffic_flow/", n: "vehicles", v: 1 },
        { bn: "s-1/traffic_flow/", n: "occupancy", v: 0.1 },
      ],
      2,
    ],
  ])("by a pack %s", (_name, records, readings) => {
    const parse = vi.spyOn(JSON, "parse");
    const { context, rejections } = trial();
    const { accepted } = scanner.scan(
      bytesOf(JSON.stringify(records)),
      newNames(),
      new SeriesIndex(),
      resolve,
      context,
    );
    expect({ parsed: parse.mock.calls.length, rejections, accepted }).toEqual({
      parsed: 0,
      rejections: [],
      accepted: readings,
    });
  });
});

test("a device that is called otherwise, or by another, is known by its new name at once", () => {
  const devices: Record<string, Record<string, string>> = { "s-1": { flow: "water_flow.flow" } };
  const names = new SenmlNames((sensor) => devices[sensor]);
  const index = new SeriesIndex();
  const { context, rows } = trial();
  const read = () => {
    const payload = bytesOf(JSON.stringify([{ n: "s-1:flow", v: 3, t: bt }]));
    return counted(scanner.scan(payload, names, index, resolve, context));
  };
  expect(read()).toEqual({ accepted: 1, seen: 0, refused: 0 });
  devices["s-1"] = { flow: "water_flow.volume_total" };
  names.clear();
  index.clear();
  expect(read()).toEqual({ accepted: 1, seen: 0, refused: 0 });
  delete devices["s-1"];
  names.clear();
  index.clear();
  expect(read()).toEqual({ accepted: 0, seen: 0, refused: 1 });
  expect(rows()["water_flow"]).toMatchObject([{ values: { flow: 3 } }, { values: { volume_total: 3 } }]);
});
