import type { BatchTable } from "./batch-order.ts";
import { LineWriter } from "./line-writer.ts";

/** The lines of one request, and which row of the batch each came from. */
export class RequestLines {
  readonly #writer = new LineWriter();
  readonly #part = new LineWriter();
  #tables: readonly BatchTable[] = [];
  #ends = new Uint32Array(1024);
  #tableOf = new Uint32Array(1024);
  #rowOf = new Uint32Array(1024);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  get length(): number {
    return this.#writer.length;
  }

  /** Begins a request with lines of these tables. */
  clear(tables: readonly BatchTable[]): void {
    this.#writer.clear();
    this.#tables = tables;
    this.#count = 0;
  }

  /** @param table  Its place among the tables. */
  add(prefix: Uint8Array, table: number, row: number): void {
    const source = this.#tables[table]!;
    if (!this.#writer.write(prefix, source.fields, source.table, row)) return;
    const line = this.#count;
    if (line === this.#ends.length) this.#grow();
    this.#ends[line] = this.#writer.length;
    this.#tableOf[line] = table;
    this.#rowOf[line] = row;
    this.#count = line + 1;
  }

  /** All lines; valid until the next is added. */
  all(): Uint8Array {
    return this.#writer.bytes;
  }

  /** These lines, which rise; valid until others are asked for. */
  some(lines: readonly number[]): Uint8Array {
    this.#part.clear();
    const { bytes } = this.#writer;
    for (const line of lines) this.#part.copy(bytes, this.#start(line), this.#ends[line]!);
    return this.#part.bytes;
  }

  /** A line without its newline. */
  line(line: number): string {
    return this.#writer.bytes.toString("utf8", this.#start(line), this.#ends[line]! - 1);
  }

  bytesOf(line: number): number {
    return this.#ends[line]! - this.#start(line);
  }

  source(line: number): BatchTable & { readonly row: number } {
    return { ...this.#tables[this.#tableOf[line]!]!, row: this.#rowOf[line]! };
  }

  time(line: number): number {
    return this.#tables[this.#tableOf[line]!]!.table.time[this.#rowOf[line]!]!;
  }

  series(line: number): number {
    return this.#tables[this.#tableOf[line]!]!.table.series[this.#rowOf[line]!]!;
  }

  has(line: number, measurement: string, field: string): boolean {
    const { table } = this.#tables[this.#tableOf[line]!]!;
    if (table.measurement !== measurement) return false;
    const column = table.fields.findIndex(({ name }) => name === field);
    return column !== -1 && !Number.isNaN(table.values[column]![this.#rowOf[line]!]!);
  }

  #start(line: number): number {
    return line === 0 ? 0 : this.#ends[line - 1]!;
  }

  #grow(): void {
    this.#ends = doubled(this.#ends);
    this.#tableOf = doubled(this.#tableOf);
    this.#rowOf = doubled(this.#rowOf);
  }
}

function doubled(old: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const grown = new Uint32Array(old.length * 2);
  grown.set(old);
  return grown;
}
