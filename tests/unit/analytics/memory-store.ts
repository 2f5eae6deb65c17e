import type { Store } from "#store/port.ts";
import type { Policy } from "#store/query.ts";
import type { DirtyHour, ResultBatch, RowPiece, RowsQuery } from "#store/results.ts";

type Fields = Record<string, number>;
const hour_ms = 3_600_000;

/** What a store promises to jobs, in memory: fields merge, the last arrival wins, minutes with new readings are dirty until they are cleaned. */
export class MemoryStore implements Pick<Store, "rows" | "dirty" | "clean" | "writeResults" | "trouble"> {
  /** Policy, measurement -> series -> time -> fields. */
  readonly #tables = new Map<string, Map<number, Map<number, Fields>>>();
  readonly #dirty = new Map<string, { measurement: string; hour: number; marks: number[] }>();
  #mark = 0;
  /** Written rows, by policy. */
  readonly written: Partial<Record<Policy, number>> = {};
  /** Rows of a piece. */
  pieceRows = 7;
  /** Called before each call that works on the store; may throw. */
  before: (call: string) => void = () => undefined;

  put(measurement: string, series: number, time: number, fields: Fields): void {
    this.#merge("autogen", measurement, series, time, fields);
    const hour = Math.floor(time / hour_ms) * hour_ms;
    const key = `${measurement} ${hour}`;
    let dirty = this.#dirty.get(key);
    if (dirty === undefined) {
      dirty = { measurement, hour, marks: Array.from({ length: 60 }, () => 0) };
      this.#dirty.set(key, dirty);
    }
    dirty.marks[Math.floor((time - hour) / 60_000)] = ++this.#mark;
  }

  /** By time. */
  table(policy: Policy, measurement: string, series: number): Map<number, Fields> {
    const rows = this.#tables.get(`${policy} ${measurement}`)?.get(series) ?? new Map<number, Fields>();
    return new Map([...rows].toSorted(([a], [b]) => a - b));
  }

  trouble(): string | undefined {
    return undefined;
  }

  async dirty(): Promise<DirtyHour[]> {
    this.before("dirty");
    return Array.from(this.#dirty.values(), ({ measurement, hour, marks }) => ({
      measurement,
      hour,
      minutes: Uint8Array.from(marks, (mark) => (mark > 0 ? 1 : 0)),
      mark: this.#mark,
    }))
      .filter(({ minutes }) => minutes.includes(1))
      .toSorted((a, b) => b.hour - a.hour);
  }

  async clean(hours: readonly DirtyHour[]): Promise<void> {
    this.before("clean");
    for (const { measurement, hour, minutes, mark } of hours) {
      const { marks } = this.#dirty.get(`${measurement} ${hour}`)!;
      for (const [at, isCleaned] of minutes.entries())
        if (isCleaned === 1 && marks[at]! <= mark) marks[at] = 0;
    }
  }

  async writeResults(batches: readonly ResultBatch[]): Promise<void> {
    this.before("writeResults");
    for (const { policy, measurement, time, series, fields } of batches) {
      this.written[policy] = (this.written[policy] ?? 0) + time.length;
      for (let at = 0; at < time.length; at += 1) {
        const row: Fields = {};
        for (const { name, type, values } of fields)
          if (type !== "string" && !Number.isNaN(values[at])) row[name] = values[at]!;
        this.#merge(policy, measurement, series[at]!, time[at]!, row);
      }
    }
  }

  async *rows({ policy, measurement, from, to, series, fields = [] }: RowsQuery): AsyncIterable<RowPiece> {
    this.before("rows");
    const tables = this.#tables.get(`${policy} ${measurement}`) ?? new Map<number, Map<number, Fields>>();
    const found = [...tables.keys()]
      .filter((number) => series === undefined || series.includes(number))
      .toSorted((a, b) => a - b)
      .flatMap((number) =>
        [...this.table(policy, measurement, number)]
          .filter(([time]) => time >= from && time < to)
          .map(([time, row]) => ({ number, time, row })),
      );
    for (let at = 0; at < found.length; at += this.pieceRows) {
      const piece = found.slice(at, at + this.pieceRows);
      yield {
        series: Uint32Array.from(piece, ({ number }) => number),
        time: Float64Array.from(piece, ({ time }) => time),
        fields: fields.map((name) => ({
          name,
          values: Float64Array.from(piece, ({ row }) => row[name] ?? NaN),
        })),
      };
    }
  }

  #merge(policy: Policy, measurement: string, series: number, time: number, fields: Fields): void {
    const key = `${policy} ${measurement}`;
    const table = this.#tables.get(key) ?? new Map<number, Map<number, Fields>>();
    this.#tables.set(key, table);
    const rows = table.get(series) ?? new Map<number, Fields>();
    table.set(series, rows);
    rows.set(time, { ...rows.get(time), ...fields });
  }
}
