import { describe, expect, test } from "vitest";
import type { Range } from "#telemetry/catalogue.ts";
import { plausibleRange } from "#telemetry/sensor.ts";
import { fieldOf, RunningCity, type Said, type Stretch } from "./running-city.ts";

/** Days of all seasons, some in coarse and some in live steps. */
const stretches: Stretch[] = [
  { from: "2026-01-11T00:00", hours: 24, step_min: 15 },
  { from: "2026-04-17T10:00", hours: 1, step_min: 1 / 6 },
  { from: "2026-07-05T00:00", hours: 24, step_min: 15 },
  { from: "2026-10-24T18:00", hours: 1, step_min: 1 / 6 },
];

const within = ([low, high]: Range, value: number): boolean =>
  value >= (low ?? Number.NEGATIVE_INFINITY) && value <= (high ?? Number.POSITIVE_INFINITY);

const words = (all: ReadonlyMap<string, Said>): unknown[] =>
  [...all].map(([id, { times, values }]) => [id, times, values]);

function counters({ device, values }: Said): (readonly [string, number[]])[] {
  return Object.entries(values).filter(([name]) => fieldOf(device, name).kind === "counter");
}

const falls = (values: readonly number[]): boolean => values.some((value, i) => value < (values[i - 1] ?? 0));

test("an equal seed and equal steps make equal values, another seed others", () => {
  const hour = { from: "2026-07-05T06:00", hours: 1, step_min: 10 };
  const lives = [5, 5, 6].map((seed) => words(new RunningCity({ seed }).say(hour)));
  expect(lives[1]).toEqual(lives[0]);
  expect(lives[2]).not.toEqual(lives[0]);
});

describe.each([1, 2])("in the city with seed %i", (seed) => {
  test("values are physical always, and plausible but for one in ten thousand", () => {
    let count = 0;
    let implausible = 0;
    const impossible: string[] = [];
    for (const stretch of stretches) {
      for (const { sensor, device, values } of new RunningCity({ seed, sensors: 150 })
        .say(stretch)
        .values()) {
        for (const [name, said] of Object.entries(values)) {
          const field = fieldOf(device, name);
          const plausible = plausibleRange(field, sensor.attributes);
          for (const value of said) {
            if (Number.isNaN(value)) continue;
            count += 1;
            if (!within(field.physical, value)) impossible.push(`${sensor.id} ${name}=${value}`);
            if (!within(plausible, value)) implausible += 1;
          }
        }
      }
    }
    expect(impossible).toEqual([]);
    expect(count).toBeGreaterThan(100_000);
    expect(implausible / count).toBeLessThan(0.0001);
  });

  test("counters never fall, and go on where a saved city stopped", () => {
    const city = new RunningCity({ seed, sensors: 60 });
    const first = city.say({ from: "2026-07-05T00:00", hours: 30 });
    const successor = new RunningCity({ seed, sensors: 60 });
    successor.restore(city.save());
    const then = successor.say({ from: "2026-07-06T06:00", hours: 30 });
    const fallen = [...first].flatMap(([id, said]) =>
      counters(said)
        .filter(([name, values]) => falls([...values, ...then.get(id)!.values[name]!]))
        .map(([name]) => `${id} ${name}`),
    );
    expect([...first.values()].flatMap(counters).length).toBeGreaterThan(30);
    expect(fallen).toEqual([]);
  });
});

test.each([
  { from: "2026-07-05T02:00", hours: 2 },
  { from: "2026-07-05T02:00", hours: 0.5, step_min: 1 / 6, live: true },
])("a city restored from JSON says exactly what the saved one would have said: %o", (after) => {
  const faults = { perDay: 40 };
  const city = new RunningCity({ sensors: 100, faults });
  city.say({ from: "2026-07-05T00:00", hours: 2 });
  const successor = new RunningCity({ sensors: 100, faults });
  successor.restore(city.save());
  expect(words(successor.say(after))).toEqual(words(city.say(after)));
  expect(successor.save()).toEqual(city.save());
});

test("a silence of days counts as an hour, not as days, and no counter falls over it", () => {
  const city = new RunningCity({ kinds: ["energy-meter", "water-meter", "solar-plant", "water-tank"] });
  const before = city.say({ from: "2026-07-05T00:00", hours: 1.13, step_min: 1 / 6, live: true });
  const after = city.say({ from: "2026-07-12T00:00", hours: 1, step_min: 60 });
  for (const [id, said] of after) {
    for (const [name, [value]] of counters(said))
      expect(value).toBeGreaterThanOrEqual(before.get(id)!.values[name]!.at(-1)!);
  }
  const meters = [...after.values()].filter(({ values }) => values["power"] && values["import_total"]);
  expect(meters.length).toBeGreaterThan(40);
  for (const { sensor, values } of meters) {
    const gained = values["import_total"]![0]! - before.get(sensor.id)!.values["import_total"]!.at(-1)!;
    expect(gained).toBeLessThanOrEqual(1.01 * Math.abs(values["power"]![0]!) + 0.01);
  }
});
