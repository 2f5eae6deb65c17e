import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ResolveSeries } from "#telemetry/decode.ts";
import type { Reason } from "#telemetry/rejection.ts";
import { decodeSenml } from "#telemetry/senml/decode.ts";
import { SenmlNames } from "#telemetry/senml/names.ts";
import { bytesOf, minute, now, resolve, trial } from "./support.ts";

type Devices = Record<string, Record<string, string>>;

/** Decodes with the sensors of `support.ts`; `devices` are registered too, and say what they call their fields. */
function decoded(payload: unknown, devices: Devices = {}, seen?: (ordinal: number) => boolean) {
  const { context, rejections, rows } = trial(seen);
  const text = typeof payload === "string" ? payload : JSON.stringify(payload);
  const bytes = payload instanceof Uint8Array ? payload : bytesOf(text);
  const count = decodeSenml(bytes, new SenmlNames((sensor) => devices[sensor]), resolve, context);
  const packs = rejections.map(({ bytes: resolved }) => resolved && new TextDecoder().decode(resolved));
  return { count, rows: rows(), rejections, reasons: rejections.map(({ reason }) => reason), packs };
}

const bt = now / 1000;
const record = { n: "tf-1/traffic_flow/vehicles", t: bt, v: 31 };

test("records of one sensor, measurement and time are one reading, wherever they stand in the pack", () => {
  const { count, rows } = decoded([
    { bn: "tf-1/traffic_flow/", bt, n: "vehicles", v: 31 },
    { n: "vehicles", t: -1, v: 30 },
    { bn: "tf-2/traffic_flow/", n: "vehicles", v: 5 },
    { bn: "", n: "tf-1/traffic_flow/speed_avg", u: "km/h", v: 48.2 },
  ]);
  expect(count).toEqual({ accepted: 3, seen: 0, refused: 0 });
  expect(rows["traffic_flow"]).toMatchObject([
    { time: now, values: { vehicles: 31, speed_avg: 48.2 } },
    { time: now - 1000, values: { vehicles: 30 } },
    { time: now, values: { vehicles: 5 } },
  ]);
});

test.for([
  [undefined, 0],
  [0, 0],
  [-3.5, -3500],
  [30, 30_000],
  [2 ** 28 - 1, "future"],
  [2 ** 28, "too-old"],
  [bt + 0.25, 250],
] as const)("the time %s is relative to now below 2^28", ([t, expected]) => {
  const { rows, reasons } = decoded([{ ...record, t }]);
  const time = rows["traffic_flow"]?.[0]?.time;
  expect(reasons[0] ?? time! - now).toBe(expected);
});

test("a base value is added to values, a base sum to sums, a base unit is for records without one", () => {
  const { rows } = decoded([
    { bn: "wf-1/water_flow/", bt, bu: "m3/s", bv: 0.01, bs: 1000, n: "flow", v: 0.002, s: 234 },
    { n: "flow", u: "l/s", v: 400, t: -1, bv: 0, bs: 0 },
  ]);
  expect(rows["water_flow"]).toMatchObject([
    { time: now, values: { flow: 12, volume_total: 1234 } },
    { time: now - 1000, values: { flow: 400, volume_total: 0 } },
  ]);
});

test.for([
  ["wf-1/water_flow/flow", "m3/s", { volume_total: 1800 }],
  ["wf-1/water_flow/flow", "l/s", { volume_total: 1.8 }],
  ["wf-1/water_flow/flow", undefined, { volume_total: 1.8 }],
  ["wf-1/water_flow/volume_total", "m3/s", { volume_total: 1800 }],
  ["wf-1/water_flow/volume_total", undefined, { volume_total: 1800 }],
  ["em-1/energy_meter/power", "W", { import_total: 0.0005 }],
  ["em-1/energy_meter/power", "kW", { import_total: 0.5 }],
  ["pv-1/solar/power", "kW", { energy_total: 0.5 }],
] as const)("a sum of %s in %s is its counter", ([n, u, values]) => {
  const { rows, rejections } = decoded([{ n, u, s: 1800 }]);
  expect(rejections).toEqual([]);
  expect(Object.values(rows)[0]).toMatchObject([{ values }]);
});

test.for([
  ["tf-1/traffic_flow/speed_avg", "m/s", 10, 36],
  ["tf-1/traffic_flow/speed_avg", "km/h", 36.6, 36.6],
  ["tf-1/traffic_flow/vehicles", "count", 4, 4],
  ["tf-1/traffic_flow/occupancy", "/", 0.25, 0.25],
  ["tf-1/traffic_flow/occupancy", "/100", 25, 0.25],
  ["tf-1/traffic_flow/headway_avg", "ms", 1500, 1.5],
  ["ws-1/weather/temp", "K", 300, 26.85],
  ["ws-1/weather/humidity", "%RH", 45, 45],
  ["ws-1/weather/humidity", "%", 0.45, 45],
  ["wq-1/water_quality/ph", "pH", 7.5, 7.5],
  ["wq-1/water_quality/turbidity", "NTU", 1.5, 1.5],
  ["wq-1/water_quality/chlorine_free", "kg/m3", 0.0005, 0.5],
  ["wq-1/water_quality/chlorine_free", "mg/l", 0.5, 0.5],
  ["wq-1/water_quality/conductivity", "S/m", 0.05, 500],
  ["wq-1/water_quality/conductivity", "uS/cm", 500, 500],
  ["aq-1/air_quality/pm10", "kg/m3", 5e-8, 50],
  ["aq-1/air_quality/pm10", "ug/m3", 50, 50],
  ["wf-1/water_flow/flow", "L/s", 12.5, 12.5],
  ["wf-1/water_flow/pressure", "hPa", 4000, 400],
  ["em-1/energy_meter/import_total", "J", 3.6e6, 1],
  ["em-1/energy_meter/import_total", "kWh", 5, 5],
  ["em-1/energy_meter/current", "mA", 1500, 1.5],
  ["st-1/food_stock/stock", "kg", 1200, 1.2],
] as const)("%s in %s is converted", ([n, u, v, expected]) => {
  const { rows, rejections } = decoded([{ n, u, v }]);
  expect(rejections).toEqual([]);
  expect(Object.values(Object.values(rows)[0]![0]!.values)[0]).toBeCloseTo(expected, 9);
});

/** For ids that begin with urn: `resolve` takes them for unknown. */
const asKnown: ResolveSeries = (measurement, sensor) => resolve(measurement, sensor.replace("urn", "x"));

describe("a device that has names of its own", () => {
  const devices: Devices = {
    "urn:dev:ow:10e2073a01080063": {
      voltage: "energy_meter.voltage",
      "temp[Cel]": "cold_storage.temp",
      "temp[%RH]": "cold_storage.humidity",
      "3303/0/5700": "weather.temp",
      "": "weather.humidity",
    },
    "urn:dev:ow": { "10e2073a01080063:voltage": "solar.power" },
    "s-1": { "energy_meter/power": "solar.power" },
  };
  const base = "urn:dev:ow:10e2073a01080063";
  const read = (pack: object[]) => {
    const { context, rejections, rows } = trial();
    const names = new SenmlNames((sensor) => devices[sensor]);
    const count = decodeSenml(bytesOf(JSON.stringify(pack)), names, asKnown, context);
    return { count, rows: rows(), reasons: rejections.map(({ reason }) => reason) };
  };

  test.for([
    [{ n: `${base}:voltage`, v: 231 }, "energy_meter", { voltage: 231 }],
    [{ bn: `${base}/`, n: "voltage", v: 231 }, "energy_meter", { voltage: 231 }],
    [{ bn: `${base}_`, n: "temp", u: "Cel", v: 4 }, "cold_storage", { temp: 4 }],
    [{ bn: `${base}.`, n: "temp", bu: "%RH", v: 60 }, "cold_storage", { humidity: 60 }],
    [{ bn: `${base}/3303/0/`, n: "5700", u: "Cel", v: 31 }, "weather", { temp: 31 }],
    [{ bn: base, u: "%RH", v: 61 }, "weather", { humidity: 61 }],
    [{ n: `${base}/solar/power`, u: "kW", v: 2 }, "solar", { power: 2 }],
    [{ n: "s-1/energy_meter/power", u: "kW", v: 3 }, "energy_meter", { power: 3 }],
  ] as const)("%j", ([sent, measurement, values]) => {
    const { rows, reasons } = read([sent]);
    expect(reasons).toEqual([]);
    expect(rows).toMatchObject({ [measurement]: [{ values }] });
  });

  test.for<[object, Reason]>([
    [{ n: `${base}:temp`, u: "K", v: 280 }, "unknown-field"],
    [{ n: `${base}:label`, vs: "Machine Room" }, "unknown-field"],
    [{ n: "somebody:temp", v: 1 }, "unknown-sensor"],
    [{ n: `${base}:voltage`, u: "A", v: 1 }, "wrong-unit"],
  ])("%j is refused", ([sent, reason]) => {
    expect(read([sent]).reasons).toEqual([reason]);
  });

  test("is looked for under no more beginnings of a name than an id has characters", () => {
    const longest = "a.".repeat(32);
    expect(longest).toHaveLength(64);
    const asked: string[] = [];
    const names = new SenmlNames((sensor) => {
      asked.push(sensor);
      return sensor === longest ? { "b:c": "weather.temp" } : undefined;
    });
    const { context, rejections, rows } = trial();
    const pack = [
      { n: `${longest}/b:c`, v: 30 },
      { n: "a.".repeat(127), v: 30 },
    ];
    decodeSenml(bytesOf(JSON.stringify(pack)), names, asKnown, context);
    expect(rows()["weather"]).toMatchObject([{ values: { temp: 30 } }]);
    expect(rejections.map(({ reason }) => reason)).toEqual(["unknown-sensor"]);
    expect(Math.max(...asked.map(({ length }) => length))).toBe(64);
    expect(asked.length).toBeLessThan(66);
  });

  test("each record is a reading, so that their number is the same before and after it is registered", () => {
    const pack = [
      { n: `${base}:voltage`, v: 231 },
      { n: `${base}/3303/0/5700`, v: 30 },
      { n: base, v: 60 },
    ];
    expect(read(pack).count.accepted).toBe(3);
    expect(decoded(pack).count.refused).toBe(3);
  });
});

describe("a reading is refused", () => {
  const other = { n: "tf-9/traffic_flow/vehicles", v: 1 };
  test.for<[Reason, object]>([
    ["syntax", { v: 1 }],
    ["syntax", { n: 5, v: 1 }],
    ["syntax", { n: "a b/traffic_flow/vehicles", v: 1 }],
    ["syntax", { n: "-x", v: 1 }],
    ["syntax", { n: "ح", v: 1 }],
    ["syntax", { n: `s${"x".repeat(255)}`, v: 1 }],
    ["unknown-measurement", { n: "tf-1/constructor/vehicles", v: 1 }],
    ["unknown-sensor", { n: "u-1/traffic_flow/vehicles", v: 1 }],
    ["sensor-retired", { n: "r-1/traffic_flow/vehicles", v: 1 }],
    ["sensor-owned", { n: "f-1/traffic_flow/vehicles", v: 1 }],
    ["unknown-sensor", { n: "tf-1", v: 1 }],
    ["unknown-field", { n: "tf-1/traffic_flow/toString", v: 1 }],
    ["syntax", { n: "tf-1/traffic_flow/vehicles" }],
    ["syntax", { n: "tf-1/traffic_flow/vehicles", v: 1, vb: true }],
    ["syntax", { n: "tf-1/traffic_flow/vehicles", u: 1, v: 1 }],
    ["syntax", { n: "tf-1/traffic_flow/vehicles", v: 1, t: "now" }],
    ["syntax", { n: "tf-1/traffic_flow/vehicles", v: 1, t: null }],
    ["wrong-type", { n: "tf-1/traffic_flow/vehicles", v: "1" }],
    ["wrong-type", { n: "tf-1/traffic_flow/vehicles", v: null }],
    ["wrong-type", { n: "tf-1/traffic_flow/vehicles", vb: true }],
    ["wrong-type", { n: "tf-1/traffic_flow/vehicles", vs: "one" }],
    ["wrong-type", { n: "tf-1/traffic_flow/vehicles", vd: "aGkgCg" }],
    ["wrong-type", { n: "tf-1/traffic_flow/vehicles", s: "1" }],
    ["wrong-type", { n: "a/valve/open", v: 1 }],
    ["wrong-type", { n: "a/valve/cycles", v: 1.5 }],
    ["wrong-unit", { n: "tf-1/traffic_flow/speed_avg", u: "m", v: 1 }],
    ["wrong-unit", { n: "tf-1/traffic_flow/speed_avg", u: "furlong", v: 1 }],
    ["wrong-unit", { n: "tf-1/traffic_flow/speed_avg", u: "constructor", v: 1 }],
    ["wrong-unit", { n: "ws-1/weather/temp", u: "C", v: 20 }],
    ["wrong-unit", { n: "wf-1/water_flow/flow", u: "kW", s: 20 }],
    ["unknown-field", { n: "ws-1/weather/temp", u: "Cel", s: 20 }],
    ["syntax", { n: "ws-1/weather/temp", ut: 20 }],
    ["out-of-range", { n: "tf-1/traffic_flow/vehicles", v: -1 }],
    ["out-of-range", { n: "ws-1/weather/humidity", u: "%", v: 45 }],
    ["future", { n: "tf-1/traffic_flow/vehicles", v: 1, t: 301 }],
    ["too-old", { n: "tf-1/traffic_flow/vehicles", v: 1, t: -401 * 86_400 }],
  ])("as %s: %j", ([reason, bad]) => {
    const { count, reasons, rejections } = decoded([{ bt: 0 }, other, bad, { ...other, t: -1 }]);
    expect(count).toEqual({ accepted: 2, seen: 0, refused: 1 });
    expect(reasons).toEqual([reason]);
    expect(rejections[0]!.ordinal).toBe(1);
  });

  test("whole, for the first of its records that is bad", () => {
    const { count, reasons, rows } = decoded([
      { bn: "tf-1/traffic_flow/", bt, n: "vehicles", v: 31 },
      { n: "speed_avg", u: "kg", v: 48.2 },
      { n: "occupancy", v: 7 },
    ]);
    expect([count.refused, reasons, rows]).toEqual([1, ["wrong-unit"], {}]);
  });

  test("as not-finite: a number beyond all doubles, also when it is read again", () => {
    const { reasons, packs } = decoded('[{"n":"tf-1/traffic_flow/vehicles","v":1e400}]');
    expect(reasons).toEqual(["not-finite"]);
    expect(decoded(packs[0]).reasons).toEqual(["not-finite"]);
  });
});

describe("a pack is refused whole", () => {
  test.for<[Reason, string | Uint8Array]>([
    ["syntax", ""],
    ["syntax", "{}"],
    ["syntax", "5"],
    ["syntax", "[5]"],
    ["syntax", "[[]]"],
    ["syntax", "[null]"],
    ["syntax", '[{"bn":5}]'],
    ["syntax", '[{"bt":"0"}]'],
    ["syntax", '[{"bu":null}]'],
    ["syntax", '[{"bv":"1"}]'],
    ["syntax", '[{"bs":true}]'],
    ["syntax", '[{"bver":"10"}]'],
    ["syntax", '[{"bver":0}]'],
    ["syntax", '[{"bver":9.5}]'],
    ["syntax", '[{"bver":11}]'],
    ["syntax", '[{"bver":9},{"bver":10}]'],
    ["syntax", '[{"n":"a"},{"bver":9}]'],
    ["syntax", '[{"n":"tf-1/traffic_flow/vehicles","v":1,"must_":1}]'],
    ["invalid-utf8", Uint8Array.of(0x22, 0xff, 0x22)],
  ])("as %s: %s", ([reason, payload]) => {
    const { count, rejections } = decoded(payload);
    expect(count).toEqual({ accepted: 0, seen: 0, refused: 1 });
    expect(rejections).toMatchObject([{ reason, ordinal: 0, start: 0, end: payload.length }]);
  });

  test.each([
    { base: "bn", longest: 255 },
    { base: "bu", longest: 64 },
  ])("for a longer $base than $longest characters, which every record would repeat", ({ base, longest }) => {
    const refused = (length: number) =>
      decoded([{ [base]: "x".repeat(length) }, { v: 1 }, { v: 2 }]).rejections;
    expect(refused(longest)).toHaveLength(2);
    expect(refused(longest + 1)).toMatchObject([
      { reason: "syntax", detail: `\`${base}\` of record 0 is not a text of at most ${longest} characters` },
    ]);
  });

  test.each(["n", "u", "t", "v", "vb", "s", "ut", "bn", "link"])(
    "for what is nested too deeply in %s, of which no dead letter's text could be made",
    (label) => {
      for (const [open, close] of [
        ["[", "]"],
        ['{"a":', "}"],
      ] as const) {
        const nested = (levels: number): string =>
          `[{"n":"tf-1/traffic_flow/vehicles","v":1},{"${label}":${open.repeat(levels)}1${close.repeat(levels)}}]`;
        expect(decoded(nested(20_000)).rejections).toMatchObject([
          { reason: "syntax", ordinal: 0, start: 0, end: nested(20_000).length },
        ]);
        expect(decoded(nested(17)).rejections[0]?.detail).toContain("nested more than 16 levels deep");
        expect(decoded(nested(16)).rejections[0]?.detail ?? "").not.toContain("nested");
      }
    },
  );

  test("but not for labels that need not be understood, nor for being of an older version", () => {
    const { count } = decoded([{ ...record, bver: 5, ut: 60, link: { a: 1 }, blub: 1, a_b: 2 }]);
    expect(count.accepted).toBe(1);
    expect(decoded("[]").count).toEqual({ accepted: 0, seen: 0, refused: 0 });
    expect(decoded('[{"bn":"x"}]').count).toEqual({ accepted: 0, seen: 0, refused: 0 });
  });
});

test("readings that were kept before are passed over", () => {
  const pack = [0, 1, 2].map((i) => ({ ...record, t: bt - i }));
  const { count, rows } = decoded(pack, {}, (ordinal) => ordinal === 1);
  expect(count).toEqual({ accepted: 2, seen: 1, refused: 0 });
  expect(rows["traffic_flow"]?.map(({ time }) => time)).toEqual([now, now - 2000]);
});

describe("a refused reading's bytes", () => {
  test("are its records, resolved: later they still mean the same time", () => {
    const { packs } = decoded([
      { bn: "u-1/water_flow/", bt: -10, bu: "m3/s", bv: 1, bs: 100, bver: 9, n: "flow", v: 0.5, s: 7, ut: 5 },
      { n: "pressure", u: "Pa", v: 3 },
    ]);
    const t = bt - 10;
    expect(packs.map((pack) => JSON.parse(pack!) as unknown)).toEqual([
      [
        { n: "u-1/water_flow/flow", bver: 9, u: "m3/s", t, v: 1.5, s: 107, ut: 5 },
        { n: "u-1/water_flow/pressure", bver: 9, u: "Pa", t, v: 4, s: 100 },
      ],
    ]);
  });

  const text = fc.constantFrom(
    "",
    "a",
    "tf-1",
    "u-2",
    "f-1/traffic_flow/",
    "tf-1/traffic_flow/",
    "vehicles",
    "a b",
  );
  const unit = fc.constantFrom("km/h", "Cel", "%", "x");
  const number = fc.oneof(fc.double({ noNaN: true }), fc.constantFrom(0, -1, bt, 2 ** 28, -1e9));
  const anything = fc.oneof(fc.constantFrom(null, true, "1", {}, []), number);
  const mostly = <T>(arbitrary: fc.Arbitrary<T>) =>
    fc.oneof({ weight: 9, arbitrary }, { weight: 1, arbitrary: anything });
  const records = fc.record(
    {
      bn: text,
      bt: number,
      bu: unit,
      bv: number,
      bs: number,
      n: mostly(fc.oneof(text, fc.constantFrom("tf-1/traffic_flow/vehicles", "tf-1/traffic_flow/speed_avg"))),
      u: mostly(unit),
      v: mostly(number),
      vb: mostly(fc.boolean()),
      vs: mostly(fc.string()),
      vd: mostly(fc.string()),
      s: mostly(number),
      t: mostly(number),
      ut: anything,
      x: anything,
    },
    { requiredKeys: [] },
  );

  test("are refused again for the same reason, one by one, at any later time", () => {
    fc.assert(
      fc.property(fc.array(records, { maxLength: 8 }), fc.nat(3 * minute), (pack, later) => {
        const first = decoded(pack);
        for (const { reason, bytes } of first.rejections.filter((rejection) => rejection.bytes)) {
          const { context, rejections } = trial();
          const again = decodeSenml(bytes!, new SenmlNames(() => undefined), resolve, {
            ...context,
            now: now + (reason === "future" || reason === "too-old" ? 0 : later),
          });
          expect(again).toEqual({ accepted: 0, seen: 0, refused: 1 });
          expect(rejections).toMatchObject([{ reason }]);
          expect(rejections[0]!.bytes).toEqual(bytes);
        }
      }),
      { numRuns: 1000 },
    );
  });
});

test("no payload makes it throw, and every reading is taken or refused", () => {
  const damaged = fc
    .tuple(fc.constant(JSON.stringify([record, { ...record, t: -1 }])), fc.nat(), fc.string({ maxLength: 3 }))
    .map(([pack, at, junk]) => pack.slice(0, at % pack.length) + junk + pack.slice((at + 1) % pack.length));
  fc.assert(
    fc.property(fc.oneof(damaged, fc.json()), (payload) => {
      const { count, rows, rejections } = decoded(payload);
      expect(rejections).toHaveLength(count.refused);
      expect(Object.values(rows).reduce((sum, all) => sum + all.length, 0)).toBe(count.accepted);
    }),
    { numRuns: 500 },
  );
});
