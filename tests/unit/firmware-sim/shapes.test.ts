import { describe, expect, test } from "vitest";
import { kindMean, mean, moment, RunningCity } from "./running-city.ts";

// 2026-07-05 is a Sunday, 07-10 a Friday, 07-11 a Saturday; 2026-01-11 a Sunday.
const sunday = "2026-07-05";
const friday = "2026-07-10";
const winterSunday = "2026-01-11";

type Hours = readonly [number, number];

/** Flow of the water meters with these roles between two hours, summed over them. */
function waterFlow(roles: readonly string[], [from, to]: Hours): number {
  const all = new RunningCity({ kinds: ["water-meter"] }).say({
    from: `${sunday}T${String(from).padStart(2, "0")}:00`,
    hours: to - from,
    step_min: 5,
  });
  return [...all.values()]
    .filter(({ sensor }) => roles.includes(sensor.attributes.role ?? ""))
    .reduce((sum, { values }) => sum + mean(values["flow"]!), 0);
}

describe("traffic", () => {
  test("rushes on Sunday morning, not on Friday morning", () => {
    const [onSunday, onFriday] = [sunday, friday].map((day) =>
      kindMean("traffic-detector", "vehicles", day, [7, 8]),
    );
    expect(onSunday).toBeGreaterThan(4 * onFriday!);
  });

  test("falls at the Friday prayer and is highest on Friday evening", () => {
    const [before, prayer, evening] = (
      [
        [10, 11],
        [12, 13],
        [18, 20],
      ] as const
    ).map((hours) => kindMean("traffic-detector", "vehicles", friday, hours));
    expect(prayer).toBeLessThan(0.75 * before!);
    expect(evening).toBeGreaterThan(2 * before!);
  });

  test("is slower the more of a lane is occupied", () => {
    const ratios: number[] = [];
    const city = new RunningCity({ kinds: ["traffic-detector"] });
    for (const { values } of city.say({ from: `${sunday}T00:00`, hours: 24 }).values()) {
      const speeds = { free: [] as number[], full: [] as number[] };
      for (const [i, speed] of values["speed_avg"]!.entries()) {
        if (Number.isNaN(speed)) continue;
        if (values["occupancy"]![i]! < 0.04) speeds.free.push(speed);
        if (values["occupancy"]![i]! > 0.18) speeds.full.push(speed);
      }
      if (speeds.free.length > 20 && speeds.full.length > 20)
        ratios.push(mean(speeds.full) / mean(speeds.free));
    }
    expect(ratios.length).toBeGreaterThan(5);
    expect(Math.max(...ratios)).toBeLessThan(0.95);
  });

  test("makes corridors slower at rush hour than at night", () => {
    const [rush, night] = (
      [
        [7, 8],
        [2, 4],
      ] as const
    ).map((hours) => kindMean("travel-timer", "seconds", sunday, hours));
    expect(rush).toBeGreaterThan(1.15 * night!);
  });
});

describe("water", () => {
  test("flows least between two and four at night", () => {
    const roles = ["dma_in", "customer"];
    expect(waterFlow(roles, [2, 4])).toBeLessThan(0.55 * waterFlow(roles, [18, 21]));
  });

  test("of the inlets at night is more than their customers take: the leak", () => {
    expect(waterFlow(["dma_in"], [2, 4])).toBeGreaterThan(1.2 * waterFlow(["customer"], [2, 4]));
  });
});

describe("energy", () => {
  test("takes much more in summer than in winter", () => {
    const [summer, winter] = [sunday, winterSunday].map((day) =>
      kindMean("energy-meter", "power", day, [12, 18]),
    );
    expect(summer).toBeGreaterThan(1.8 * winter!);
  });

  test("comes from the sun by day only", () => {
    expect(kindMean("solar-plant", "power", sunday, [11, 13])).toBeGreaterThan(0);
    expect(kindMean("solar-plant", "power", sunday, [22, 24])).toBe(0);
  });
});

describe("weather", () => {
  test("is Doha's: warm winters, hot summers, hottest after noon", () => {
    const means = [0, 6].map((month) => {
      const days = Array.from(
        { length: 28 },
        (_, day) => `2026-${String(month + 1).padStart(2, "0")}-${String(day + 1).padStart(2, "0")}`,
      );
      return mean(
        days.flatMap((day) =>
          ["02:00", "08:00", "14:00", "20:00"].map((hour) => moment(`${day}T${hour}`).weather.temp),
        ),
      );
    });
    expect(means[0]).toBeGreaterThan(15);
    expect(means[0]).toBeLessThan(21);
    expect(means[1]).toBeGreaterThan(33);
    expect(means[1]).toBeLessThan(39);
    expect(moment(`${sunday}T14:30`).weather.temp).toBeGreaterThan(
      moment(`${sunday}T04:00`).weather.temp + 5,
    );
  });

  test("has the sun highest before noon on the clock, since Doha lies east of its zone's middle", () => {
    expect(moment(`${sunday}T11:35`).weather.irradiance).toBeGreaterThan(700);
    expect(moment(`${sunday}T00:30`).weather.irradiance).toBe(0);
    expect(moment(`${sunday}T06:00`).weather.irradiance).toBeGreaterThan(0);
  });

  test("weeks begin where the city's clock says: Sunday 00:00 there is Saturday evening in UTC", () => {
    expect(moment(`${sunday}T00:00`)).toMatchObject({ weekHour: 0, hour: 0, time: Date.UTC(2026, 6, 4, 21) });
    expect(moment("2026-07-11T23:30").weekHour).toBeCloseTo(167.5);
  });
});

describe("food", () => {
  test("stays cold, but for defrosting and open doors", () => {
    const city = new RunningCity({ kinds: ["cold-store"] });
    const shares = [...city.say({ from: `${sunday}T00:00`, hours: 72 }).values()].map(
      ({ sensor, values }) => {
        const [lowest, highest] = sensor.attributes.limits!["cold_storage.temp"]!;
        const temps = values["temp"]!;
        return temps.filter((temp) => temp >= lowest! && temp <= highest!).length / temps.length;
      },
    );
    expect(Math.min(...shares)).toBeGreaterThan(0.97);
  });

  test("in stock lasts months", () => {
    const city = new RunningCity({ kinds: ["food-stock"] });
    const all = city.say({ from: "2026-01-01T00:00", hours: 24 * 120, step_min: 60 });
    const months = [...all.values()].map(({ values }) => {
      const dispatched = values["dispatch_total"]!.at(-1)! - values["dispatch_total"]![0]!;
      return values["stock"]!.at(-1)! / (dispatched / (120 / 30.44));
    });
    expect(Math.min(...months)).toBeGreaterThan(1.5);
    expect(Math.max(...months)).toBeLessThan(9);
  });
});
