import type { Rollup } from "#store/query.ts";
import type { Zone } from "#telemetry/zone.ts";
import type { Grain } from "./extent.ts";
import { minute_ms } from "./minutes.ts";

const hour_ms = 60 * minute_ms;
const day_ms = 24 * hour_ms;
/** Clocks change on a quarter of an hour. */
const quarter_ms = 15 * minute_ms;

/** The windows of each roll-up in a city's zone. They lie within one another. */
export type Periods = Readonly<Record<Rollup, Grain>>;

export function periodsOf(zone: Zone): Periods {
  return { rollup_1m: minutes, rollup_1h: remembering(hoursOf(zone)), rollup_1d: remembering(daysOf(zone)) };
}

type WindowOf = (time: number) => { readonly from: number; readonly to: number };

const minutes: Grain = {
  beginOf: (time) => Math.floor(time / minute_ms) * minute_ms,
  endOf: (time) => (Math.floor(time / minute_ms) + 1) * minute_ms,
};

/** Hours of the wall clock, which are UTC's where the zone is whole hours from it. A change by less than an hour ends one. */
function hoursOf(zone: Zone): WindowOf {
  const beyondHour = (time: number): number => modulo(zone.offsetAt(time), hour_ms);
  return (time) => {
    const beyond = beyondHour(time);
    let from = time - modulo(time + beyond, hour_ms);
    let to = from + hour_ms;
    const quarter = Math.floor(time / quarter_ms) * quarter_ms;
    for (let at = quarter; at > from; at -= quarter_ms) if (beyondHour(at - 1) !== beyond) from = at;
    for (let at = quarter + quarter_ms; at < to; at += quarter_ms) if (beyondHour(at) !== beyond) to = at;
    return { from, to };
  };
}

/** Days of the wall clock, of 23 or 25 hours where it is changed. */
function daysOf(zone: Zone): WindowOf {
  const midnight = (wall: number): number => zone.instantsOf(wall)[0] ?? zone.instantOfSkipped(wall);
  return (time) => {
    const wall = Math.floor((time + zone.offsetAt(time)) / day_ms) * day_ms;
    return { from: midnight(wall), to: midnight(wall + day_ms) };
  };
}

/** Rows come in the order of time: the window before is most often the one that is asked for. */
function remembering(windowOf: WindowOf): Grain {
  let last = { from: 0, to: 0 };
  const windowAt: WindowOf = (time) =>
    time >= last.from && time < last.to ? last : (last = windowOf(time) as { from: number; to: number });
  return { beginOf: (time) => windowAt(time).from, endOf: (time) => windowAt(time).to };
}

function modulo(value: number, by: number): number {
  return ((value % by) + by) % by;
}
