import type { Moment } from "./moment.ts";

/** 168 hourly values from Sunday 00:00 on, dimensionless. */
export type WeekShape = Float64Array;

/** A week as a Gulf city lives it: Sunday to Thursday work, Friday prayer, Saturday. 24 values each, from midnight. */
function week(day: {
  workday: readonly number[];
  friday: readonly number[];
  saturday: readonly number[];
}): WeekShape {
  const { workday, friday, saturday } = day;
  return Float64Array.from([workday, workday, workday, workday, workday, friday, saturday].flat());
}

/** The shape's value at a moment, `shift_h` hours later than in the city at large; linear between hours. */
export function shapeAt(shape: WeekShape, moment: Moment, shift_h: number): number {
  const at = (moment.weekHour - shift_h + 168) % 168;
  const hour = Math.floor(at);
  const from = shape[hour]!;
  const to = shape[hour === 167 ? 0 : hour + 1]!;
  return from + (to - from) * (at - hour);
}

/** Share of a road's peak demand. Rush before 7, after 13 and in the evening; on Friday nothing before the noon prayer, and a late night. */
export const trafficShape = week({
  workday: [
    0.16, 0.1, 0.07, 0.06, 0.1, 0.32, 0.82, 1.0, 0.82, 0.62, 0.6, 0.66, 0.76, 0.88, 0.92, 0.8, 0.84, 0.97,
    0.96, 0.84, 0.7, 0.58, 0.44, 0.28,
  ],
  friday: [
    0.3, 0.2, 0.12, 0.08, 0.06, 0.07, 0.1, 0.14, 0.2, 0.27, 0.36, 0.38, 0.14, 0.34, 0.46, 0.52, 0.62, 0.74,
    0.82, 0.86, 0.84, 0.74, 0.6, 0.44,
  ],
  saturday: [
    0.3, 0.2, 0.12, 0.08, 0.07, 0.1, 0.18, 0.28, 0.38, 0.48, 0.56, 0.6, 0.6, 0.58, 0.58, 0.62, 0.7, 0.78,
    0.82, 0.8, 0.74, 0.62, 0.46, 0.28,
  ],
});

/** Household water relative to the day's mean; between 2 and 4 little runs but leaks. */
export const waterShape = week({
  workday: [
    0.6, 0.42, 0.34, 0.36, 0.7, 1.25, 1.45, 1.2, 1.02, 1.0, 1.02, 1.06, 1.12, 1.14, 1.06, 1.0, 1.02, 1.1,
    1.22, 1.3, 1.28, 1.16, 0.98, 0.78,
  ],
  friday: [
    0.74, 0.52, 0.38, 0.38, 0.62, 0.72, 0.7, 0.78, 0.98, 1.3, 1.62, 1.5, 0.72, 1.3, 1.22, 1.08, 1.08, 1.16,
    1.26, 1.32, 1.3, 1.2, 1.06, 0.88,
  ],
  saturday: [
    0.74, 0.52, 0.38, 0.38, 0.62, 0.8, 0.88, 1.0, 1.2, 1.36, 1.34, 1.24, 1.18, 1.16, 1.08, 1.04, 1.04, 1.12,
    1.22, 1.3, 1.26, 1.14, 0.98, 0.76,
  ],
});

/** Electricity for all but cooling, relative to its mean. */
export const powerShape = week({
  workday: [
    0.78, 0.72, 0.68, 0.67, 0.7, 0.78, 0.92, 1.04, 1.1, 1.12, 1.14, 1.16, 1.18, 1.16, 1.12, 1.08, 1.06, 1.1,
    1.18, 1.2, 1.16, 1.08, 0.98, 0.88,
  ],
  friday: [
    0.82, 0.76, 0.7, 0.68, 0.68, 0.68, 0.7, 0.76, 0.82, 0.9, 0.96, 0.94, 0.84, 0.94, 0.98, 0.98, 1.0, 1.06,
    1.16, 1.2, 1.18, 1.12, 1.02, 0.92,
  ],
  saturday: [
    0.82, 0.76, 0.7, 0.68, 0.68, 0.7, 0.76, 0.84, 0.92, 0.98, 1.02, 1.04, 1.04, 1.02, 1.0, 1.0, 1.02, 1.08,
    1.16, 1.2, 1.16, 1.1, 1.0, 0.9,
  ],
});

/** How busy warehouses and cold stores are, share of full hands. */
export const workShape = week({
  workday: [
    0.05, 0.05, 0.06, 0.12, 0.3, 0.6, 0.9, 1, 1, 0.96, 0.9, 0.8, 0.6, 0.7, 0.84, 0.84, 0.7, 0.5, 0.36, 0.26,
    0.2, 0.14, 0.08, 0.05,
  ],
  friday: [
    0.04, 0.04, 0.04, 0.05, 0.08, 0.1, 0.12, 0.14, 0.16, 0.16, 0.12, 0.05, 0.02, 0.1, 0.3, 0.44, 0.48, 0.44,
    0.36, 0.28, 0.2, 0.12, 0.06, 0.04,
  ],
  saturday: [
    0.04, 0.04, 0.05, 0.1, 0.22, 0.4, 0.6, 0.72, 0.76, 0.74, 0.7, 0.62, 0.5, 0.52, 0.6, 0.6, 0.52, 0.4, 0.3,
    0.24, 0.18, 0.12, 0.06, 0.04,
  ],
});
