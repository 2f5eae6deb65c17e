import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Parsed, openFilters, parse, stored, t0 } from "./support.ts";

const second = 1000;
const window = 60;

function flow(seconds: number, fields: string): string {
  return `traffic_flow,sensor=tf-1 ${fields} ${t0 + seconds * second}`;
}
function store(seconds: number, fields: string): string {
  return `cold_storage,sensor=cs-1 ${fields} ${t0 + seconds * second}`;
}
function parking(seconds: number, fields: string): string {
  return `parking,sensor=pk-1 ${fields} ${t0 + seconds * second}`;
}
const traffic = { measurement: "traffic_flow", average: { window_s: window } };

describe("an average", () => {
  test("has the time of its window's end, sums deltas, and weights a mean speed by vehicles", () => {
    const filtered = openFilters([traffic]);
    filtered.take([
      flow(10, "vehicles=1,speed_avg=100,occupancy=0.1"),
      flow(30, "vehicles=3,speed_avg=60,occupancy=0.2"),
      flow(60, "vehicles=0,occupancy=0"),
      flow(70, "vehicles=5,speed_avg=50"),
    ]);
    expect(filtered.sent()).toEqual([flow(60, "vehicles=4,speed_avg=70,occupancy=0.1")]);
    expect(filtered.filters.counts).toMatchObject({ averaged: 4, averages: 1 });
  });

  test("keeps the last of counters, states and booleans by their own time, and spells as the sensor did", () => {
    const filtered = openFilters([
      {
        measurement: "*",
        average: { window_s: window, kinds: { occupied: "gauge", entries_total: "counter" } },
      },
    ]);
    filtered.take([
      store(10, "temp=4,door_open=0,compressor_on=t"),
      store(30, "temp=5,door_open=1,compressor_on=false"),
      store(20, "temp=9,door_open=0,compressor_on=true"),
      parking(10, "occupied=3i,entries_total=100i"),
      parking(20, "occupied=6i,entries_total=101i"),
      store(61, "temp=4"),
      parking(61, "occupied=1i"),
    ]);
    expect(filtered.sent()).toEqual([
      store(60, "temp=6,door_open=1,compressor_on=false"),
      parking(60, "occupied=5i,entries_total=101i"),
    ]);
  });

  test("goes when nothing more comes, and again, corrected, when something does", () => {
    const filtered = openFilters([traffic]);
    filtered.take([flow(10, "vehicles=1"), flow(20, "vehicles=2")], t0 + 20 * second);
    filtered.tick(t0 + 60 * second);
    expect(filtered.sent()).toEqual([]);
    filtered.tick(t0 + 63 * second);
    filtered.tick(t0 + 64 * second);
    expect(filtered.sent()).toEqual([flow(60, "vehicles=3")]);
    filtered.take([flow(15, "vehicles=4")], t0 + 65 * second);
    expect(filtered.sent()).toEqual([flow(60, "vehicles=3"), flow(60, "vehicles=7")]);
  });

  test("of the window before the newest takes late readings; what is later goes alone, and never in the place of an average", () => {
    const filtered = openFilters([traffic]);
    filtered.take([
      flow(10, "vehicles=1"),
      flow(70, "vehicles=2"),
      flow(20, "vehicles=3"),
      flow(130, "vehicles=4"),
    ]);
    expect(filtered.sent()).toEqual([
      flow(60, "vehicles=1"),
      flow(60, "vehicles=4"),
      flow(120, "vehicles=2"),
    ]);
    filtered.take([flow(30, "vehicles=5"), flow(60, "vehicles=6")]);
    expect(filtered.sent().slice(3)).toEqual([flow(30, "vehicles=5"), flow(59.999, "vehicles=6")]);
  });

  test("of a window that is cut short by the end has the time of its last reading, so that the rest will not overwrite it", () => {
    const filtered = openFilters([traffic]);
    filtered.take([flow(10, "vehicles=1"), flow(20, "vehicles=2")]);
    filtered.flush();
    const later = openFilters([traffic]);
    later.take([flow(40, "vehicles=4"), flow(61, "vehicles=0")]);
    expect(stored([...filtered.sent(), ...later.sent()]).map(({ fields }) => fields["vehicles"])).toEqual([
      3, 4,
    ]);
  });

  test("is not made of fields that nobody knows how to average", () => {
    const filtered = openFilters([{ average: { window_s: window } }]);
    const lines = [
      "parking,sensor=pk-1 occupied=3 1764000000000",
      "parking,sensor=pk-1 occupied=4 1764000001000",
    ];
    filtered.take(lines);
    expect(filtered.sent()).toEqual(lines);
  });

  test("goes through the dead-band of its rule", () => {
    const filtered = openFilters([{ ...traffic, dead_band: { occupancy: 0.05 }, max_silence_s: 600 }]);
    const minutes = [0.2, 0.21, 0.22, 0.5, 0.51];
    filtered.take(
      minutes.flatMap((value, at) => [10, 20].map((s) => flow(at * 60 + s, `occupancy=${value}`))),
    );
    filtered.flush();
    expect(filtered.sent().map((line) => parse(line).fields["occupancy"])).toEqual([0.2, 0.22, 0.5, 0.51]);
  });
});

/** Distinct times in hundredths of a second, in the order of arrival: at first late by chance, then in any order. */
const readings = fc.uniqueArray(
  fc.record({
    at: fc.integer({ min: 1, max: 60_000 }),
    vehicles: fc.option(fc.integer({ min: 0, max: 50 }), { nil: undefined }),
    speed: fc.option(fc.double({ min: 0, max: 200, noNaN: true }), { nil: undefined }),
    occupancy: fc.double({ min: 0, max: 1, noNaN: true }),
  }),
  { selector: ({ at }) => at, minLength: 1, maxLength: 120 },
);
type Reading = (typeof readings extends fc.Arbitrary<infer All> ? All : never)[number];

function lineOf({ at, vehicles, speed, occupancy }: Reading): string {
  const parts = [
    vehicles !== undefined && `vehicles=${vehicles}`,
    speed !== undefined && `speed_avg=${speed}`,
    `occupancy=${occupancy}`,
  ];
  return flow(at / 100, parts.filter(Boolean).join(","));
}

/** The same, written to be read: one row a window. */
function oracle(all: readonly Reading[]): Parsed[] {
  const windows = Map.groupBy(all, ({ at }) => Math.ceil(at / 100 / window) * window);
  return [...windows]
    .toSorted(([one], [other]) => one - other)
    .map(([end, members]) => {
      const fields: Record<string, number> = {};
      const counted = members.filter(({ vehicles }) => vehicles !== undefined);
      if (counted.length > 0) fields["vehicles"] = sum(counted.map(({ vehicles }) => vehicles!));
      const driven = members.filter(({ speed }) => speed !== undefined);
      if (driven.length > 0) {
        const weights = driven.map(({ vehicles = 0 }) => vehicles);
        const weight = sum(weights);
        const speeds = driven.map(({ speed }) => speed!);
        fields["speed_avg"] =
          weight > 0
            ? sum(speeds.map((speed, index) => speed * weights[index]!)) / weight
            : sum(speeds) / driven.length;
      }
      fields["occupancy"] = sum(members.map(({ occupancy }) => occupancy)) / members.length;
      return { key: "traffic_flow,sensor=tf-1", time: t0 + end * second, fields };
    });
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function vehiclesIn(sent: readonly string[]): number {
  return sum(stored(sent).map(({ fields }) => fields["vehicles"] ?? 0));
}

describe("whatever the readings are", () => {
  // The field that weights must be known from the first reading on.
  const first: Reading = { at: 0, vehicles: 0, speed: 0, occupancy: 0 };

  test("in order or up to a window late, the store holds what the oracle says", () => {
    fc.assert(
      fc.property(readings, fc.integer({ min: 0, max: window * 100 }), (all, lateness) => {
        const arrived = [first, ...all]
          .map((reading) => ({ reading, due: reading.at + ((reading.at * 7919) % (lateness + 1)) }))
          .toSorted((one, other) => one.due - other.due)
          .map(({ reading }) => reading);
        const filtered = openFilters([traffic], 512);
        filtered.take(arrived.map(lineOf));
        filtered.tick(t0 + 200_000_000);
        const rows = stored(filtered.sent());
        const expected = oracle([first, ...all]);
        expect(rows.map(({ time }) => time)).toEqual(expected.map(({ time }) => time));
        for (const [index, row] of rows.entries()) {
          expect(Object.keys(row.fields).toSorted()).toEqual(Object.keys(expected[index]!.fields).toSorted());
          for (const [name, value] of Object.entries(row.fields))
            expect(value).toBeCloseTo(expected[index]!.fields[name]!, 8);
        }
      }),
    );
  });

  test("in any order of arrival no vehicle is lost or counted twice", () => {
    fc.assert(
      fc.property(readings, (all) => {
        const filtered = openFilters([traffic], 512);
        for (const reading of all) {
          filtered.take([lineOf(reading)]);
          if (reading.at % 5 === 0) filtered.tick(t0 + 200_000_000);
        }
        filtered.flush();
        expect(vehiclesIn(filtered.sent())).toBe(sum(all.map(({ vehicles = 0 }) => vehicles)));
      }),
    );
  });

  test("with orderly restarts at any moment no vehicle is lost or counted twice", () => {
    fc.assert(
      fc.property(readings, fc.array(fc.nat(120), { maxLength: 5 }), (all, restarts) => {
        const sent: string[] = [];
        let filtered = openFilters([traffic], 512);
        for (const [index, reading] of all.toSorted((one, other) => one.at - other.at).entries()) {
          filtered.take([lineOf(reading)]);
          if (!restarts.includes(index)) continue;
          filtered.flush();
          sent.push(...filtered.sent());
          filtered = openFilters([traffic], 512);
        }
        filtered.flush();
        sent.push(...filtered.sent());
        expect(vehiclesIn(sent)).toBe(sum(all.map(({ vehicles = 0 }) => vehicles)));
      }),
    );
  });

  test("every reading taken is counted once: sent as it is, left out, or in an average", () => {
    fc.assert(
      fc.property(readings, fc.boolean(), fc.boolean(), (all, duplicates, isBanded) => {
        const band = isBanded ? { dead_band: { occupancy: 0.2, speed_avg: 50 }, max_silence_s: 600 } : {};
        const filtered = openFilters([{ ...traffic, duplicates, ...band }], 512);
        filtered.take(all.flatMap((reading) => [lineOf(reading), lineOf(reading)]));
        filtered.flush();
        const { counts } = filtered.filters;
        const { received } = filtered.intake;
        expect(received).toBe(2 * all.length);
        expect(counts.duplicates).toBe(duplicates ? all.length : 0);
        expect(filtered.sent()).toHaveLength(
          received - counts.duplicates - counts.averaged - counts.withinBand + counts.averages,
        );
      }),
    );
  });
});
