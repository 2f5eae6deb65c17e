import { describe, expect, test } from "vitest";
import type { DeviceKind } from "#firmware-sim/devices/device.ts";
import { devices, life, meanOver, moment } from "./running-city.ts";

// 2026-07-05 is a Sunday, 07-10 a Friday, 07-11 a Saturday; 2026-01-11 a Sunday.
const sunday = "2026-07-05";
const friday = "2026-07-10";
const winterSunday = "2026-01-11";

type Hours = readonly [number, number];

/** Mean of a field over a kind's devices, fresh ones each time. */
function kindMean(kind: DeviceKind, field: string, day: string, hours: Hours): number {
  return meanOver(devices({ kind }), field, day, hours);
}

/** Mean flow of the water meters with these roles, summed over them. */
function waterFlow(roles: readonly string[], hours: Hours): number {
  const meters = devices({ kind: "water-meter" }).filter(({ sensor }) =>
    roles.includes(sensor.attributes.role ?? ""),
  );
  return meters.length * meanOver(meters, "flow", sunday, hours);
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
    for (const device of devices({ kind: "traffic-detector", sensors: 60 })) {
      const speeds = { free: [] as number[], full: [] as number[] };
      for (const { said } of life(device, { from: `${sunday}T00:00`, hours: 24 })) {
        if (Number.isNaN(said["speed_avg"])) continue;
        if (said["occupancy"]! < 0.04) speeds.free.push(said["speed_avg"]!);
        if (said["occupancy"]! > 0.16) speeds.full.push(said["speed_avg"]!);
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

  test("stands in each tank as in- and outflow say, within its walls", () => {
    const wrong: string[] = [];
    for (const device of devices({ kind: "water-tank", sensors: 600 })) {
      let before = Number.NaN;
      for (const { said } of life(device, { from: `${sunday}T00:00`, hours: 14 * 24, step_min: 10 })) {
        const [level, fill, inflow, outflow] = ["level", "fill", "inflow", "outflow"].map(
          (name) => said[name]!,
        );
        const area = device.sensor.attributes.capacity_m3! / (level! / fill!);
        const expected = before + ((inflow! - outflow!) * 600) / 1000 / area;
        if (fill! < 0.05 || fill! > 1 || Math.abs(level! - expected) > 1e-6) wrong.push(device.sensor.id);
        before = level!;
      }
    }
    expect(wrong).toEqual([]);
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
    const shares = devices({ kind: "cold-store" }).map((device) => {
      const [lowest, highest] = device.sensor.attributes.limits!["cold_storage.temp"]!;
      const temps = [...life(device, { from: `${sunday}T00:00`, hours: 72 })].map(
        ({ said }) => said["temp"]!,
      );
      return temps.filter((temp) => temp >= lowest! && temp <= highest!).length / temps.length;
    });
    expect(Math.min(...shares)).toBeGreaterThan(0.97);
  });

  test("in stock is what came in less what went out, and lasts months", () => {
    const months = devices({ kind: "food-stock" }).map((device) => {
      const days = life(device, { from: "2026-01-01T00:00", hours: 24 * 120, step_min: 30 });
      const said = [...days].map((each) => each.said);
      const [first, last] = [said[0]!, said.at(-1)!];
      const change = (field: string): number => last[field]! - first[field]!;
      const taken =
        change("intake_local_total") + change("intake_import_total") + change("transfer_in_total");
      expect(change("stock")).toBeCloseTo(taken - change("dispatch_total"), 4);
      return last["stock"]! / (change("dispatch_total") / (120 / 30.44));
    });
    expect(Math.min(...months)).toBeGreaterThan(1.5);
    expect(Math.max(...months)).toBeLessThan(9);
  });
});

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
