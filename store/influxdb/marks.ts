import { type HourMinutes, MeasurementMinutes, gathered, spread } from "../minutes.ts";
import { type DirtyHour, mostDirtyHours } from "../results.ts";

/** Minutes of one hour by the marks they were made with, as it is kept. */
export interface MarkedHour {
  readonly measurement: string;
  readonly hour: number;
  readonly marks: readonly (readonly [mark: number, low: number, high: number])[];
}

/**
 * Minutes in which readings were stored and that wait to be rolled up. Each time that somebody asks for them a new mark begins: what is stored afterwards is
 * marked anew, since who asked may have read its rows before.
 */
export class Marks {
  readonly #hours = new Map<string, MarkedHour>();
  /** With the mark of now. */
  #marked = new MeasurementMinutes();
  #mark = 1;

  /** What was kept. */
  load(hours: Iterable<MarkedHour>): void {
    for (const each of hours) {
      this.#hours.set(keyOf(each), each);
      for (const [mark] of each.marks) this.#mark = Math.max(this.#mark, mark + 1);
    }
  }

  /** Hours as they become with these minutes: to be kept, then `put`. */
  news(minutes: MeasurementMinutes): MarkedHour[] {
    return Array.from(minutes.without(this.#marked), ({ measurement, hour, low, high }) => {
      const before = this.#hours.get(keyOf({ measurement, hour }))?.marks ?? [];
      const now = before.find(([mark]) => mark === this.#mark) ?? [this.#mark, 0, 0];
      const rest = before.filter((each) => each !== now);
      return { measurement, hour, marks: [...rest, [this.#mark, now[1] | low, now[2] | high]] };
    });
  }

  /** They are kept. */
  put(hours: readonly MarkedHour[]): void {
    for (const each of hours) {
      if (each.marks.length === 0) {
        this.#hours.delete(keyOf(each));
        continue;
      }
      this.#hours.set(keyOf(each), each);
      for (const [mark, low, high] of each.marks)
        if (mark === this.#mark) this.#marked.of(each.measurement).put({ hour: each.hour, low, high });
    }
  }

  /** The newest hours first; a new mark begins. */
  take(): DirtyHour[] {
    this.#mark += 1;
    this.#marked = new MeasurementMinutes();
    const told = [...Map.groupBy(this.#hours.values(), ({ measurement }) => measurement).values()]
      .flatMap((hours) => hours.toSorted((a, b) => b.hour - a.hour).slice(0, mostDirtyHours))
      .toSorted((a, b) => b.hour - a.hour || (a.measurement < b.measurement ? -1 : 1));
    const minutes = new Uint8Array(60 * told.length);
    return told.map(({ measurement, hour, marks }, i) => ({
      measurement,
      hour,
      minutes: spread(
        {
          low: marks.reduce((all, [, low]) => all | low, 0),
          high: marks.reduce((all, [, , high]) => all | high, 0),
        },
        minutes.subarray(60 * i, 60 * (i + 1)),
      ),
      mark: Math.max(...marks.map(([mark]) => mark)),
    }));
  }

  /** Hours as they become without these minutes, as far as they are not marked anew: to be kept, then `put`. */
  cleaned(hours: readonly DirtyHour[]): MarkedHour[] {
    return hours.flatMap(({ measurement, hour, minutes, mark }) => {
      const known = this.#hours.get(keyOf({ measurement, hour }));
      if (known === undefined) return [];
      const gone: Pick<HourMinutes, "low" | "high"> = gathered(minutes);
      const marks = known.marks
        .map(([made, low, high]) =>
          made > mark || made >= this.#mark
            ? ([made, low, high] as const)
            : ([made, low & ~gone.low, high & ~gone.high] as const),
        )
        .filter(([, low, high]) => low !== 0 || high !== 0);
      return [{ measurement, hour, marks }];
    });
  }

  /** Hours of before `before`, without a mark: to be kept, then `put`. */
  forgotten(before: number): MarkedHour[] {
    const old = [...this.#hours.values()].filter(({ hour }) => hour + hour_ms <= before);
    if (old.length > 0) this.#marked = new MeasurementMinutes();
    return old.map(({ measurement, hour }) => ({ measurement, hour, marks: [] }));
  }
}

const hour_ms = 3_600_000;

function keyOf({ measurement, hour }: Pick<MarkedHour, "measurement" | "hour">): string {
  return `${measurement} ${hour}`;
}
