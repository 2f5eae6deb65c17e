import { DeadBand, verdict } from "./dead-band.ts";
import { type FieldReading, maxFields } from "./field-scanner.ts";
import { type LineOutput, formatReading } from "./line-output.ts";
import type { RuleFields } from "./rule-fields.ts";
import { WindowAverage, outcome } from "./window-average.ts";

/** Readings, since the filters began. What was taken away is no loss: it is what the configuration asks for. */
export interface FilterCounts {
  /** Left out: said nothing new. */
  duplicates: number;
  /** Left out: within their dead-bands. */
  withinBand: number;
  /** Gone into averages. */
  averaged: number;
  /** Averages made of them, corrected ones again. */
  averages: number;
}

/** Milliseconds without a reading after the end of a window before it is sent: what was on its way has come. */
const windowGrace = 2000;

/** All filters of one series, in their order: duplicates, average, dead-band. */
export class SeriesFilter {
  readonly #key: string;
  readonly #fields: RuleFields;
  readonly #counts: FilterCounts;
  readonly #last: LastReading | undefined;
  readonly #window: WindowAverage | undefined;
  readonly #band: DeadBand | undefined;
  readonly #maxSilence: number;
  /** The line of the dead-band's held reading. */
  #heldLine: Buffer = nothing;
  #heldLength = 0;
  /** Milliseconds since 1970. */
  #lastArrival = 0;

  /** @param key  `measurement,sensor=id` */
  constructor(key: string, fields: RuleFields, counts: FilterCounts) {
    this.#key = key;
    this.#fields = fields;
    this.#counts = counts;
    const { duplicates, average, dead_band: band, max_silence_s: silence = 0 } = fields.rule;
    this.#maxSilence = silence * 1000;
    if (duplicates) this.#last = new LastReading();
    if (average) this.#window = new WindowAverage(fields.averages, average.window_s * 1000);
    if (band) this.#band = new DeadBand(fields.bands, this.#maxSilence);
  }

  get fields(): RuleFields {
    return this.#fields;
  }

  /**
   * Takes a reading whose line is `bytes[start, end)`.
   * @returns whether the line goes as it stands, behind what was added to `out`.
   */
  take(
    reading: FieldReading,
    bytes: Buffer,
    start: number,
    end: number,
    arrival: number,
    out: LineOutput,
  ): boolean {
    this.#lastArrival = arrival;
    if (this.#last?.repeats(reading) === true) {
      this.#counts.duplicates += 1;
      return false;
    }
    if (this.#window === undefined) return this.#report(reading, bytes, start, end, out);
    const taken = this.#window.add(reading);
    if (taken === outcome.apart) return true;
    this.#counts.averaged += 1;
    if (taken === outcome.moved) this.#add(this.#window.average, out);
    else if (taken === outcome.average) this.#reportAverage(out);
    return false;
  }

  /** Sends what has waited long enough: a window whose sensor says no more, the last reading of one that fell silent. */
  tick(now: number, out: LineOutput): void {
    const window = this.#window;
    const end = window?.openUntil;
    if (
      end !== undefined &&
      now > Math.max(end, this.#lastArrival) + windowGrace &&
      window?.flush(false) === true
    )
      this.#reportAverage(out);
    if (this.#band?.hasHeld === true && now > this.#lastArrival + this.#maxSilence) this.#release(out);
  }

  /** Sends all that is held, at the end. */
  flush(out: LineOutput): void {
    if (this.#window?.flush(true) === true) this.#reportAverage(out);
    if (this.#band?.hasHeld === true) this.#release(out);
  }

  #reportAverage(out: LineOutput): void {
    const { average } = this.#window!;
    if (this.#band === undefined) return this.#add(average, out);
    this.#counts.averages += 1;
    const line = Buffer.from(formatReading(this.#key, average, this.#fields.layout), "latin1");
    if (this.#report(average, line, 0, line.length, out)) out.add(line, 0, line.length);
  }

  #add(average: FieldReading, out: LineOutput): void {
    this.#counts.averages += 1;
    out.addText(formatReading(this.#key, average, this.#fields.layout));
  }

  /** The dead-band's turn. */
  #report(reading: FieldReading, bytes: Buffer, start: number, end: number, out: LineOutput): boolean {
    const band = this.#band;
    if (band === undefined) return true;
    const hadHeld = band.hasHeld;
    const judged = band.judge(reading);
    if (judged === verdict.sendBoth || judged === verdict.sendHeld)
      out.add(this.#heldLine, 0, this.#heldLength);
    else if (hadHeld) this.#counts.withinBand += 1; // a later one took its place, or ends the silence
    if (judged === verdict.send || judged === verdict.sendBoth) return true;
    this.#keep(bytes, start, end);
    return false;
  }

  #keep(bytes: Buffer, start: number, end: number): void {
    const length = end - start;
    if (this.#heldLine.length < length) this.#heldLine = Buffer.allocUnsafeSlow(length + 16);
    bytes.copy(this.#heldLine, 0, start, end);
    this.#heldLength = length;
  }

  #release(out: LineOutput): void {
    this.#band!.release();
    out.add(this.#heldLine, 0, this.#heldLength);
  }
}

const nothing = Buffer.alloc(0);

/** What a series has said of its newest time. */
class LastReading {
  #time = Number.NaN;
  /** By slot; NaN: not said. */
  readonly #values = new Float64Array(maxFields);

  /** Is all of it known? Remembers it. */
  repeats({ time, count, slots, values }: FieldReading): boolean {
    if (time !== this.#time) {
      this.#time = time;
      this.#values.fill(Number.NaN);
    }
    let isKnown = true;
    for (let i = 0; i < count; i += 1) {
      const slot = slots[i]!;
      if (this.#values[slot] === values[i]) continue;
      this.#values[slot] = values[i]!;
      isKnown = false;
    }
    return isKnown;
  }
}
