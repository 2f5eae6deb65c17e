import { describe, expect, test } from "vitest";
import type { Range } from "#telemetry/catalogue.ts";
import { plausibleRange } from "#telemetry/sensor.ts";
import { devices, fieldOf, life, sameDevice } from "./running-city.ts";

/** Days of all seasons, some in coarse and some in live steps. */
const stretches = [
  { from: "2026-01-11T00:00", hours: 24, step_min: 15 },
  { from: "2026-04-17T10:00", hours: 1, step_min: 1 / 6 },
  { from: "2026-07-05T00:00", hours: 24, step_min: 15 },
  { from: "2026-10-24T18:00", hours: 1, step_min: 1 / 6 },
];

const within = ([low, high]: Range, value: number): boolean =>
  value >= (low ?? Number.NEGATIVE_INFINITY) && value <= (high ?? Number.POSITIVE_INFINITY);

function livesOf(seed: number): unknown[] {
  return devices({ seed }).map((device) => [
    ...life(device, { from: "2026-07-05T06:00", hours: 1, step_min: 10, seed }),
  ]);
}

test("an equal seed and equal steps make equal values, another seed others", () => {
  expect(livesOf(5)).toEqual(livesOf(5));
  expect(livesOf(5)).not.toEqual(livesOf(6));
});

describe.each([1, 2])("in the city with seed %i", (seed) => {
  test("values are physical always, and plausible but for one in ten thousand", () => {
    let count = 0;
    let implausible = 0;
    const impossible: string[] = [];
    for (const device of devices({ seed, sensors: 150 })) {
      const ranges = device.fields.map(({ name }) => {
        const field = fieldOf(device, name);
        return { name, physical: field.physical, plausible: plausibleRange(field, device.sensor.attributes) };
      });
      for (const { from, hours, step_min } of stretches) {
        for (const { said } of life(device, { from, hours, step_min, seed })) {
          for (const { name, physical, plausible } of ranges) {
            const value = said[name]!;
            if (Number.isNaN(value)) continue;
            count += 1;
            if (!within(physical, value)) impossible.push(`${device.sensor.id} ${name}=${value}`);
            if (!within(plausible, value)) implausible += 1;
          }
        }
      }
    }
    expect(impossible).toEqual([]);
    expect(count).toBeGreaterThan(100_000);
    expect(implausible / count).toBeLessThan(0.0001);
  });

  test("counters never fall, and go on where a saved device stopped", () => {
    const fallen: string[] = [];
    for (const device of devices({ seed, sensors: 60 })) {
      const counters = device.fields.filter(({ name }) => fieldOf(device, name).kind === "counter");
      if (counters.length === 0) continue;
      const successor = sameDevice(device.sensor, { seed, sensors: 60 });
      const first = [...life(device, { from: "2026-07-05T00:00", hours: 30, seed })];
      successor.restore(structuredClone(device.save()));
      const then = life(successor, { from: "2026-07-06T06:00", hours: 30, seed });
      let before: Record<string, number> = {};
      for (const { said } of [...first, ...then]) {
        for (const { name } of counters) {
          if (said[name]! < (before[name] ?? 0)) fallen.push(`${device.sensor.id} ${name}`);
        }
        before = said;
      }
    }
    expect(fallen).toEqual([]);
  });
});

test("a device restored from JSON says exactly what the saved one would have said", () => {
  for (const device of devices({ sensors: 100 })) {
    for (const _ of life(device, { from: "2026-07-05T00:00", hours: 2 }));
    const successor = sameDevice(device.sensor, { sensors: 100 });
    successor.restore(JSON.parse(JSON.stringify(device.save())));
    const after = { from: "2026-07-05T02:00", hours: 2 };
    expect([...life(successor, after)]).toEqual([...life(device, after)]);
  }
});

test("a silence of days counts as an hour, not as days", () => {
  const [meter] = devices({ kind: "energy-meter" });
  const [before] = [...life(meter!, { from: "2026-07-05T00:00", hours: 1 })].slice(-1);
  const [after] = [...life(meter!, { from: "2026-07-12T00:00", hours: 1, step_min: 60 })];
  const gained = after!.said["import_total"]! - before!.said["import_total"]!;
  expect(gained).toBeLessThanOrEqual(Math.abs(after!.said["power"]!) + 1e-6);
});
