import type { Block, BlockTable } from "#telemetry/block.ts";
import type { FieldType } from "#telemetry/catalogue.ts";

/** Measurement -> field -> the type it was first stored with. */
export type FieldTypes = ReadonlyMap<string, ReadonlyMap<string, FieldType>>;

/** A row that does not go into the store: `table` is an index into the block's tables. */
export interface RefusedRow {
  readonly table: number;
  readonly row: number;
  readonly detail: string;
}

export interface SeparatedBlock {
  /** The rows that fit; its fields have the types they are stored as. */
  readonly block: Block;
  readonly refused: readonly RefusedRow[];
  /** Fields not met before. */
  readonly learnt: ReadonlyMap<string, ReadonlyMap<string, FieldType>>;
}

/**
 * A field keeps the type it was first stored with, in every store: InfluxDB cannot change it, and a city must be able to change its store.
 * After a change of the catalogue, readings are kept as long as that type can say their values exactly; the others are refused.
 */
export function separate(block: Block, known: FieldTypes): SeparatedBlock {
  const refused: RefusedRow[] = [];
  const learnt = new Map<string, Map<string, FieldType>>();
  let changed = false;
  const tables = block.tables.map((table, index): BlockTable => {
    const types = known.get(table.measurement);
    const bad = new Map<number, string>();
    let retyped = false;
    const fields = table.fields.map(({ name, type }, field) => {
      const stored = types?.get(name) ?? learnt.get(table.measurement)?.get(name);
      if (stored === undefined) {
        let mine = learnt.get(table.measurement);
        if (mine === undefined) learnt.set(table.measurement, (mine = new Map()));
        mine.set(name, type);
        return { name, type };
      }
      if (stored === type) return { name, type };
      retyped = true;
      collectMisfits(table, field, stored, bad);
      return { name, type: stored };
    });
    if (!retyped) return table;
    changed = true;
    for (const [row, detail] of [...bad].toSorted(([a], [b]) => a - b))
      refused.push({ table: index, row, detail });
    return withoutRows({ ...table, fields }, bad);
  });
  if (!changed) return { block, refused, learnt };
  return {
    block: { ...block, tables, readings: tables.reduce((sum, { rows }) => sum + rows, 0) },
    refused,
    learnt,
  };
}

function collectMisfits(table: BlockTable, field: number, stored: FieldType, bad: Map<number, string>): void {
  const values = table.values[field]!;
  for (let row = 0; row < table.rows; row++) {
    const value = values[row]!;
    if (Number.isNaN(value) || fits(value, stored) || bad.has(row)) continue;
    const { name, type } = table.fields[field]!;
    const detail =
      `${table.measurement}.${name} is kept as ${stored} since its first reading, and this value is another ${type}: ` +
      "give the field a new name in the catalogue";
    bad.set(row, detail);
  }
}

function fits(value: number, stored: FieldType): boolean {
  if (stored === "float") return true;
  if (stored === "boolean") return value === 0 || value === 1;
  return Number.isInteger(value) && Math.abs(value) <= 2 ** 53;
}

/** A copy without the rows of `bad`. */
function withoutRows(table: BlockTable, bad: ReadonlyMap<number, unknown>): BlockTable {
  if (bad.size === 0) return table;
  const kept: number[] = [];
  const runs: number[] = [];
  let row = 0;
  for (let run = 0; run < table.runs.length; run += 2) {
    const end = row + table.runs[run + 1]!;
    const before = kept.length;
    for (; row < end; row++) if (!bad.has(row)) kept.push(row);
    if (kept.length > before) runs.push(table.runs[run]!, kept.length - before);
  }
  return {
    ...table,
    rows: kept.length,
    time: Float64Array.from(kept, (from) => table.time[from]!),
    series: Uint32Array.from(kept, (from) => table.series[from]!),
    values: table.values.map((column) => Float64Array.from(kept, (from) => column[from]!)),
    runs: Uint32Array.from(runs),
  };
}
