import { type EncodedField, type LineTable, encodeFields } from "./line-writer.ts";

/** A table of a batch: block and table by their numbers in it. */
export interface BatchTable {
  readonly block: number;
  readonly index: number;
  readonly table: LineTable;
  readonly fields: readonly EncodedField[];
}

export interface LineBlock {
  readonly tables: readonly LineTable[];
}

/** All rows of a batch, those of one series together, in the order of their arrival. */
export interface BatchOrder {
  readonly tables: readonly BatchTable[];
  readonly rows: number;
  /** Of the n-th row: its table's place in `tables`, and its row there. */
  readonly tableOf: Uint32Array;
  readonly rowOf: Uint32Array;
}

/**
 * Orders batches by series. InfluxDB 1.x gathers the values of a request by series and field before it keeps them, in its log, its cache and its index: 100,000 lines in
 * this order cost it 10 % less than in the order of their arrival, where a request of 10,000 has a few lines of every series (ADR 0019).
 */
export class BatchSorter {
  #ends = new Uint32Array(1024);

  /** Valid until the next batch. By counting: one pass to count, one to place. */
  sort(blocks: readonly LineBlock[]): BatchOrder {
    const tables = blocks.flatMap(({ tables: all }, block) =>
      all.map((table, index): BatchTable => ({ block, index, table, fields: encodeFields(table) })),
    );
    let rows = 0;
    let highest = -1;
    for (const { table } of tables) {
      rows += table.rows;
      for (let row = 0; row < table.rows; row++) highest = Math.max(highest, table.series[row]!);
    }
    if (this.#ends.length < highest + 2) this.#ends = new Uint32Array(2 * (highest + 2));
    const ends = this.#ends.fill(0, 0, highest + 2);
    for (const { table } of tables)
      for (let row = 0; row < table.rows; row++) ends[table.series[row]! + 1]! += 1;
    for (let series = 1; series <= highest; series++) ends[series]! += ends[series - 1]!;

    const tableOf = new Uint32Array(rows);
    const rowOf = new Uint32Array(rows);
    for (const [number, { table }] of tables.entries()) {
      for (let row = 0; row < table.rows; row++) {
        const at = ends[table.series[row]!]!++;
        tableOf[at] = number;
        rowOf[at] = row;
      }
    }
    return { tables, rows, tableOf, rowOf };
  }
}

/** The series of the n-th row. */
export function seriesAt({ tables, tableOf, rowOf }: BatchOrder, at: number): number {
  return tables[tableOf[at]!]!.table.series[rowOf[at]!]!;
}

/** Where to divide the rows into so many parts of about the same size, so that each series is in one of them: the ends of the parts. */
export function divide(order: BatchOrder, parts: number): number[] {
  const ends: number[] = [];
  let end = 0;
  for (let part = 1; part <= parts; part++) {
    end = Math.max(end, Math.round((order.rows * part) / parts));
    while (end > 0 && end < order.rows && seriesAt(order, end) === seriesAt(order, end - 1)) end += 1;
    ends.push(end);
  }
  return ends;
}
