/** Milliseconds. */
export interface BackOff {
  readonly min: number;
  readonly max: number;
}

/**
 * How long to wait after the `failures`-th failed attempt in a row (from 1): exponential with full jitter, so that a thousand
 * gateways do not return to a restarted platform in step (Brooker, "Exponential backoff and jitter", AWS 2015).
 * @param random  In [0, 1).
 */
export function backOffDelay(failures: number, { min, max }: BackOff, random: number): number {
  return random * Math.min(max, min * 2 ** (failures - 1));
}

/** The wait after refused credentials: long, as only a person can mend them. */
export function refusedDelay({ max }: BackOff, random: number): number {
  return max * (0.5 + random / 2);
}
