/** Who speaks next while the city is live: each device once a period, evenly spread over it. */
export interface LiveSchedule {
  /** When the next device is due, ms since 1970. */
  readonly nextDue: number;
  /** The device that is due, by its index; moves on to the next. */
  take(): number;
}

/**
 * The due times later than `after`, in order. A device's phase is its place in line, so due times do not depend on when a
 * program was started.
 */
export function liveSchedule(devices: number, period_ms: number, after: number): LiveSchedule {
  let round = Math.floor(after / period_ms);
  // Just before the first one that is due after `after`; the loop below goes the rest.
  let index = Math.max(0, Math.ceil(((after - round * period_ms + 1) * devices) / period_ms) - 2);
  const due = (): number => round * period_ms + Math.floor((index * period_ms) / devices);
  const advance = (): void => {
    index += 1;
    if (index === devices) {
      index = 0;
      round += 1;
    }
  };
  while (due() <= after) advance();
  return {
    get nextDue() {
      return due();
    },
    take() {
      const taken = index;
      advance();
      return taken;
    },
  };
}
