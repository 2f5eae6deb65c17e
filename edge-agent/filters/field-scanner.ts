import { hasAt, isDigit } from "#telemetry/bytes.ts";
import { ValueScanner } from "#telemetry/line-protocol/value-scanner.ts";

/** A reading with more fields passes the filters untouched. */
export const maxFields = 32;

/** How a value is spelled, which is how an average of it is spelled again. */
export const spelling = { plain: 0, integer: 1, boolean: 2 } as const;

/** One reading as numbers; filled again and again. The arrays hold `count` entries. */
export class FieldReading {
  /** Milliseconds since 1970. */
  time = 0;
  count = 0;
  /** Places of the fields in their layout, in the line's order. */
  readonly slots = new Uint8Array(maxFields);
  /** Booleans as 0 and 1. */
  readonly values = new Float64Array(maxFields);
  readonly spellings = new Uint8Array(maxFields);

  copy(from: FieldReading): void {
    this.time = from.time;
    this.count = from.count;
    for (let i = 0; i < from.count; i += 1) {
      this.slots[i] = from.slots[i]!;
      this.values[i] = from.values[i]!;
      this.spellings[i] = from.spellings[i]!;
    }
  }

  add(slot: number, value: number, spelled: number): void {
    this.slots[this.count] = slot;
    this.values[this.count] = value;
    this.spellings[this.count] = spelled;
    this.count += 1;
  }
}

/** The fields that a measurement's sensors have sent: a field's place here is its slot. It grows up to `maxFields`. */
export class FieldLayout {
  readonly names: string[] = [];
  /** `name=` */
  readonly heads: Uint8Array[] = [];

  readonly #known: ReadonlySet<string> | undefined;

  /** @param known  The only names there can be; undefined for a measurement that the built-in catalogue lacks. */
  constructor(known?: ReadonlySet<string>) {
    this.#known = known;
  }

  get size(): number {
    return this.names.length;
  }

  /** @returns the slot of a new field; -1 when it cannot be one, or there is no room. */
  add(name: string): number {
    if (this.size >= maxFields || !/^[a-z][a-z0-9_]{0,62}$/.test(name)) return -1;
    if (this.#known?.has(name) === false) return -1;
    this.names.push(name);
    this.heads.push(encoder.encode(`${name}=`));
    return this.size - 1;
  }
}

const encoder = new TextEncoder();
const latin1 = new TextDecoder("latin1");
const space = 0x20;
const comma = 0x2c;
const equals = 0x3d;
const letterI = 0x69;
const letterU = 0x75;
const zero = 0x30;

/**
 * Fields and time of a line, by the telemetry scanner's own value spellings, without an object a line. It judges nothing: whatever is not
 * plainly good is not read, so that its line reaches the platform as it is and is refused there with its reason.
 */
export class FieldScanner {
  readonly #value = new ValueScanner();

  /** @param start  Where the fields begin. @returns false: not plainly good, and `into` means nothing. */
  scan(bytes: Uint8Array, start: number, end: number, layout: FieldLayout, into: FieldReading): boolean {
    into.count = 0;
    const value = this.#value;
    let seen = 0;
    let at = start;
    for (;;) {
      const slot = findField(layout, into.count, bytes, at, end);
      if (slot === -1 || (seen & (1 << slot)) !== 0) return false;
      seen |= 1 << slot;
      at += layout.heads[slot]!.length;
      let spelled: number = spelling.plain;
      let scanned = value.number(bytes, at, end);
      if (Number.isNaN(scanned)) {
        scanned = value.boolean(bytes, at, end);
        spelled = spelling.boolean;
        if (Number.isNaN(scanned)) return false;
      } else if (!Number.isFinite(scanned)) return false;
      at = value.end;
      if (at >= end) return false;
      const last = bytes[at - 1]!;
      if (last === letterI || last === letterU) spelled = spelling.integer;
      into.add(slot, scanned, spelled);
      const delimiter = bytes[at]!;
      at += 1;
      if (delimiter === space) break;
      if (delimiter !== comma) return false;
    }
    const digits = end - at;
    if (digits < 1 || digits > 15) return false; // 15 are exact
    let time = 0;
    for (; at < end; at += 1) {
      if (!isDigit(bytes[at]!)) return false;
      time = time * 10 + (bytes[at]! - zero);
    }
    into.time = time;
    return true;
  }
}

/** The slot of the field whose `name=` stands at `at`, tried from `expected` on; a new name gets the next. */
function findField(
  layout: FieldLayout,
  expected: number,
  bytes: Uint8Array,
  at: number,
  end: number,
): number {
  const { heads } = layout;
  for (let tried = 0; tried < heads.length; tried += 1) {
    const slot = (expected + tried) % heads.length;
    const head = heads[slot]!;
    if (at + head.length < end && hasAt(bytes, at, head)) return slot;
  }
  const nameEnd = bytes.indexOf(equals, at);
  if (nameEnd === -1 || nameEnd >= end) return -1;
  return layout.add(latin1.decode(bytes.subarray(at, nameEnd)));
}
