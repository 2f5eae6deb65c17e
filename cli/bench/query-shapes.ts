import type { QueryCity } from "./query-city.ts";

export interface BenchQuery {
  readonly name: string;
  readonly q: string;
}

const hour_ms = 3_600_000;

/** What analysts and the editor ask beside the dashboards: raw readings, the newest of each sensor, whole days. */
export function benchQueries({ from, to }: Pick<QueryCity, "from" | "to">): BenchQuery[] {
  const last = (ms: number): string => `time >= ${Math.max(from, to - ms)}ms AND time < ${to}ms`;
  return [
    {
      name: "raw: one sensor, 6 h",
      q: `SELECT "flow", "pressure" FROM "water_flow" WHERE "sensor" = 'water_flow-7' AND ${last(6 * hour_ms)}`,
    },
    {
      name: "raw: mean of a municipality by 5 m, 6 h",
      q: `SELECT mean("speed_avg") FROM "traffic_flow" WHERE "municipality" = 'QA-DA' AND ${last(6 * hour_ms)} GROUP BY time(5m), "district" fill(null)`,
    },
    {
      name: "raw: sum of all by 1 h, 7 d",
      q: `SELECT sum("vehicles") FROM "traffic_flow" WHERE ${last(168 * hour_ms)} GROUP BY time(1h)`,
    },
    {
      name: "raw: 95th percentile of each sensor, 24 h",
      q: `SELECT percentile("power", 95) FROM "energy_meter" WHERE ${last(24 * hour_ms)} GROUP BY "sensor"`,
    },
    {
      name: "raw: newest of each sensor",
      q: `SELECT last("temp") FROM "cold_storage" WHERE ${last(24 * hour_ms)} GROUP BY "sensor"`,
    },
    {
      name: "raw: flow of a counter by 1 h, 7 d",
      q: `SELECT non_negative_derivative(last("volume_total"), 1s) FROM "water_flow" WHERE ${last(168 * hour_ms)} GROUP BY time(1h), "sensor"`,
    },
    { name: "editor: measurements", q: "SHOW MEASUREMENTS" },
    {
      name: "editor: districts of a municipality",
      q: `SHOW TAG VALUES FROM "water_flow" WITH KEY = "district" WHERE "municipality" = 'QA-DA'`,
    },
  ];
}
