import { type ByteOrder, type RegisterType, registersOf } from "./register-map.ts";

/** Where a number stands in an answer, and how. */
export interface NumberPlace {
  /** Registers before it. */
  readonly at: number;
  readonly type: Exclude<RegisterType, "bool">;
  readonly order: ByteOrder;
}

const scratch = Buffer.alloc(8);

/**
 * The number at `place`, from the registers of an answer as they come over the wire. 64-bit integers beyond 2^53 are rounded to the nearest double.
 * NaN if the answer is too short, or is itself a NaN.
 */
export function decodeNumber(registers: Buffer, { at, type, order }: NumberPlace): number {
  const count = registersOf[type];
  if (registers.length < 2 * (at + count)) return Number.NaN;
  const bytes = bigEndian(registers, at, count, order);
  return readers[type](bytes);
}

const readers: Readonly<Record<NumberPlace["type"], (bytes: Buffer) => number>> = {
  u16: (bytes) => bytes.readUInt16BE(0),
  i16: (bytes) => bytes.readInt16BE(0),
  u32: (bytes) => bytes.readUInt32BE(0),
  i32: (bytes) => bytes.readInt32BE(0),
  u64: (bytes) => Number(bytes.readBigUInt64BE(0)),
  i64: (bytes) => Number(bytes.readBigInt64BE(0)),
  f32: (bytes) => bytes.readFloatBE(0),
  f64: (bytes) => bytes.readDoubleBE(0),
};

/** 1 or 0: bit `bit` of the register at `at`, or whether any of its bits is set; NaN if the answer is too short. */
export function decodeRegisterBit(registers: Buffer, at: number, bit: number | undefined): number {
  if (registers.length < 2 * (at + 1)) return Number.NaN;
  const register = registers.readUInt16BE(2 * at);
  if (bit === undefined) return register === 0 ? 0 : 1;
  return (register >> bit) & 1;
}

/** 1 or 0: the coil or discrete input at `at`, of which eight stand in a byte, the lowest bit first; NaN if the answer is too short. */
export function decodeCoil(bits: Buffer, at: number): number {
  const byte = bits[at >> 3];
  return byte === undefined ? Number.NaN : (byte >> (at & 7)) & 1;
}

/** `count` registers from `at` on with the highest byte first; valid until the next call. */
function bigEndian(registers: Buffer, at: number, count: number, order: ByteOrder): Buffer {
  const wordsSwapped = order === "CDAB" || order === "DCBA";
  const bytesSwapped = order === "BADC" || order === "DCBA";
  for (let word = 0; word < count; word++) {
    const from = 2 * (at + (wordsSwapped ? count - 1 - word : word));
    scratch[2 * word] = registers[bytesSwapped ? from + 1 : from]!;
    scratch[2 * word + 1] = registers[bytesSwapped ? from : from + 1]!;
  }
  return scratch;
}
