import type { RowPiece } from "#store/results.ts";

/** One series' rows, by time. */
export interface SeriesRows {
  readonly series: number;
  readonly time: Float64Array;
  /** By the wanted fields; NaN: absent. */
  readonly values: readonly Float64Array[];
}

/**
 * Rows in pieces -> series by series: no more than one series and one piece are held.
 * @param fields  Wanted of each row, in this order; a piece may have fewer, and others.
 */
export async function* seriesOf(
  pieces: AsyncIterable<RowPiece>,
  fields: readonly string[],
): AsyncGenerator<SeriesRows, void, undefined> {
  const held = new HeldRows(fields.length);
  for await (const piece of pieces) {
    const { series, time } = piece;
    let absent: Float64Array | undefined;
    const columns = fields.map(
      (name) =>
        piece.fields.find((field) => field.name === name)?.values ??
        (absent ??= new Float64Array(time.length).fill(NaN)),
    );
    let begin = 0;
    while (begin < series.length) {
      const number = series[begin]!;
      let end = begin + 1;
      while (end < series.length && series[end] === number) end += 1;
      if (held.size > 0 && held.series !== number) yield held.take();
      if (held.size === 0 && end < series.length) {
        yield {
          series: number,
          time: time.subarray(begin, end),
          values: columns.map((column) => column.subarray(begin, end)),
        };
      } else {
        // It may go on in the next piece, or began in the one before.
        held.series = number;
        held.add(time, columns, begin, end);
      }
      begin = end;
    }
  }
  if (held.size > 0) yield held.take();
}

class HeldRows {
  series = 0;
  size = 0;
  #time: Float64Array = new Float64Array(256);
  readonly #values: Float64Array[];

  constructor(fields: number) {
    this.#values = Array.from({ length: fields }, () => new Float64Array(256));
  }

  add(time: Float64Array, columns: readonly (Float64Array | undefined)[], begin: number, end: number): void {
    const wanted = this.size + end - begin;
    if (wanted > this.#time.length) {
      const capacity = Math.max(wanted, 2 * this.#time.length);
      this.#time = longer(this.#time, capacity);
      for (const [at, column] of this.#values.entries()) this.#values[at] = longer(column, capacity);
    }
    this.#time.set(time.subarray(begin, end), this.size);
    for (const [at, column] of this.#values.entries())
      column.set(columns[at]!.subarray(begin, end), this.size);
    this.size = wanted;
  }

  /** Good until the next row is added. */
  take(): SeriesRows {
    const { series, size } = this;
    this.size = 0;
    return {
      series,
      time: this.#time.subarray(0, size),
      values: this.#values.map((column) => column.subarray(0, size)),
    };
  }
}

function longer(column: Float64Array, capacity: number): Float64Array {
  const made = new Float64Array(capacity);
  made.set(column);
  return made;
}
