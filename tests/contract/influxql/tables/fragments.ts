/** Pieces that the tables are made of. The fields are those of `road`: vehicles (integers), speed (floats), open (booleans). */

/** Within the data's four days. */
export const within = "time >= '2026-03-27T06:00:00Z' AND time < '2026-03-30T18:00:00Z'";
/** Nothing of it. */
export const before = "time >= '2026-03-20T00:00:00Z' AND time < '2026-03-21T00:00:00Z'";
/** Berlin's clocks go forward on the 29th at 01:00 UTC … */
export const forward = "time >= '2026-03-28T00:00:00Z' AND time < '2026-03-31T00:00:00Z'";
/** … and back on 25 October at 01:00 UTC. */
export const backward = "time >= '2026-10-24T12:00:00Z' AND time < '2026-10-25T12:00:00Z'";

/** One value a window. */
export const aggregates = [
  "count(speed)",
  "count(vehicles)",
  "count(open)",
  "count(distinct(vehicles))",
  "mean(speed)",
  "mean(vehicles)",
  "median(speed)",
  "median(vehicles)",
  "mode(vehicles)",
  "mode(speed)",
  "mode(open)",
  "sum(vehicles)",
  "sum(speed)",
  "spread(speed)",
  "spread(vehicles)",
  "stddev(speed)",
  "stddev(vehicles)",
  "integral(speed)",
  "integral(vehicles, 1h)",
  "min(speed)",
  "max(speed)",
  "min(vehicles)",
  "max(vehicles)",
  "first(speed)",
  "last(speed)",
  "first(open)",
  "last(vehicles)",
  "percentile(speed, 95)",
  "percentile(vehicles, 50)",
  "percentile(speed, 25)",
];

/** Several values a window. */
export const selectors = [
  "distinct(vehicles)",
  "distinct(open)",
  "top(speed, 3)",
  "top(vehicles, 2)",
  "bottom(speed, 3)",
  "bottom(vehicles, 1)",
  "top(speed, sensor, 2)",
  "bottom(vehicles, sensor, 2)",
];

/** Of sequences: of a field itself, or of an aggregate over windows. */
export const transformations = [
  (of: string): string => `derivative(${of}, 1m)`,
  (of: string): string => `derivative(${of})`,
  (of: string): string => `non_negative_derivative(${of}, 10m)`,
  (of: string): string => `difference(${of})`,
  (of: string): string => `non_negative_difference(${of})`,
  (of: string): string => `moving_average(${of}, 3)`,
  (of: string): string => `cumulative_sum(${of})`,
  (of: string): string => `elapsed(${of}, 1m)`,
];

export const mathematics = [
  (of: string): string => `abs(${of})`,
  (of: string): string => `ceil(${of})`,
  (of: string): string => `floor(${of})`,
  (of: string): string => `round(${of})`,
  (of: string): string => `sqrt(${of})`,
  (of: string): string => `exp(${of})`,
  (of: string): string => `ln(${of})`,
  (of: string): string => `log(${of}, 3)`,
  (of: string): string => `log2(${of})`,
  (of: string): string => `log10(${of})`,
  (of: string): string => `pow(${of}, 2)`,
  (of: string): string => `sin(${of})`,
  (of: string): string => `cos(${of})`,
  (of: string): string => `tan(${of})`,
  (of: string): string => `asin(${of})`,
  (of: string): string => `acos(${of})`,
  (of: string): string => `atan(${of})`,
  (of: string): string => `atan2(${of}, 3)`,
];

export const fills = [
  "",
  "fill(null)",
  "fill(none)",
  "fill(previous)",
  "fill(linear)",
  "fill(0)",
  "fill(-1.5)",
];

/** With the times that they are asked over. */
export const groupings = [
  { where: within, groupBy: "" },
  { where: within, groupBy: "GROUP BY sensor" },
  { where: within, groupBy: "GROUP BY municipality, district" },
  { where: within, groupBy: "GROUP BY time(6h)" },
  { where: within, groupBy: "GROUP BY time(4h), municipality" },
];

/** Every one with every other. */
export function product<A, B>(
  left: readonly A[],
  right: readonly B[],
  join: (a: A, b: B) => string,
): string[] {
  return left.flatMap((a) => right.map((b) => join(a, b).replaceAll(/ {2,}/g, " ").trim()));
}
