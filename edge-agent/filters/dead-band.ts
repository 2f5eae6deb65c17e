import { FieldReading } from "./field-scanner.ts";

/** Bands of one rule's fields, by slot: a change up to `absolute`, or up to `share` of the value last sent, is within. */
export interface Bands {
  readonly absolute: Float64Array;
  readonly share: Float64Array;
}

/** What a dead-band does with a reading. */
export const verdict = {
  /** It goes. */
  send: 0,
  /** It is held back; what was held before is gone. */
  hold: 1,
  /** The one that was held goes, then this one. */
  sendBoth: 2,
  /** The one that was held goes, and this one is held in its place. */
  sendHeld: 3,
} as const;
export type Verdict = (typeof verdict)[keyof typeof verdict];

/**
 * Report by exception for one series. A reading goes when a field has moved beyond its band since it was last sent, or when a field's
 * silence would become longer than `maxSilence`. The newest reading that did not go is held:
 *
 * - before one that moved, the held one goes too. Otherwise a straight line from the last one sent would show a slow drift where there was a
 *   jump, and a counter that is reset would lose what it had counted since. So a reader who holds each value until the next errs by at
 *   most the band at every reading's time, and one who draws straight lines by at most two of them.
 * - when a reading comes later than the silence allows, the held one, which came in time, ends the silence instead of it.
 *
 * A reading older than the newest one seen goes as it is, and the held one with it: what it is compared with is no longer known.
 */
export class DeadBand {
  readonly held = new FieldReading();
  hasHeld = false;

  readonly #bands: Bands;
  readonly #maxSilence: number;
  /** Time of the newest reading seen. */
  #newest = -Infinity;
  /** By slot, as last sent; a time of NaN: never. */
  #values = new Float64Array(0);
  #times = new Float64Array(0);

  /** @param maxSilence  Milliseconds. */
  constructor(bands: Bands, maxSilence: number) {
    this.#bands = bands;
    this.#maxSilence = maxSilence;
  }

  judge(reading: FieldReading): Verdict {
    this.#reserve(reading);
    const { time } = reading;
    if (time < this.#newest) return this.#release() ? verdict.sendBoth : verdict.send;
    this.#newest = time;
    if (this.#hasMoved(reading)) {
      const released = this.#release();
      this.#markSent(reading);
      return released ? verdict.sendBoth : verdict.send;
    }
    const silence = this.#silence(reading);
    if (silence > this.#maxSilence && this.#release()) {
      // Compared with the held one now, which may be far enough from the one before it.
      if (this.#hasMoved(reading) || this.#silence(reading) >= this.#maxSilence) {
        this.#markSent(reading);
        return verdict.sendBoth;
      }
      this.#hold(reading);
      return verdict.sendHeld;
    }
    if (silence >= this.#maxSilence) {
      this.hasHeld = false;
      this.#markSent(reading);
      return verdict.send;
    }
    this.#hold(reading);
    return verdict.hold;
  }

  /** The held reading, if there is one, counts as sent from now on; `held` still has it. */
  release(): boolean {
    return this.#release();
  }

  #release(): boolean {
    if (!this.hasHeld) return false;
    this.hasHeld = false;
    this.#markSent(this.held);
    return true;
  }

  #hold(reading: FieldReading): void {
    this.held.copy(reading);
    this.hasHeld = true;
  }

  #hasMoved({ count, slots, values }: FieldReading): boolean {
    const { absolute, share } = this.#bands;
    for (let i = 0; i < count; i += 1) {
      const slot = slots[i]!;
      const sent = this.#values[slot]!;
      if (Number.isNaN(this.#times[slot]!)) return true;
      const band = Math.max(absolute[slot]!, share[slot]! * Math.abs(sent));
      if (Math.abs(values[i]! - sent) > band) return true;
    }
    return false;
  }

  /** Milliseconds since the field that has waited longest was sent. */
  #silence({ time, count, slots }: FieldReading): number {
    let oldest = time;
    for (let i = 0; i < count; i += 1) oldest = Math.min(oldest, this.#times[slots[i]!]!);
    return time - oldest;
  }

  #markSent({ time, count, slots, values }: FieldReading): void {
    for (let i = 0; i < count; i += 1) {
      const slot = slots[i]!;
      this.#values[slot] = values[i]!;
      this.#times[slot] = time;
    }
  }

  #reserve({ count, slots }: FieldReading): void {
    let size = this.#times.length;
    for (let i = 0; i < count; i += 1) size = Math.max(size, slots[i]! + 1);
    if (size === this.#times.length) return;
    const values = new Float64Array(size);
    const times = new Float64Array(size).fill(Number.NaN);
    values.set(this.#values);
    times.set(this.#times);
    this.#values = values;
    this.#times = times;
  }
}
