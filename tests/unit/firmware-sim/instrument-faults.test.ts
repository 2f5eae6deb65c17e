import { describe, expect, test } from "vitest";
import type { Fault } from "#firmware-sim/faults/fault.ts";
import { differences, during, from, holds, on, to, twice, type Pair } from "./fault-pairs.ts";
import { RunningCity } from "./running-city.ts";

/** Differences of all sensors and fields, told apart by whether a label says so. */
function toldApart(pair: Pair): { inside: string[]; outside: string[] } {
  const all = [...pair.struck].flatMap(([id, { values }]) =>
    Object.keys(values).flatMap((field) =>
      differences(pair, id, field).map(({ time }) => {
        const labelled = on(pair.faults, id).some(
          (fault) => holds(fault, time) && fault.effects[0]!.fields.includes(field),
        );
        return { labelled, what: `${id} ${field} ${new Date(time).toISOString()}` };
      }),
    ),
  );
  const part = (labelled: boolean): string[] =>
    all.filter((each) => each.labelled === labelled).map(({ what }) => what);
  return { inside: part(true), outside: part(false) };
}

const field = (fault: Fault): string => fault.effects[0]!.fields[0]!;
const said = (pair: Pair, fault: Fault): number[] =>
  during(pair.struck.get(fault.target)!, field(fault), (time) => holds(fault, time)).filter(Number.isFinite);
const added = (pair: Pair, fault: Fault): number[] =>
  differences(pair, fault.target, field(fault))
    .filter(({ time }) => holds(fault, time))
    .map(({ struck, calm }) => struck - calm);
const inWhole = (fault: Fault): boolean => fault.from > from && fault.to < to;

describe.each(["stuck", "spike", "drift"] as const)("an instrument's %s", (kind) => {
  test("is in its field during its label and nowhere else; counters and all other fields are true", () => {
    const { inside, outside } = toldApart(twice(kind, 12));
    expect(outside).toEqual([]);
    expect(inside.length).toBeGreaterThan(kind === "spike" ? 5 : 200);
  });
});

test("a stuck field says one value from the label's begin to its end", () => {
  const pair = twice("stuck", 12);
  const counts = pair.faults.filter(inWhole).map((fault) => new Set(said(pair, fault)).size);
  expect(counts.length).toBeGreaterThan(5);
  expect(Math.max(...counts)).toBe(1);
});

test("a spike adds its magnitude, a drift what it has reached of it, as far as physics lets a field go", () => {
  const [spikes, drifts] = [twice("spike", 20), twice("drift", 12)];
  const jumps = spikes.faults.filter(
    (fault) => inWhole(fault) && added(spikes, fault).length > 0 && field(fault) !== "pf",
  );
  expect(jumps.length).toBeGreaterThan(10);
  const far = jumps.filter((fault) =>
    added(spikes, fault).some((step) => Math.abs(step - fault.magnitude) > 1.01),
  );
  expect(far.map(({ target, magnitude }) => [target, magnitude])).toEqual([]);
  const slides = drifts.faults.filter(
    (fault) => inWhole(fault) && added(drifts, fault).length > 40 && field(fault) !== "pf",
  );
  expect(slides.length).toBeGreaterThan(3);
  for (const fault of slides) {
    const steps = added(drifts, fault);
    expect(Math.abs(steps[0]!)).toBeLessThan(0.1 * Math.abs(fault.magnitude));
    expect(steps.at(-1)! / fault.magnitude).toBeCloseTo(1, 1);
  }
});

test.each([
  ["drop-out", 8],
  ["gateway-reboot", 6],
] as const)(
  "%s is silence during its label; what is said before and after is as without it",
  (kind, perDay) => {
    const pair = twice(kind, perDay);
    const wrong: string[] = [];
    let silent = 0;
    for (const [id, calm] of pair.calm) {
      const spoken = new Set(pair.struck.get(id)!.times);
      for (const time of calm.times) {
        const owed = on(pair.faults, id).some((fault) => holds(fault, time));
        if (owed) silent += 1;
        if (owed === spoken.has(time)) wrong.push(`${id} ${new Date(time).toISOString()}`);
      }
    }
    expect(wrong).toEqual([]);
    expect(silent).toBeGreaterThan(150);
    expect(toldApart(pair)).toEqual({ inside: [], outside: [] });
  },
);

test("a reboot silences all sensors of its gateway", () => {
  const city = new RunningCity({ faults: { perDay: 6, kinds: ["gateway-reboot"] } });
  for (const { target, effects } of city.world.plan!.between(from, to)) {
    const gateway = city.city.gateways.find(({ name }) => name === target)!;
    expect(effects.flatMap(({ sensors }) => sensors).toSorted()).toEqual(
      gateway.sensors.map(({ id }) => id).toSorted(),
    );
  }
});

test("a skewed clock shifts the times of its sensor's readings by the magnitude, and no two readings fall together", () => {
  const pair = twice("clock-skew", 12);
  const wrong = [...pair.calm].filter(([id, calm]) => {
    const { times } = pair.struck.get(id)!;
    const own = on(pair.faults, id);
    const expected = calm.times.map((time) => {
      const fault = own.find((each) => holds(each, time));
      return time + Math.round((fault?.magnitude ?? 0) * 1000);
    });
    return new Set(times).size < times.length || times.some((time, i) => time !== expected[i]);
  });
  expect(wrong.map(([id]) => id)).toEqual([]);
  expect(Math.max(...pair.faults.map(({ magnitude }) => magnitude))).toBeLessThan(240);
});
