import { FieldReading, maxFields, spelling } from "./field-scanner.ts";
import type { FieldKind } from "./rule.ts";

/** How a rule averages its fields, by slot. */
export interface AverageFields {
  /** undefined: nobody said, so the reading cannot be averaged. */
  readonly kinds: readonly (FieldKind | undefined)[];
  /** Slot of the amount that a mean is weighted by; -1: every reading counts alike. */
  readonly weights: Int8Array;
}

/** What became of a reading. */
export const outcome = {
  /** It is part of a window; nothing is to be sent. */
  taken: 0,
  /** It is part of a window, and `average` is to be sent. */
  average: 1,
  /** It is no part of any window: to be sent as it is. */
  apart: 2,
  /** It came too late for its window, and stands where the window's average does: `average` is to be sent in its place. */
  moved: 3,
} as const;
export type Outcome = (typeof outcome)[keyof typeof outcome];

/**
 * Averages one series over windows of event time. A window is what happened after its begin and up to its end, both whole multiples of its
 * length since 1970 in UTC, as a sensor's own reading tells of the time before it; its average has the time of its end.
 *
 * A window is sent when a reading of a later one comes, or by `flush`. One more reading for it, or for the window before the newest, sends
 * it again, corrected: the same series and time, so the platform merges it. What is later still goes alone. Sums of deltas are so
 * conserved whatever the order of arrival.
 */
export class WindowAverage {
  /** What is to be sent. */
  readonly average = new FieldReading();

  readonly #fields: AverageFields;
  readonly #length: number;
  #current = new Window();
  #former = new Window();

  /** @param length  Milliseconds. */
  constructor(fields: AverageFields, length: number) {
    this.#fields = fields;
    this.#length = length;
  }

  add(reading: FieldReading): Outcome {
    const { kinds } = this.#fields;
    for (let i = 0; i < reading.count; i += 1)
      if (kinds[reading.slots[i]!] === undefined) return outcome.apart;
    const end = Math.ceil(reading.time / this.#length) * this.#length;
    if (end > this.#current.end) {
      const closed = this.#current;
      this.#current = this.#former;
      this.#former = closed;
      this.#current.begin(end);
      this.#current.add(reading, this.#fields);
      return this.#send(closed, closed.end) ? outcome.average : outcome.taken;
    }
    const window = end === this.#current.end ? this.#current : this.#former;
    // The first reading of the window before the newest may itself be late.
    if (end > window.end && end === this.#current.end - this.#length) window.beginSent(end);
    if (end !== window.end) return this.#apart(reading, end);
    const isCorrection = window.sent;
    window.add(reading, this.#fields);
    return isCorrection && this.#send(window, window.end) ? outcome.average : outcome.taken;
  }

  /** End of the window that is open and not sent, in milliseconds since 1970. */
  get openUntil(): number | undefined {
    return this.#current.readings > 0 && !this.#current.sent ? this.#current.end : undefined;
  }

  /**
   * Sends the open window, if there is one: the sensor has said no more for some time.
   * @param partial  It may go on elsewhere (after a restart): its average has the time of its last reading, so that it will not be merged
   *   with what comes then.
   */
  flush(partial: boolean): boolean {
    const window = this.#current;
    if (this.openUntil === undefined) return false;
    return this.#send(window, partial ? window.latest : window.end);
  }

  #apart(reading: FieldReading, end: number): Outcome {
    if (reading.time !== end) return outcome.apart;
    this.average.copy(reading);
    this.average.time -= 1;
    return outcome.moved;
  }

  #send(window: Window, time: number): boolean {
    if (window.readings === 0 || (window.sent && !window.changed)) return false;
    window.sent = true;
    window.changed = false;
    window.write(this.average, this.#fields);
    this.average.time = time;
    return true;
  }
}

/** The sums of one window; used again and again. */
class Window {
  /** Milliseconds since 1970, inclusive. */
  end = -Infinity;
  readings = 0;
  sent = false;
  /** Readings came since it was sent. */
  changed = false;
  latest = -Infinity;
  /** By slot. */
  readonly #counts = new Uint32Array(maxFields);
  readonly #sums = new Float64Array(maxFields);
  readonly #weighted = new Float64Array(maxFields);
  readonly #weights = new Float64Array(maxFields);
  readonly #last = new Float64Array(maxFields);
  readonly #lastTimes = new Float64Array(maxFields);
  readonly #spellings = new Uint8Array(maxFields);

  begin(end: number): void {
    this.end = end;
    this.readings = 0;
    this.sent = false;
    this.changed = false;
    this.latest = -Infinity;
    this.#counts.fill(0);
    this.#sums.fill(0);
    this.#weighted.fill(0);
    this.#weights.fill(0);
    this.#lastTimes.fill(-Infinity);
  }

  /** Every reading of it is a correction from the first on. */
  beginSent(end: number): void {
    this.begin(end);
    this.sent = true;
  }

  add(reading: FieldReading, { weights }: AverageFields): void {
    this.readings += 1;
    this.changed = true;
    this.latest = Math.max(this.latest, reading.time);
    for (let i = 0; i < reading.count; i += 1) {
      const slot = reading.slots[i]!;
      const value = reading.values[i]!;
      const weight = weights[slot] === -1 ? 1 : valueOf(reading, weights[slot]!);
      this.#counts[slot]! += 1;
      this.#sums[slot]! += value;
      this.#weighted[slot]! += weight * value;
      this.#weights[slot]! += weight;
      if (reading.time >= this.#lastTimes[slot]!) {
        this.#lastTimes[slot] = reading.time;
        this.#last[slot] = value;
      }
      this.#spellings[slot] = reading.spellings[i]!;
    }
  }

  write(into: FieldReading, { kinds }: AverageFields): void {
    into.count = 0;
    for (let slot = 0; slot < kinds.length; slot += 1) {
      const count = this.#counts[slot]!;
      if (count === 0) continue;
      const spelled = this.#spellings[slot]!;
      const value = spelled === spelling.boolean ? this.#last[slot]! : this.#value(slot, kinds[slot]!, count);
      into.add(slot, spelled === spelling.integer ? Math.round(value) : value, spelled);
    }
  }

  #value(slot: number, kind: FieldKind, count: number): number {
    if (kind === "counter" || kind === "state") return this.#last[slot]!;
    if (kind === "delta") return Number(this.#sums[slot]!.toPrecision(15));
    const weight = this.#weights[slot]!;
    const mean = weight > 0 ? this.#weighted[slot]! / weight : this.#sums[slot]! / count;
    return Number(mean.toPrecision(12)); // beyond any sensor, and short on the wire
  }
}

/** The value of `slot` in a reading; 0 where it has none. */
function valueOf(reading: FieldReading, slot: number): number {
  for (let i = 0; i < reading.count; i += 1) if (reading.slots[i] === slot) return reading.values[i]!;
  return 0;
}
