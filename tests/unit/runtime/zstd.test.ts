import { constants, zstdCompressSync } from "node:zlib";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { compress, decompress } from "#runtime/zstd.ts";

const bound = 100_000;
const lines = Buffer.from("traffic_flow,sensor=tf-1 vehicles=31 1763860000000\n".repeat(100));

test("what was compressed comes back", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 2000 }), (bytes) => {
      const back = decompress(compress(bytes), bound);
      expect(back.ok && Buffer.from(bytes).equals(back.bytes)).toBe(true);
    }),
  );
});

test.for([1, 200, 255, 256, 300, 65_791, 65_792, bound])("%d bytes come back", (length) => {
  expect(decompress(compress(new Uint8Array(length)), bound)).toMatchObject({ ok: true, bytes: { length } });
});

/** As a stream writes it: without its length. */
function undeclared(bytes: Uint8Array): Buffer {
  return zstdCompressSync(bytes, {
    params: { [constants.ZSTD_c_contentSizeFlag]: 0, [constants.ZSTD_c_checksumFlag]: 1 },
  });
}

test("a frame that does not say its length is taken", () => {
  expect(decompress(undeclared(lines), bound)).toMatchObject({ ok: true, bytes: { length: lines.length } });
});

test.for([
  ["says so", compress(new Uint8Array(50_000_000))],
  ["does not say so", undeclared(new Uint8Array(50_000_000))],
  ["is one byte over", compress(new Uint8Array(bound + 1))],
] as const)("a bomb is refused when it %s", ([, bomb]) => {
  expect(bomb.length).toBeLessThan(5000);
  expect(decompress(bomb, bound)).toEqual({
    ok: false,
    tooLarge: true,
    why: `holds more than ${bound} bytes`,
  });
});

test("a frame that lies about its length is refused", () => {
  const frame = compress(new Uint8Array(bound + 1));
  new DataView(frame.buffer, frame.byteOffset).setUint32(5, 10, true);
  expect(decompress(frame, bound).ok).toBe(false);
});

test("a frame that wants a window of 128 MiB is refused", () => {
  const frame = zstdCompressSync(lines, {
    params: { [constants.ZSTD_c_windowLog]: 27, [constants.ZSTD_c_contentSizeFlag]: 0 },
  });
  frame[5] = (27 - 10) << 3;
  expect(decompress(frame, bound)).toMatchObject({ ok: false, tooLarge: false });
});

test.for([
  ["a second frame", Buffer.concat([compress(lines), compress(lines)])],
  ["other bytes", Buffer.concat([compress(lines), Buffer.from("more")])],
] as const)("%s after the frame is not passed over", ([, bytes]) => {
  expect(decompress(bytes, bound)).toMatchObject({
    ok: false,
    why: expect.stringContaining("after its frame"),
  });
});

test("no bytes make it throw, nor go beyond the bound", () => {
  const frame = compress(lines);
  const damaged = fc
    .tuple(fc.nat(frame.length - 1), fc.nat(255), fc.nat(frame.length))
    .map(([at, byte, end]) => frame.map((old, i) => (i === at ? byte : old)).subarray(0, end));
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array(), damaged), (bytes) => {
      const back = decompress(bytes, bound);
      expect(back.ok ? back.bytes.length <= bound : back.why.length > 0).toBe(true);
    }),
    { numRuns: 500 },
  );
});
