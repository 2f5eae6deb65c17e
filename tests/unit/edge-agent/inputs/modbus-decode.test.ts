import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type NumberPlace,
  decodeCoil,
  decodeNumber,
  decodeRegisterBit,
} from "#edge-agent/inputs/modbus/decode.ts";
import { type ByteOrder, byteOrders, registersOf } from "#edge-agent/inputs/modbus/register-map.ts";

type NumberType = NumberPlace["type"];
const types = (Object.keys(registersOf) as (keyof typeof registersOf)[]).filter((type) => type !== "bool");

/** The big-endian bytes of a value, written the plain way. */
function bytesOf(value: number, type: NumberType): number[] {
  const bytes = Buffer.alloc(2 * registersOf[type]);
  if (type === "f32") bytes.writeFloatBE(value);
  else if (type === "f64") bytes.writeDoubleBE(value);
  else {
    let rest = BigInt.asUintN(8 * bytes.length, BigInt(value));
    for (let at = bytes.length - 1; at >= 0; at--, rest >>= 8n) bytes[at] = Number(rest & 255n);
  }
  return [...bytes];
}

/** As a device with this order sends them: the letters say which byte of a 32-bit value comes when. */
function inOrder(bytes: number[], order: ByteOrder): number[] {
  const words = Array.from({ length: bytes.length / 2 }, (_, word) => bytes.slice(2 * word, 2 * word + 2));
  const turned = order[0] === "C" || order[0] === "D" ? words.toReversed() : words;
  const swapped = order[0] === "B" || order[0] === "D";
  return turned.flatMap((word) => (swapped ? word.toReversed() : word));
}

const values: Readonly<Record<NumberType, fc.Arbitrary<number>>> = {
  u16: fc.integer({ min: 0, max: 0xffff }),
  i16: fc.integer({ min: -0x8000, max: 0x7fff }),
  u32: fc.integer({ min: 0, max: 0xffff_ffff }),
  i32: fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff }),
  u64: fc.maxSafeNat(),
  i64: fc.maxSafeInteger(),
  f32: fc.float(),
  f64: fc.double(),
};

describe("every number comes back from the registers that hold it:", () => {
  test.each(types.flatMap((type) => byteOrders.map((order) => [type, order] as const)))(
    "%s, %s",
    (type, order) => {
      fc.assert(
        fc.property(values[type], fc.integer({ min: 0, max: 20 }), (value, at) => {
          const registers = Buffer.from([
            ...Buffer.alloc(2 * at, 0xa5),
            ...inOrder(bytesOf(value, type), order),
            0x5a,
            0x5a,
          ]);
          expect(decodeNumber(registers, { at, type, order })).toBe(value);
        }),
      );
    },
  );
});

test("123456.789 stands in registers as manuals show it", () => {
  const registers = { ABCD: "47f12065", CDAB: "206547f1", BADC: "f1476520", DCBA: "6520f147" } as const;
  for (const order of byteOrders)
    expect(decodeNumber(Buffer.from(registers[order], "hex"), { at: 0, type: "f32", order })).toBe(
      Math.fround(123_456.789),
    );
});

test("integers beyond 2^53 are the nearest double", () => {
  const place = { at: 0, type: "u64", order: "ABCD" } as const;
  expect(decodeNumber(Buffer.from("ffffffffffffffff", "hex"), place)).toBe(2 ** 64);
  expect(decodeNumber(Buffer.from("0020000000000001", "hex"), place)).toBe(2 ** 53);
});

test("bits are found in registers and in packed coils", () => {
  const register = Buffer.from([0x00, 0x00, 0x10, 0x02]);
  expect([1, 12, 0, 15].map((bit) => decodeRegisterBit(register, 1, bit))).toEqual([1, 1, 0, 0]);
  expect([0, 1].map((at) => decodeRegisterBit(register, at, undefined))).toEqual([0, 1]);
  // The specification's own example: coils 27 to 20 as CD, 35 to 28 as 6B.
  const coils = Buffer.from([0xcd, 0x6b]);
  expect(Array.from({ length: 8 }, (_, at) => decodeCoil(coils, at))).toEqual([1, 0, 1, 1, 0, 0, 1, 1]);
  expect(decodeCoil(coils, 8)).toBe(1);
});

test("an answer that is too short has no value, and none throws", () => {
  const place = fc.record({
    at: fc.nat(200),
    type: fc.constantFrom(...types),
    order: fc.constantFrom(...byteOrders),
  });
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 260 }), place, fc.nat(15), (bytes, { at, type, order }, bit) => {
      const answer = Buffer.from(bytes);
      const number = decodeNumber(answer, { at, type, order });
      expect(Number.isNaN(number) || bytes.length >= 2 * (at + registersOf[type])).toBe(true);
      expect(String(decodeRegisterBit(answer, at, bit))).toMatch(/^(?:0|1|NaN)$/);
      expect(String(decodeCoil(answer, at))).toMatch(/^(?:0|1|NaN)$/);
    }),
  );
});
