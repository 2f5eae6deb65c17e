import { exceptions, type Exception } from "./frame.ts";
import { registerImage, type RegisterImage } from "./register-image.ts";
import { maxRegistersPerRead, widthOf, type RegisterMap } from "./register-map.ts";
import type { Master, RowMemory, SavedMemory } from "./row-memory.ts";

/** A device behind a Modbus gateway, whose registers show its logger's rows one after the other. */
export class LoggerUnit {
  readonly memory: RowMemory;
  readonly #image: RegisterImage;
  readonly #row: { readonly from: number; readonly to: number };
  #encoded: { readonly number: number; readonly registers: Buffer } | undefined;

  /** @param fields The device's fields in the order of its values. */
  constructor(map: RegisterMap, fields: readonly string[], memory: RowMemory) {
    this.memory = memory;
    this.#image = registerImage(map, fields);
    this.#row = { from: map.row.register, to: map.row.register + widthOf(map.row.type) };
  }

  /** Takes a row, which it keeps. Answers whether registers can hold it: if not, nothing was taken. */
  record(time: number, values: Float64Array): boolean {
    if (!this.#image.holds(time, values)) return false;
    this.memory.push(time, values);
    return true;
  }

  /**
   * Holding registers as `master` sees them: two bytes each, or an exception. Only who reads the row's number moves the rows on, so that a
   * master who needs several requests reads the rest of the same row.
   */
  read(master: Master, from: number, count: number): Buffer | Exception {
    if (count < 1 || count > maxRegistersPerRead) return exceptions.illegalValue;
    if (from + count > this.#image.registers) return exceptions.illegalAddress;
    const coversRow = from <= this.#row.from && from + count >= this.#row.to;
    const row = coversRow ? this.memory.show(master) : this.memory.shown;
    if (row === undefined) return exceptions.busy;
    if (this.#encoded?.number !== row.number)
      this.#encoded = { number: row.number, registers: this.#image.encode(row) };
    return this.#encoded.registers.subarray(2 * from, 2 * (from + count));
  }

  save(): SavedMemory {
    return this.memory.save();
  }

  restore(saved: SavedMemory): void {
    this.memory.restore(saved);
    this.#encoded = undefined;
  }
}
