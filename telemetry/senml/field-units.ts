import { hasAt } from "../bytes.ts";
import type { Conversion } from "../units.ts";
import { plainText } from "../plain-json/values.ts";
import { fieldConversion } from "./units.ts";

interface KnownUnit {
  readonly bytes: Uint8Array;
  readonly conversion: Conversion;
}

/** Units that senders of one field use; those beyond are looked up anew. */
const most = 8;

/** The units that become a field's own, by their bytes. */
export class FieldUnits {
  readonly #unit: string;
  readonly #known: KnownUnit[] = [];

  /** @param unit  The field's. */
  constructor(unit: string) {
    this.#unit = unit;
  }

  /** What makes the unit `start` to `end` the field's; undefined: nothing does. */
  find(bytes: Uint8Array, start: number, end: number): Conversion | undefined {
    for (const unit of this.#known) {
      if (unit.bytes.length === end - start && hasAt(bytes, start, unit.bytes)) return unit.conversion;
    }
    const conversion = fieldConversion(plainText(bytes, start, end), this.#unit);
    if (conversion !== undefined && this.#known.length < most) {
      this.#known.push({ bytes: bytes.slice(start, end), conversion });
    }
    return conversion;
  }
}
