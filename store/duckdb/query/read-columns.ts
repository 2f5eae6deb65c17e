import type { DuckDBDataChunk } from "@duckdb/node-api";
import duckdb from "@duckdb/node-bindings";

/** Columns of a statement's answer, gathered chunk by chunk: numbers by copying memory, where a value each costs fifty times as much. */
export class ColumnReader {
  readonly #kinds: readonly ("number" | "text")[];
  readonly #numbers: Float64Array<ArrayBuffer>[];
  readonly #texts: (string | null)[][];
  #capacity = 0;
  rows = 0;

  /** @param kinds  `number`: a DOUBLE column, in which NaN will stand for NULL; `text`: VARCHAR */
  constructor(kinds: readonly ("number" | "text")[]) {
    this.#kinds = kinds;
    this.#numbers = kinds.map(() => new Float64Array(0));
    this.#texts = kinds.map(() => []);
  }

  add(chunk: DuckDBDataChunk): void {
    const { rowCount } = chunk;
    this.#reserve(this.rows + rowCount);
    for (const [column, kind] of this.#kinds.entries()) {
      if (kind === "text") chunk.appendColumnValues(column, this.#texts[column]!);
      else copyNumbers(chunk, column, rowCount, this.#numbers[column]!, this.rows);
    }
    this.rows += rowCount;
  }

  numbers(column: number): Float64Array<ArrayBuffer> {
    return this.#numbers[column]!.subarray(0, this.rows);
  }

  texts(column: number): readonly (string | null)[] {
    return this.#texts[column]!;
  }

  #reserve(rows: number): void {
    if (rows <= this.#capacity) return;
    this.#capacity = Math.max(rows, 2 * this.#capacity);
    for (const [column, kind] of this.#kinds.entries()) {
      if (kind === "text") continue;
      const larger = new Float64Array(this.#capacity);
      larger.set(this.#numbers[column]!.subarray(0, this.rows));
      this.#numbers[column] = larger;
    }
  }
}

function copyNumbers(
  chunk: DuckDBDataChunk,
  column: number,
  rows: number,
  into: Float64Array,
  at: number,
): void {
  const vector = duckdb.data_chunk_get_vector(chunk.chunk, column);
  const bytes = duckdb.vector_get_data(vector, rows * 8);
  into.set(new Float64Array(bytes.buffer, bytes.byteOffset, rows), at);
  const valid = duckdb.vector_get_validity(vector, Math.ceil(rows / 64) * 8) as Uint8Array | null;
  if (valid === null) return;
  for (let row = 0; row < rows; row++)
    if ((valid[row >> 3]! & (1 << (row & 7))) === 0) into[at + row] = Number.NaN;
}
