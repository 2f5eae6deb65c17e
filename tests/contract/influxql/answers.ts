import type { Store } from "#store/port.ts";
import { databaseName, type QueryRequest } from "#store/query.ts";

export type Value = string | number | boolean | null;
export interface Series {
  readonly name?: string;
  readonly tags?: Readonly<Record<string, string>>;
  readonly columns: readonly string[];
  readonly values?: readonly (readonly Value[])[];
  readonly partial?: boolean;
}
export interface Result {
  readonly statement_id?: number;
  readonly series?: readonly Series[];
  readonly error?: string;
  readonly messages?: readonly unknown[];
}
export interface Answer {
  readonly status: number;
  readonly results?: readonly Result[];
  readonly error?: string;
}

export type Question = Pick<QueryRequest, "q"> & Partial<QueryRequest>;
export type Ask = (question: Question) => Promise<Answer>;

/** What a store answers, as text. */
export async function textOf(
  store: Store,
  question: Question,
): Promise<{ readonly status: number; readonly text: string }> {
  const defaults = { format: "json", db: databaseName, signal: AbortSignal.timeout(30_000) } as const;
  const { status, body } = await store.query({ ...defaults, ...question });
  const pieces: Uint8Array[] = [];
  for await (const piece of body) pieces.push(piece);
  return { status, text: Buffer.concat(pieces).toString() };
}

/** What a store answers to a request for JSON, read. */
export function asking(store: Store): Ask {
  return async (question) => {
    const { status, text } = await textOf(store, { epoch: "ms", ...question });
    // InfluxDB answers in plain words where it cannot make JSON of a value.
    if (!text.startsWith("{")) return { status, error: text };
    return { status, ...(JSON.parse(text) as Omit<Answer, "status">) };
  };
}

export function errorOf({ error, results }: Answer): string | undefined {
  return error ?? results?.find((result) => result.error !== undefined)?.error;
}

export function rowsOf({ results = [] }: Answer): number {
  return results
    .flatMap(({ series = [] }) => series)
    .reduce((rows, { values = [] }) => rows + values.length, 0);
}

/**
 * Of numbers. The two add in different orders: over some thousand values that moves a sum by a few thousand times 2^-52, about 1e-12 of it;
 * a wrong value among them moves it by far more than this.
 */
const tolerance = 1e-9;

/** Where the answers differ; undefined: nowhere. Two errors are equal whatever they say: the words are for people. */
export function differenceOf(expected: Answer, actual: Answer): string | undefined {
  const [theirs, ours] = [errorOf(expected), errorOf(actual)];
  if (theirs !== undefined && ours !== undefined) return undefined;
  if (theirs !== undefined) return `InfluxDB refuses (${theirs}), DuckDB answers`;
  if (ours !== undefined) return `DuckDB refuses: ${ours}`;
  return difference(inOrder(expected), inOrder(actual), "");
}

/** With rows of the same time in one order: InfluxDB gives them in that of its heaps. */
function inOrder({ results = [] }: Answer): Result[] {
  return results.map((result) =>
    result.series === undefined ? result : { ...result, series: result.series.map(ordered) },
  );
}

/** With each series once and in order: InfluxDB gives those of `integral` in pieces, as its windows come to their ends. */
export function gathered(answer: Answer): Answer {
  const { results } = answer;
  if (results === undefined) return answer;
  return {
    ...answer,
    results: results.map((result) => {
      if (result.series === undefined) return result;
      const bySeries = Map.groupBy(result.series, ({ name, tags }) => JSON.stringify([name, tags]));
      const series = [...bySeries]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([, pieces]): Series => {
          const values = pieces.flatMap((piece) => piece.values ?? []);
          return { ...pieces[0]!, values: values.sort(([a], [b]) => Number(a) - Number(b)) };
        });
      return { ...result, series };
    }),
  };
}

function ordered(series: Series): Series {
  const { columns, values } = series;
  if (values === undefined || columns[0] !== "time") return series;
  const rows = values.map((row) => ({ row, text: JSON.stringify(row) }));
  const isSameTime = (a: readonly Value[], b: readonly Value[]): boolean => a[0] === b[0];
  const sorted: (readonly Value[])[] = [];
  for (let from = 0; from < rows.length;) {
    let to = from + 1;
    while (to < rows.length && isSameTime(rows[from]!.row, rows[to]!.row)) to++;
    const same = rows.slice(from, to).sort((a, b) => (a.text < b.text ? -1 : 1));
    sorted.push(...same.map(({ row }) => row));
    from = to;
  }
  return { ...series, values: sorted };
}

function difference(expected: unknown, actual: unknown, path: string): string | undefined {
  if (typeof expected === "number" && typeof actual === "number") {
    const isClose = Math.abs(expected - actual) <= tolerance * Math.max(Math.abs(expected), Math.abs(actual));
    return isClose ? undefined : `${path}: ${expected}, not ${actual}`;
  }
  if (Array.isArray(expected) && Array.isArray(actual)) {
    if (expected.length !== actual.length)
      return `${path}: ${expected.length} of them, not ${actual.length}: ${short(expected)}, not ${short(actual)}`;
    for (const [index, item] of expected.entries()) {
      const found = difference(item, actual[index], `${path}[${index}]`);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  if (isObject(expected) && isObject(actual)) {
    for (const key of new Set([...Object.keys(expected), ...Object.keys(actual)])) {
      const found = difference(expected[key], actual[key], `${path}.${key}`);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  return expected === actual ? undefined : `${path}: ${short(expected)}, not ${short(actual)}`;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function short(value: unknown): string {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length > 160 ? `${text.slice(0, 160)}…` : text;
}
