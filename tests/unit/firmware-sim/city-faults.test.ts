import { describe, expect, test } from "vitest";
import { differences, during, holds, means, minute_ms, on, strays, twice, whole } from "./fault-pairs.ts";
import { mean, type Said } from "./running-city.ts";

describe("a leak", () => {
  const pair = twice("leak", 2.5);

  test("raises the flow of its inlet and of what feeds it by its magnitude, by day and by night", () => {
    for (const fault of whole(pair.faults)) {
      for (const sensor of fault.effects[0]!.sensors) {
        const { struck, calm } = means(pair, sensor, "flow", fault);
        expect(struck - calm).toBeGreaterThan(0.85 * fault.magnitude);
        expect(struck - calm).toBeLessThan(1.01 * fault.magnitude);
      }
    }
  });

  test("lowers the pressure of all in its area, and of the area that feeds it", () => {
    for (const fault of whole(pair.faults)) {
      const lowered = fault.effects
        .flatMap(({ sensors }) => sensors)
        .map((sensor) => means(pair, sensor, "pressure", fault));
      expect(Math.min(...lowered.map(({ struck, calm }) => calm - struck))).toBeGreaterThan(1);
    }
  });

  test("takes nothing from customers, and nothing outside its label", () => {
    const customers = [...pair.struck].filter(
      ([, { sensor }]) => sensor.kind === "water-meter" && sensor.attributes.role === "customer",
    );
    const changed = customers.flatMap(([id]) =>
      ["flow", "volume_total", "reverse_total"].flatMap((field) => differences(pair, id, field)),
    );
    expect(customers.length).toBeGreaterThan(30);
    expect(changed).toEqual([]);
    expect(strays(pair, "water_flow", ["flow", "pressure"])).toEqual([]);
  });
});

describe("congestion", () => {
  const pair = twice("congestion", 8);

  test("slows the detectors and lengthens the travel times of its corridor", () => {
    const ratios = whole(pair.faults).flatMap((fault) =>
      fault.effects.flatMap(({ measurement, sensors }) =>
        sensors.map((sensor) => {
          const slow = measurement === "travel_time" ? "seconds" : "speed_avg";
          const { struck, calm } = means(pair, sensor, slow, fault);
          return measurement === "travel_time" ? struck / calm : calm / struck;
        }),
      ),
    );
    expect(ratios.length).toBeGreaterThan(20);
    expect(Math.min(...ratios)).toBeGreaterThan(1.15);
  });

  test("leaves all others alone, and its own before and after", () => {
    const timers = [...pair.struck].filter(([, { device }]) => device.measurement === "travel_time");
    const early = timers.flatMap(([id]) => {
      const first = on(pair.faults, id)[0]?.from ?? Number.POSITIVE_INFINITY;
      return differences(pair, id, "seconds").filter(({ time }) => time < first);
    });
    expect(early).toEqual([]);
    // Afterwards chance takes another course, on the same road.
    const free = (said: Said): number =>
      mean(
        during(
          said,
          "seconds",
          (time) => !on(pair.faults, said.sensor.id).some((fault) => holds(fault, time)),
        ),
      );
    const ratios = timers.map(([id, said]) => free(said) / free(pair.calm.get(id)!));
    expect(Math.max(...ratios)).toBeLessThan(1.05);
    expect(Math.min(...ratios)).toBeGreaterThan(0.95);
  });
});

test("a broken cold chain warms its store beyond its limits, and then it cools down again", () => {
  const pair = twice("cold-chain-break", 8);
  const stories = whole(pair.faults).map((fault) => {
    const said = pair.struck.get(fault.target)!;
    const highest = said.sensor.attributes.limits!["cold_storage.temp"]![1]!;
    return {
      above: during(said, "temp", (time) => holds(fault, time)).at(-1)! - highest,
      cooled: during(said, "compressor_on", (time) => holds(fault, time)).some((state) => state === 1),
      later: (during(said, "temp", (time) => time > fault.to + 7 * 3_600_000)[0] ?? highest) - highest,
    };
  });
  expect(Math.min(...stories.map(({ above }) => above))).toBeGreaterThan(0);
  expect(stories.some(({ cooled }) => cooled)).toBe(false);
  expect(Math.max(...stories.map(({ later }) => later))).toBeLessThan(0.5);
});

describe("a power cut", () => {
  const pair = twice("power-cut", 14);
  /** Fields that are 0 in the dark. */
  const zero: Readonly<Record<string, readonly string[]>> = {
    energy_meter: ["voltage", "power", "current"],
    solar: ["power"],
    water_tank: ["inflow"],
    cold_storage: ["compressor_on"],
  };

  test("darkens its substation's customers and feeder, stops plants, pumps and compressors", () => {
    const lit: string[] = [];
    const touched = new Set<string>();
    for (const fault of whole(pair.faults)) {
      // A mean since the last reading still holds a minute of light.
      const inside = (time: number): boolean =>
        fault.from + 5 * minute_ms <= time && time < fault.to - 3 * minute_ms;
      for (const { measurement, sensors } of fault.effects) {
        for (const id of sensors) {
          for (const field of zero[measurement]!) {
            if (during(pair.struck.get(id)!, field, inside).some((value) => value !== 0))
              lit.push(`${id} ${field} ${fault.cause}`);
          }
        }
        touched.add(measurement);
      }
    }
    expect(lit).toEqual([]);
    expect(touched).toEqual(new Set(Object.keys(zero)));
  });

  test("takes the grid's frequency with it, warms cold stores, and is nowhere else", () => {
    const faults = whole(pair.faults);
    const frequencies = faults.flatMap((fault) =>
      fault.effects[0]!.sensors.flatMap((id) =>
        during(
          pair.struck.get(id)!,
          "frequency",
          (time) => fault.from + 5 * minute_ms <= time && time < fault.to - 3 * minute_ms,
        ),
      ),
    );
    expect(frequencies.length).toBeGreaterThan(20);
    expect(frequencies.every(Number.isNaN)).toBe(true);
    const warmer = faults
      .filter((fault) => fault.to - fault.from > 60 * minute_ms)
      .flatMap((fault) =>
        fault.effects
          .filter(({ measurement }) => measurement === "cold_storage")
          .flatMap(({ sensors }) => sensors.map((id) => means(pair, id, "temp", fault))),
      )
      .map(({ struck, calm }) => struck - calm);
    expect(warmer.length).toBeGreaterThan(0);
    expect(mean(warmer)).toBeGreaterThan(0.3);
    expect(strays(pair, "energy_meter", ["voltage", "power"])).toEqual([]);
  });
});
