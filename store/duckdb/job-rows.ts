import type { DuckDBConnection } from "@duckdb/node-api";
import type { RowPiece, RowsQuery } from "../results.ts";
import { fetchNumbers } from "./fetch-numbers.ts";
import { type Column, type Partition, sqlName } from "./partition.ts";
import type { Partitions } from "./partitions.ts";
import { integers, quoted, timestamp } from "./sql.ts";

/** Rows of a piece, about. */
const rowsOfPiece = 200_000;
const highestSeries = 0xffff_ffff;

/** Series that are a piece together; of one alone, which has many rows, those after `after` (ms since 1970). */
export interface SeriesRange {
  readonly first: number;
  readonly last: number;
  readonly after?: number;
}

/** Divides what is asked for by series, so that each range has about `pieceRows` rows, or is one series. */
export async function planRows(
  connection: DuckDBConnection,
  partitions: Partitions,
  query: RowsQuery,
  pieceRows = rowsOfPiece,
): Promise<SeriesRange[]> {
  const tables = tablesOf(partitions, query);
  const most = tables.reduce((sum, { rows }) => sum + rows, 0);
  if (tables.length === 0 || query.series?.length === 0) return [];
  if (most <= pieceRows) return [{ first: 0, last: highestSeries }];
  const where = conditions(query, { first: 0, last: highestSeries });
  const each = tables.map((table) => `SELECT series FROM ${sqlName(table)} WHERE ${where}`);
  const [series, counts] = await fetchNumbers(
    connection,
    `SELECT series, count(*)::DOUBLE FROM (${each.join(" UNION ALL ")}) GROUP BY series ORDER BY series`,
    ["UINTEGER", "DOUBLE"],
  );
  const ranges: SeriesRange[] = [];
  let [first, rows] = [0, 0];
  for (let i = 0; i < series.length; i++) {
    if (i > first && rows + counts[i]! > pieceRows) {
      ranges.push({ first: series[first]!, last: series[i - 1]! });
      [first, rows] = [i, 0];
    }
    rows += counts[i]!;
  }
  if (series.length > 0) ranges.push({ first: series[first]!, last: series.at(-1)! });
  return ranges;
}

/** A range's rows; `rest` is what is left of it. */
export async function readPiece(
  connection: DuckDBConnection,
  partitions: Partitions,
  query: RowsQuery,
  range: SeriesRange,
  pieceRows = rowsOfPiece,
): Promise<{ piece: RowPiece; rest?: SeriesRange }> {
  const tables = tablesOf(partitions, query);
  const columns = numbersOf(partitions.columns(query.measurement), query);
  const some = query.fields === undefined ? [] : columns.map(({ name }) => `${quoted(name)} IS NOT NULL`);
  if (tables.length === 0 || (query.fields !== undefined && columns.length === 0))
    return { piece: { series: new Uint32Array(0), time: new Float64Array(0), fields: [] } };
  const where = conditions(query, range);
  const each = tables.map((table) => {
    const present = new Set(table.columns.map(({ name }) => name));
    const fields = columns.map(({ name }) =>
      present.has(name) ? `, ${quoted(name)}` : `, NULL AS ${quoted(name)}`,
    );
    return `SELECT series, time${fields.join("")} FROM ${sqlName(table)} WHERE ${where}`;
  });
  const fields = columns.map(({ name }) => `, coalesce(${quoted(name)}::DOUBLE, 'nan'::DOUBLE)`);
  const limit = range.first === range.last ? ` LIMIT ${pieceRows}` : "";
  const [series, time, ...values] = await fetchNumbers(
    connection,
    `SELECT series, epoch_ms(time)::DOUBLE${fields.join("")} FROM (${each.join(" UNION ALL ")})` +
      `${some.length > 0 ? ` WHERE ${some.join(" OR ")}` : ""} ORDER BY series, time${limit}`,
    ["UINTEGER", "DOUBLE", ...columns.map(() => "DOUBLE" as const)],
  );
  const piece = { series, time, fields: columns.map(({ name }, i) => ({ name, values: values[i]! })) };
  if (limit === "" || time.length < pieceRows) return { piece };
  return { piece, rest: { ...range, after: time.at(-1)! } };
}

function tablesOf(partitions: Partitions, { measurement, from, to }: RowsQuery): Partition[] {
  return partitions.groups(measurement, from, to).flat();
}

function numbersOf(columns: readonly Column[], { fields }: RowsQuery): Column[] {
  return columns.filter(({ name, type }) => type !== "VARCHAR" && (fields?.includes(name) ?? true));
}

function conditions({ from, to, series }: RowsQuery, { first, last, after }: SeriesRange): string {
  const begin = after === undefined ? `>= ${timestamp(within(from))}` : `> ${timestamp(after)}`;
  const all = [`time ${begin}`, `time < ${timestamp(within(to))}`];
  if (first > 0 || last < highestSeries)
    all.push(`series BETWEEN ${integers([first, last]).replace(",", " AND ")}`);
  if (series !== undefined) all.push(`series IN (${integers(series)})`);
  return all.join(" AND ");
}

/** Times that a `Date` can say. */
function within(time: number): number {
  return Math.min(Math.max(Math.ceil(time), -8.64e15), 8.64e15);
}
