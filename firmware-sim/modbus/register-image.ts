import { lengthOf, widthOf, type ByteOrder, type RegisterMap, type RegisterType } from "./register-map.ts";

/** A row as a device's logger holds it: fields in their device's order, NaN = absent. */
export interface Row {
  /** Counts from 1, without a gap. */
  readonly number: number;
  /** Event time, ms since 1970. */
  readonly time: number;
  readonly values: Float64Array;
}

/** Makes register contents of rows, as the map says. */
export interface RegisterImage {
  /** Registers that the device has, from 0 on. */
  readonly registers: number;
  /** Can the registers hold this? A whole number has no sign for "absent", and an end. */
  holds(time: number, values: Float64Array): boolean;
  /** Two bytes a register; what the map does not name is 0. */
  encode(row: Row): Buffer;
}

/**
 * @param fields The device's fields in the order of its values.
 * @throws RangeError when the map lacks one of them.
 */
export function registerImage(map: RegisterMap, fields: readonly string[]): RegisterImage {
  const registers = lengthOf(map);
  const places = fields.map((name) => {
    const place = map.fields[name];
    if (place === undefined) throw new RangeError(`the register map of ${map.measurement} has no ${name}`);
    return { ...place, scale: place.scale ?? 1 };
  });
  return {
    registers,
    holds: (time, values) =>
      fits(time, map.time.type) && places.every(({ type, scale }, i) => fits(rawOf(values[i]!, scale), type)),
    encode({ number, time, values }) {
      const image = Buffer.alloc(2 * registers);
      writeRegisters(image, map.time.register, map.time.type, map.time.order, time);
      writeRegisters(image, map.row.register, map.row.type, map.row.order, number);
      for (const [i, { register, type, order, scale }] of places.entries())
        writeRegisters(image, register, type, order, rawOf(values[i]!, scale));
      return image;
    },
  };
}

/** What stands in the register for a value. Scaled values are whole, also in a float: so the way there and back is exact. */
function rawOf(value: number, scale: number): number {
  return scale === 1 ? value : Math.round(value / scale);
}

const wholeRanges: Partial<Record<RegisterType, readonly [number, number]>> = {
  u16: [0, 0xff_ff],
  i16: [-0x80_00, 0x7f_ff],
  u32: [0, 0xff_ff_ff_ff],
  i32: [-0x80_00_00_00, 0x7f_ff_ff_ff],
  u64: [0, Number.MAX_SAFE_INTEGER],
  i64: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
};

function fits(raw: number, type: RegisterType): boolean {
  const range = wholeRanges[type];
  if (range === undefined) return true;
  return Number.isInteger(raw) && raw >= range[0] && raw <= range[1];
}

/** @throws RangeError when a whole number does not fit its registers. */
export function writeRegisters(
  image: Buffer,
  register: number,
  type: RegisterType,
  order: ByteOrder = "ABCD",
  raw: number,
): void {
  if (!fits(raw, type)) throw new RangeError(`${raw} does not fit ${type}`);
  const at = 2 * register;
  writers[type](image, raw, at);
  const bytes = image.subarray(at, at + 2 * widthOf(type));
  if (order === "CDAB" || order === "DCBA") bytes.reverse(); // D C B A: bytes and words
  if (order === "CDAB" || order === "BADC") bytes.swap16();
}

const writers: Record<RegisterType, (image: Buffer, raw: number, at: number) => void> = {
  u16: (image, raw, at) => image.writeUInt16BE(raw, at),
  i16: (image, raw, at) => image.writeInt16BE(raw, at),
  u32: (image, raw, at) => image.writeUInt32BE(raw, at),
  i32: (image, raw, at) => image.writeInt32BE(raw, at),
  u64: (image, raw, at) => image.writeBigUInt64BE(BigInt(raw), at),
  i64: (image, raw, at) => image.writeBigInt64BE(BigInt(raw), at),
  f32: (image, raw, at) => image.writeFloatBE(raw, at),
  f64: (image, raw, at) => image.writeDoubleBE(raw, at),
};
