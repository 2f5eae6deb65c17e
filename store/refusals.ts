import type { Block, BlockTable } from "#telemetry/block.ts";
import type { SeriesEntry } from "#telemetry/series.ts";
import type { RefusedRow } from "./field-types.ts";
import type { StoreRefusal } from "./port.ts";

/** Characters of lines in one refusal; more become several. */
const mostCharacters = 128 * 1024;
const longestDetail = 400;

/**
 * A block's refused rows, gathered by gateway, agency and reason.
 * @param seriesOf  What a series number means.
 */
export function refusalsOf(
  block: Block,
  position: number,
  rows: readonly RefusedRow[],
  seriesOf: (series: number) => SeriesEntry,
): StoreRefusal[] {
  const gathered = new Map<string, { refusal: Omit<StoreRefusal, "readings" | "lines">; lines: string[] }>();
  const gateways = new Map<number, (row: number) => string>();
  for (const { table: index, row, detail } of rows) {
    const table = block.tables[index]!;
    let gatewayOf = gateways.get(index);
    if (gatewayOf === undefined) gateways.set(index, (gatewayOf = gatewayFinder(block, table)));
    const gateway = gatewayOf(row);
    const { agency, sensor } = seriesOf(table.series[row]!);
    const cut = detail.length > longestDetail ? `${detail.slice(0, longestDetail - 1)}…` : detail;
    const key = JSON.stringify([gateway, agency, cut]);
    let found = gathered.get(key);
    if (found === undefined) {
      found = { refusal: { position, gateway, agency, detail: cut }, lines: [] };
      gathered.set(key, found);
    }
    found.lines.push(lineOf(table, row, sensor));
  }
  return [...gathered.values()].flatMap(({ refusal, lines }) =>
    pieces(lines).map((piece) => ({ ...refusal, readings: piece.length, lines: piece.join("\n") })),
  );
}

/** A row as its sensor would say it: `water_flow,sensor=wf-1 flow=3.5,volume_total=17 1763860000000`. */
export function lineOf(table: BlockTable, row: number, sensor: string): string {
  const fields = table.fields.flatMap(({ name, type }, field) => {
    const value = table.values[field]![row]!;
    if (Number.isNaN(value)) return [];
    const text = type === "boolean" ? String(value !== 0) : `${value}${type === "integer" ? "i" : ""}`;
    return [`${name}=${text}`];
  });
  return `${table.measurement},sensor=${sensor} ${fields.join(",")} ${table.time[row]!}`;
}

/** Who sent a row of `table`. */
function gatewayFinder({ gateways }: Block, { runs }: BlockTable): (row: number) => string {
  const ends: number[] = [];
  let end = 0;
  for (let run = 0; run < runs.length; run += 2) ends.push((end += runs[run + 1]!));
  return (row) => {
    let [low, high] = [0, ends.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (row < ends[middle]!) high = middle;
      else low = middle + 1;
    }
    return gateways[runs[low * 2]!]!;
  };
}

function pieces(lines: readonly string[]): string[][] {
  const all: string[][] = [];
  let characters = Number.POSITIVE_INFINITY;
  for (const line of lines) {
    if (characters + line.length > mostCharacters) {
      all.push([]);
      characters = 0;
    }
    all.at(-1)!.push(line);
    characters += line.length + 1;
  }
  return all;
}
