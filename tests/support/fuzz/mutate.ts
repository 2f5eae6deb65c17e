import type { Chance } from "./chance.ts";

/** What decoders trip over: delimiters, numbers at the edges, pieces of each grammar, bytes that are no UTF-8. */
const tokens = [
  ...' |,|=|\n|\r\n|#|"|\\|{|}|[|]|:|null|true|false|t|F|31i|-|.|e|E|0|00|-0|.5|1.|+1|1e400|-1e400|1e-400'.split(
    "|",
  ),
  ..."9007199254740993 NaN Infinity 0x10 1_000 18446744073709551616 \\u0041 \ufeff \u0000 ح 😀 \u2028 __proto__ constructor".split(
    " ",
  ),
  ...'sensor=s-1 sensor=f-1 traffic_flow vehicles=1 # marsad 1 "bn": "bt":0, "v":1, "s":1, "x_":1, "bver":11, "time":0,'.split(
    " ",
  ),
].map((text) => Buffer.from(text));
const notUtf8 = [0x80, 0xc0, 0xed, 0xf5, 0xff];

/** The bytes, damaged in one to four places. */
export function mutate(bytes: Uint8Array, chance: Chance): Buffer {
  let mutated: Buffer = Buffer.from(bytes);
  for (let times = 1 + chance.below(4); times > 0; times -= 1) mutated = mutateOnce(mutated, chance);
  return mutated;
}

function mutateOnce(bytes: Buffer, chance: Chance): Buffer {
  const at = chance.below(bytes.length + 1);
  const to = Math.min(bytes.length, at + chance.below(24));
  const [before, piece, after] = [bytes.subarray(0, at), bytes.subarray(at, to), bytes.subarray(to)];
  switch (chance.below(9)) {
    case 0: // a bit
      return Buffer.concat([
        before,
        piece.map((byte, i) => (i === 0 ? byte ^ (1 << chance.below(8)) : byte)),
        after,
      ]);
    case 1: // a byte
      return Buffer.concat([before, chance.bytes(1), bytes.subarray(at + 1)]);
    case 2: // cut out
      return Buffer.concat([before, after]);
    case 3: // cut off
      return Buffer.from(chance.oneIn(2) ? before : bytes.subarray(at));
    case 4: // doubled
      return Buffer.concat([before, piece, piece, after]);
    case 5: // moved
      return Buffer.concat([after, piece, before]);
    case 6: // noise
      return Buffer.concat([before, chance.bytes(1 + chance.below(6)), after]);
    case 7:
      return Buffer.concat([before, Buffer.of(chance.pick(notUtf8)), after]);
    default:
      return Buffer.concat([before, chance.pick(tokens), chance.oneIn(2) ? after : bytes.subarray(at)]);
  }
}
