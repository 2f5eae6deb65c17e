/** One round trip: a status left at `sent`, and its answer came at `arrived`. */
export interface RoundTrip {
  /** Both of the steady clock (`performance.now()`), which nobody sets. */
  readonly sent: number;
  readonly arrived: number;
  /** By the platform's clock: when the status came, and when the answer left. */
  readonly platformReceived: number;
  readonly platformSent: number;
}

/** The difference between two clocks, in milliseconds. */
export interface Skew {
  /** The gateway's clock minus the platform's: positive when it is ahead. */
  readonly skew: number;
  /** The truth is within so much of it: half of the way that was left for delays. */
  readonly error: number;
}

interface Sample {
  /** The platform's clock minus the steady clock. */
  readonly offset: number;
  readonly roundTrip: number;
  readonly at: number;
}

/** Milliseconds after which a sample no longer counts: steady clocks drift by some 50 us a second. */
const maxAge = 900_000;
const maxSamples = 16;
/** Milliseconds a millisecond by which a steady clock may be wrong, beyond any quartz. */
const drift = 2e-4;

/**
 * What time it is on the platform, from round trips as in NTP (RFC 5905): the offset that one shows is wrong by at most half of its time
 * on the way, so the quickest of the last quarter of an hour is believed. Offsets are to the steady clock; a gateway's clock that is set
 * while the agent runs shows at once, and never spoils a sample. Pure.
 */
export class PlatformClock {
  #samples: Sample[] = [];

  add({ sent, arrived, platformReceived, platformSent }: RoundTrip): void {
    const roundTrip = arrived - sent - (platformSent - platformReceived);
    // The platform's clock was set between the two, or one of the times is no time of ours.
    if (!(roundTrip >= -1) || !(arrived >= sent)) return;
    const offset = (platformReceived - sent + (platformSent - arrived)) / 2;
    const sample = { offset, roundTrip: Math.max(0, roundTrip), at: arrived };
    const agrees = (other: Sample): boolean =>
      Math.abs(other.offset - offset) <= errorOf(other, arrived) + errorOf(sample, arrived);
    // What cannot be true together with the newest was true before a clock was set, or the machine slept.
    this.#samples = this.#samples.filter((other) => arrived - other.at < maxAge && agrees(other));
    this.#samples.push(sample);
    if (this.#samples.length > maxSamples) this.#samples.shift();
  }

  /**
   * @param clock  The gateway's clock, and `steady` the steady one, at one moment.
   * @returns undefined while nothing is known, or not lately.
   */
  skew(clock: number, steady: number): Skew | undefined {
    let best: Sample | undefined;
    for (const sample of this.#samples) {
      if (steady - sample.at >= maxAge) continue;
      if (best === undefined || errorOf(sample, steady) < errorOf(best, steady)) best = sample;
    }
    return best && { skew: clock - steady - best.offset, error: errorOf(best, steady) };
  }
}

/** Milliseconds; one more for the clocks' resolution. */
function errorOf({ roundTrip, at }: Sample, steady: number): number {
  return roundTrip / 2 + drift * (steady - at) + 1;
}
