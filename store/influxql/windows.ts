import type { Zone } from "#telemetry/zone.ts";
import type { Window } from "./engine.ts";
import { InfluxqlError } from "./errors.ts";
import { zoneOf } from "./zones.ts";

/**
 * Windows of `GROUP BY time`, as influxd makes them (query/iterator.go, `Window`): whole multiples of their length on the zone's clocks. Where clocks
 * change, a window is longer or shorter by the change, unless it is no longer than the change itself.
 */
export class Windows {
  readonly every: number;
  readonly #offset: number;
  readonly #zone: Zone | undefined;

  constructor(window: Window) {
    this.every = window.every_ms;
    this.#offset = window.offset_ms;
    this.#zone = window.zone === undefined ? undefined : zoneOf(window.zone);
    if (window.zone !== undefined && this.#zone === undefined)
      throw new InfluxqlError("semantic", `unable to find time zone ${window.zone}`);
  }

  startOf(time: number): number {
    if (this.#zone === undefined) return time - modulo(time - this.#offset, this.every);
    const [start] = this.#boundsIn(this.#zone, time);
    // The hour that clocks repeat has a beginning of its own, but belongs to the window before where that is longer.
    const [earlier, end] = this.#boundsIn(this.#zone, start - 1);
    return time < end ? earlier : start;
  }

  endOf(time: number): number {
    if (this.#zone === undefined) return this.startOf(time) + this.every;
    return this.#boundsIn(this.#zone, this.startOf(time))[1];
  }

  /** Ahead of UTC; 0 without a zone. */
  clockOffset(time: number): number {
    return this.#zone?.offsetAt(time) ?? 0;
  }

  #boundsIn(zone: Zone, time: number): [start: number, end: number] {
    const shifted = time - this.#offset;
    const clock = zone.offsetAt(shifted);
    const past = modulo(shifted + clock, this.every);
    let start = shifted - past;
    const startChange = clock - zone.offsetAt(start);
    if (startChange !== 0 && Math.abs(startChange) < this.every) start += startChange;
    let end = shifted + this.every - past;
    const endClock = zone.offsetAt(end);
    const endChange = clock - endClock;
    if (
      endChange !== 0 &&
      Math.abs(endChange) < this.every &&
      (endChange > 0 || zone.offsetAt(end + endChange) === endClock)
    )
      end += endChange;
    return [start + this.#offset, end + this.#offset];
  }
}

function modulo(value: number, by: number): number {
  const rest = value % by;
  return rest < 0 ? rest + by : rest;
}
