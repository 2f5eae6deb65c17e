import { z } from "zod";
import { fieldTypes } from "./catalogue.ts";
import type { FieldType } from "./catalogue.ts";
import type { ReadingTable } from "./reading-table.ts";
import type { SeriesEntry } from "./series.ts";

/**
 * A block: the readings of one journal commit, self-describing (it outlives catalogue changes), so that journal and
 * store need nothing else to understand it.
 *
 * Bytes: u32 LE magic+version, u32 LE header length, JSON header (UTF-8, padded with spaces to a multiple of 8), then for each table of
 * the header, each part padded to 8 bytes: time f64[rows], series u32[rows], one f64[rows] a field (NaN = absent),
 * runs u32[2 * runs] (index into the header's gateways, rows). Numbers are little-endian, as on every machine we run on.
 */
export interface Block {
  /** Dictionary entries first used here. */
  readonly newSeries: readonly SeriesEntry[];
  readonly gateways: readonly string[];
  readonly tables: readonly BlockTable[];
  /** Rows of all tables. */
  readonly readings: number;
}

export interface BlockTable {
  readonly measurement: string;
  readonly fields: readonly { readonly name: string; readonly type: FieldType }[];
  readonly rows: number;
  readonly time: Float64Array;
  readonly series: Uint32Array;
  readonly values: readonly Float64Array[];
  /** Index into `gateways`, rows, index, rows, …; the rows add up to `rows`. */
  readonly runs: Uint32Array;
}

export interface BlockInput {
  readonly tables: Iterable<ReadingTable>;
  readonly newSeries: readonly SeriesEntry[];
  /** Gateway number (as in the tables' runs) -> name. */
  readonly gatewayName: (gateway: number) => string;
}

/** "MSB" and the version in the lowest byte. */
const magic = 0x4d534200;
const version = 1;
const prefixBytes = 8;
const maxU32 = 0xffff_ffff;

const count = z.int().min(0).max(maxU32);
const Header = z.object({
  newSeries: z.array(
    z.object({ series: count, measurement: z.string(), agency: z.string(), sensor: z.string() }),
  ),
  gateways: z.array(z.string()),
  tables: z.array(
    z.object({
      measurement: z.string(),
      fields: z.array(z.object({ name: z.string(), type: z.enum(fieldTypes) })),
      rows: count,
      /** Pairs in `runs`. */
      runs: count,
    }),
  ),
});
type Header = z.infer<typeof Header>;

/** The bytes of a block; tables without rows are left out. */
export function encodeBlock(input: BlockInput): ArrayBuffer {
  const tables = [...input.tables].filter((table) => table.length > 0);
  const gateways = new Map<number, number>();
  for (const { runs } of tables) {
    for (let i = 0; i < runs.length; i += 2) {
      if (!gateways.has(runs[i]!)) gateways.set(runs[i]!, gateways.size);
    }
  }
  const header = encodeHeader({
    newSeries: [...input.newSeries],
    gateways: [...gateways.keys()].map(input.gatewayName),
    tables: tables.map(({ measurement, length, runs }) => ({
      measurement: measurement.name,
      fields: measurement.fields.map(({ name, type }) => ({ name, type })),
      rows: length,
      runs: runs.length / 2,
    })),
  });

  let size = prefixBytes + header.length;
  for (const table of tables) size += tableBytes(table.length, table.values.length, table.runs.length / 2);
  const block = new ArrayBuffer(size);
  new Uint32Array(block, 0, 2).set([magic | version, header.length]);
  new Uint8Array(block, prefixBytes).set(header);

  let at = prefixBytes + header.length;
  for (const { length, time, series, values, runs } of tables) {
    new Float64Array(block, at, length).set(time.subarray(0, length));
    at += length * 8;
    new Uint32Array(block, at, length).set(series.subarray(0, length));
    at += padded(length * 4);
    for (const column of values) {
      new Float64Array(block, at, length).set(column.subarray(0, length));
      at += length * 8;
    }
    const encodedRuns = new Uint32Array(block, at, runs.length);
    for (let i = 0; i < runs.length; i += 2) {
      encodedRuns[i] = gateways.get(runs[i]!)!;
      encodedRuns[i + 1] = runs[i + 1]!;
    }
    at += runs.length * 4;
  }
  return block;
}

/**
 * Reads a block. The columns are views of `bytes` where they lie on 8-byte boundaries (always, for an `ArrayBuffer`), else copies.
 * @throws RangeError for anything but a whole block of this version.
 */
export function decodeBlock(bytes: ArrayBuffer | Uint8Array): Block {
  const input = bytes instanceof Uint8Array ? bytes : new Uint8Array(bytes);
  const whole = input.byteOffset % 8 === 0 ? input : input.slice();
  if (whole.length < prefixBytes) throw new RangeError("not a block: shorter than its prefix");
  const view = new DataView(whole.buffer, whole.byteOffset, whole.length);
  const mark = view.getUint32(0, true);
  if ((mark & 0xffff_ff00) !== magic) throw new RangeError("not a block: the magic number is missing");
  if ((mark & 0xff) !== version)
    throw new RangeError(`a block of version ${mark & 0xff}; this program reads ${version}`);
  const header = decodeHeader(whole, view.getUint32(4, true));

  let at = header.end;
  let readings = 0;
  const tables = header.value.tables.map(({ measurement, fields, rows, runs: pairs }): BlockTable => {
    if (tableBytes(rows, fields.length, pairs) > whole.length - at) {
      throw new RangeError(`a corrupt block: it ends within the table ${measurement}`);
    }
    const time = floats(whole, at, rows);
    at += rows * 8;
    const series = words(whole, at, rows);
    at += padded(rows * 4);
    const values = fields.map((_, i) => floats(whole, at + i * rows * 8, rows));
    at += fields.length * rows * 8;
    const runs = words(whole, at, pairs * 2);
    at += pairs * 8;
    checkRuns(runs, rows, header.value.gateways.length);
    readings += rows;
    return { measurement, fields, rows, time, series, values, runs };
  });
  if (at !== whole.length)
    throw new RangeError(`a corrupt block: ${whole.length - at} bytes after the last table`);
  return { newSeries: header.value.newSeries, gateways: header.value.gateways, tables, readings };
}

/** Readings of each gateway, in the block's order of gateways. */
export function countByGateway(block: Block): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { runs } of block.tables) {
    for (let i = 0; i < runs.length; i += 2) {
      const gateway = block.gateways[runs[i]!]!;
      counts.set(gateway, (counts.get(gateway) ?? 0) + runs[i + 1]!);
    }
  }
  return counts;
}

function encodeHeader(header: Header): Uint8Array {
  const json = new TextEncoder().encode(JSON.stringify(header));
  const bytes = new Uint8Array(padded(json.length)).fill(0x20);
  bytes.set(json);
  return bytes;
}

function decodeHeader(whole: Uint8Array, length: number): { value: Header; end: number } {
  const end = prefixBytes + length;
  if (length % 8 !== 0 || end > whole.length)
    throw new RangeError("a corrupt block: its header's length is wrong");
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(whole.subarray(prefixBytes, end)));
  } catch (error) {
    throw new RangeError("a corrupt block: its header is no JSON", { cause: error });
  }
  const parsed = Header.safeParse(json);
  if (!parsed.success)
    throw new RangeError("a corrupt block: its header is incomplete", { cause: parsed.error });
  return { value: parsed.data, end };
}

function checkRuns(runs: Uint32Array, rows: number, gateways: number): void {
  let sum = 0;
  for (let i = 0; i < runs.length; i += 2) {
    if (runs[i]! >= gateways) throw new RangeError("a corrupt block: a run of an unnamed gateway");
    sum += runs[i + 1]!;
  }
  if (sum !== rows) throw new RangeError("a corrupt block: its runs do not add up to its rows");
}

function tableBytes(rows: number, fields: number, pairs: number): number {
  return rows * 8 * (1 + fields) + padded(rows * 4) + pairs * 8;
}

function padded(bytes: number): number {
  return Math.ceil(bytes / 8) * 8;
}

function floats(whole: Uint8Array, at: number, length: number): Float64Array {
  return new Float64Array(whole.buffer, whole.byteOffset + at, length);
}

function words(whole: Uint8Array, at: number, length: number): Uint32Array {
  return new Uint32Array(whole.buffer, whole.byteOffset + at, length);
}
