import type { CityDay, DayKind } from "./calendar.ts";
import { curves, type Curve } from "./day-curves.ts";
import type { Moment } from "./moment.ts";

/** What follows the hour of the day and the kind of day. */
export type Shape = 0 | 1 | 2 | 3;

/** Share of a road's peak demand. */
export const trafficShape: Shape = 0;
/** Household water relative to the day's mean. */
export const waterShape: Shape = 1;
/** Electricity for all but cooling, relative to its mean. */
export const powerShape: Shape = 2;
/** How busy warehouses and cold stores are, share of full hands. */
export const workShape: Shape = 3;

/** One day's shapes, by `Shape`: values at each quarter of an hour from 00:00 to 24:00, dimensionless. */
export type DayShapes = readonly Float64Array[];

const quarters = 96;

/** The shapes of a day; at its end they reach where the next day begins. */
export function shapesOf(day: CityDay, next: CityDay): DayShapes {
  return [curves.traffic, curves.water, curves.power, curves.work].map((curve) => {
    const hours = hoursOf(curve, day);
    const last = hoursOf(curve, next)[0]!;
    return Float64Array.from({ length: quarters + 1 }, (_, quarter) => {
      const at = quarter / 4;
      const hour = Math.floor(at);
      const from = hours[hour] ?? last;
      const value = from + ((hours[hour + 1] ?? last) - from) * (at - hour);
      return day.ramadan ? value * aroundIftar(curve, at - day.sunset_h) : value;
    });
  });
}

/** The shape's value at a moment, `shift_h` (at most 24 h) later than in the city at large; linear between quarters of an hour. */
export function shapeAt(shape: Shape, moment: Moment, shift_h: number): number {
  let at = moment.hour - shift_h;
  let days = moment.today;
  if (at < 0) {
    at += 24;
    days = moment.yesterday;
  } else if (at >= 24) {
    at -= 24;
    days = moment.tomorrow;
  }
  const values = days[shape]!;
  const quarter = Math.floor(at * 4);
  const from = values[quarter]!;
  return from + (values[quarter + 1]! - from) * (at * 4 - quarter);
}

/** A shape's mean over an ordinary week. */
export function weekMean(curve: Curve): number {
  const days: DayKind[] = ["workday", "workday", "workday", "workday", "workday", "friday", "saturday"];
  const hours = days.flatMap((kind) => curve.ordinary[kind]);
  return hours.reduce((sum, value) => sum + value, 0) / hours.length;
}

function hoursOf(curve: Curve, day: CityDay): readonly number[] {
  return day.ramadan && day.kind !== "eid" ? curve.ramadan[day.kind] : curve.ordinary[day.kind];
}

/** Everyone drives home before the sun sets, and nobody is on the road when it has. `late_h` is the time since sunset, h. */
function aroundIftar({ iftar }: Curve, late_h: number): number {
  return (1 + iftar.before * bell((late_h + 1.2) / 0.6)) * (1 - iftar.at * bell((late_h - 0.3) / 0.5));
}

function bell(x: number): number {
  return Math.exp(-x * x);
}
