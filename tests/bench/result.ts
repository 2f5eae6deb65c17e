/** What a benchmark prints on stdout with `--json`: one document, nothing else; progress goes to stderr. */
export interface BenchDocument {
  readonly rows: readonly BenchRow[];
}

/** A line of docs/benchmarks.md. */
export interface BenchRow {
  /** Stays the same from version to version: by it the page finds what got worse. */
  readonly id: string;
  /** The path measured: `100 readings a message into DuckDB`. */
  readonly title: string;
  /** At least one. */
  readonly figures: readonly BenchFigure[];
  /** What a reader must know to trust the figures: load, size, what is counted. */
  readonly note?: string;
}

export interface BenchFigure {
  /** `readings/s`, `platform`, `platform / bare DuckDB`. */
  readonly name: string;
  /** `CPU-s per million`, `ms`, `bytes`; empty for a ratio. */
  readonly unit: string;
  /** One value a round, in their order. */
  readonly values: readonly number[];
  readonly better: "higher" | "lower";
  /** Undefined: shown for comparison only. */
  readonly aim?: { readonly atMost: number } | { readonly atLeast: number };
}

/** The middle value; of an even number the upper of the two. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

export function isMet({ aim, values }: BenchFigure): boolean {
  if (aim === undefined) return true;
  return "atMost" in aim ? median(values) <= aim.atMost : median(values) >= aim.atLeast;
}
