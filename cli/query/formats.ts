import { stringify } from "csv-stringify/sync";
import { type Column, formatTable, printable } from "../table.ts";
import type { Piece, Series, Value } from "./answer.ts";

/** Tables are for people: every series one, its tags above it. Ends with how many rows there were. */
export async function* asTables(pieces: AsyncIterable<Piece>): AsyncGenerator<string> {
  let rows = 0;
  let first = true;
  for await (const series of wholeSeries(pieces)) {
    rows += series.values.length;
    const tags = Object.entries(series.tags ?? {}).map(([key, value]) => `${key}=${value}`);
    const head = [series.name ?? "", ...tags].filter((part) => part !== "").join("  ");
    yield `${first ? "" : "\n"}${head === "" ? "" : `${printable(head)}\n`}${formatTable(columnsOf(series), series.values)}`;
    first = false;
  }
  yield rows === 0 ? "No rows.\n" : `\n${rows} ${rows === 1 ? "row" : "rows"}\n`;
}

function columnsOf({ columns, values }: Series): Column<readonly Value[]>[] {
  return columns.map((title, at) => ({
    title,
    value: (row) => row[at]?.toString(),
    align: values.some((row) => typeof row[at] === "number") && title !== "time" ? "right" : "left",
  }));
}

/**
 * CSV as analysts' tools read it, row by row as it comes: `name`, the tags and the columns. Where these change, a blank line and a new
 * heading follow.
 */
export async function* asCsv(pieces: AsyncIterable<Piece>): AsyncGenerator<string> {
  let heading: string | undefined;
  for await (const piece of pieces) {
    if (piece.kind === "warning") continue;
    const { name = "", tags = {}, columns, values } = piece.series;
    const next = stringify([["name", ...Object.keys(tags), ...columns]]);
    if (next !== heading) yield heading === undefined ? next : `\n${next}`;
    heading = next;
    const lead = [name, ...Object.values(tags)];
    yield stringify(
      values.map((row) => [...lead, ...row]),
      { cast: { boolean: String } },
    );
  }
}

/** Puts the pieces of each series together again. */
async function* wholeSeries(pieces: AsyncIterable<Piece>): AsyncGenerator<Series> {
  let open: { readonly key: string; readonly series: Series } | undefined;
  for await (const piece of pieces) {
    if (piece.kind === "warning") continue;
    const { name, tags, columns, values } = piece.series;
    const key = JSON.stringify([piece.statement, name, tags, columns]);
    if (open?.key === key) for (const row of values) open.series.values.push(row);
    else {
      if (open) yield open.series;
      open = { key, series: piece.series };
    }
  }
  if (open) yield open.series;
}
