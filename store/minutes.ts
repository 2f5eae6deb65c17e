const minute_ms = 60_000;
const hour_ms = 3_600_000;
/** Minutes in each of the two numbers of an hour: as many as a number has bits without a sign, or fewer. */
const half = 30;

/** Minutes of one hour. */
export interface HourMinutes {
  /** Its beginning, ms since 1970, UTC. */
  readonly hour: number;
  /** Minutes 0 to 29 and 30 to 59, a bit each. */
  readonly low: number;
  readonly high: number;
}

export const wholeHour = { low: 2 ** half - 1, high: 2 ** half - 1 };

/** Minutes of UTC hours, in 60 bits an hour. */
export class Minutes {
  readonly #hours = new Map<number, { hour: number; low: number; high: number }>();
  // Where the time met last was: most come in the minute of the one before, nearly all others in its hour.
  #minuteBegins = Number.NaN;
  #minuteEnds = Number.NaN;
  #hour = { hour: Number.NaN, low: 0, high: 0 };

  /** Adds the minutes of those times, ms since 1970, whose `isNew` is 1: 3 ns a time, 15 where each is in another minute. */
  addNew(time: Float64Array, isNew: Uint8Array, rows: number): void {
    let [begins, ends] = [this.#minuteBegins, this.#minuteEnds];
    for (let row = 0; row < rows; row++) {
      const at = time[row]!;
      if ((at >= begins && at < ends) || isNew[row] !== 1) continue;
      this.add(at);
      begins = this.#minuteBegins;
      ends = this.#minuteEnds;
    }
  }

  add(time: number): void {
    if (time >= this.#minuteBegins && time < this.#minuteEnds) return;
    this.#minuteBegins = Math.floor(time / minute_ms) * minute_ms;
    this.#minuteEnds = this.#minuteBegins + minute_ms;
    if (!(time >= this.#hour.hour && time < this.#hour.hour + hour_ms))
      this.#hour = this.#at(Math.floor(time / hour_ms) * hour_ms);
    const minute = (this.#minuteBegins - this.#hour.hour) / minute_ms;
    if (minute < half) this.#hour.low |= 1 << minute;
    else this.#hour.high |= 1 << (minute - half);
  }

  put({ hour, low, high }: HourMinutes): void {
    const known = this.#at(hour);
    known.low |= low;
    known.high |= high;
  }

  #at(hour: number): { hour: number; low: number; high: number } {
    let known = this.#hours.get(hour);
    if (known === undefined) this.#hours.set(hour, (known = { hour, low: 0, high: 0 }));
    return known;
  }

  /** Those that are not in `known`, by hour. */
  *without(known: Minutes): Generator<HourMinutes> {
    for (const { hour, low, high } of this.#hours.values()) {
      const before = known.#hours.get(hour);
      const left = { hour, low: low & ~(before?.low ?? 0), high: high & ~(before?.high ?? 0) };
      if (left.low !== 0 || left.high !== 0) yield left;
    }
  }
}

/** Which minutes of which measurements got rows. */
export class MeasurementMinutes {
  readonly #byMeasurement = new Map<string, Minutes>();

  of(measurement: string): Minutes {
    let minutes = this.#byMeasurement.get(measurement);
    if (minutes === undefined) this.#byMeasurement.set(measurement, (minutes = new Minutes()));
    return minutes;
  }

  /** Those that are not in `known`. */
  *without(known: MeasurementMinutes): Generator<HourMinutes & { readonly measurement: string }> {
    for (const [measurement, minutes] of this.#byMeasurement) {
      for (const hour of minutes.without(known.of(measurement))) yield { measurement, ...hour };
    }
  }
}

/** 60 of them, 1: it is among them. Written into `into`. */
export function spread({ low, high }: Pick<HourMinutes, "low" | "high">, into: Uint8Array): Uint8Array {
  for (let minute = 0; minute < half; minute++) {
    into[minute] = (low >> minute) & 1;
    into[half + minute] = (high >> minute) & 1;
  }
  return into;
}

/** The other way round. */
export function gathered(minutes: Uint8Array): Pick<HourMinutes, "low" | "high"> {
  let [low, high] = [0, 0];
  for (let minute = 0; minute < half; minute++) {
    if (minutes[minute] === 1) low |= 1 << minute;
    if (minutes[half + minute] === 1) high |= 1 << minute;
  }
  return { low, high };
}
