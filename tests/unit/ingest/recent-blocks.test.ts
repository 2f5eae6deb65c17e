import * as fc from "fast-check";
import { expect, test } from "vitest";
import { RecentBlocks } from "#ingest/journal/recent-blocks.ts";

function block(position: number, bytes: number): ArrayBuffer {
  return new Uint8Array(bytes).fill(position).buffer;
}

function keep(recent: RecentBlocks, position: number, bytes: number): boolean {
  const reserved = recent.reserve(bytes);
  if (reserved) recent.put(position, block(position, bytes));
  return reserved;
}

test("blocks are handed out once, in order, about as many bytes as asked for", () => {
  const recent = new RecentBlocks(1000);
  for (let position = 5; position < 10; position += 1) keep(recent, position, 100);
  expect(recent.take(4, 1000)).toBeUndefined();
  expect(recent.take(5, 250)).toEqual({ first: 5, next: 7, blocks: [block(5, 100), block(6, 100)] });
  expect(recent.take(5, 250)).toBeUndefined();
  expect(recent.take(7, 1)).toEqual({ first: 7, next: 8, blocks: [block(7, 100)] });
  expect(recent.take(8, 1000)).toEqual({ first: 8, next: 10, blocks: [block(8, 100), block(9, 100)] });
  expect(recent.bytes).toBe(0);
});

test("when full the oldest stay, and a block that found no room ends what is handed out", () => {
  const recent = new RecentBlocks(250);
  expect([1, 2, 3].map((position) => keep(recent, position, 100))).toEqual([true, true, false]);
  recent.take(1, 100);
  expect(keep(recent, 4, 100)).toBe(true);
  expect(recent.take(2, 1000)?.next).toBe(3);
  expect(recent.take(3, 1000)).toBeUndefined();
  expect(recent.take(4, 1000)?.next).toBe(5);
});

test("nothing is held while the store takes nothing, also not what was being committed then", () => {
  const recent = new RecentBlocks(1000);
  keep(recent, 1, 100);
  recent.reserve(100);
  recent.sleep();
  expect(recent.take(1, 1000)).toBeUndefined();
  recent.put(2, block(2, 100));
  expect(keep(recent, 3, 100)).toBe(false);
  expect(recent.bytes).toBe(0);
  recent.wake();
  expect(keep(recent, 4, 100)).toBe(true);
  expect(recent.take(4, 1000)).toEqual({ first: 4, next: 5, blocks: [block(4, 100)] });
});

test("whatever happens, it stays within its bound and hands out what was put", () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant("keep" as const), bytes: fc.integer({ min: 1, max: 60 }) }),
    fc.record({ kind: fc.constant("fail" as const), bytes: fc.integer({ min: 1, max: 60 }) }),
    fc.record({
      kind: fc.constant("take" as const),
      back: fc.nat(6),
      bytes: fc.integer({ min: 1, max: 120 }),
    }),
    fc.record({ kind: fc.constant("forget" as const), back: fc.nat(6) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const recent = new RecentBlocks(200);
      const held = new Map<number, number>();
      const handedOut: { position: number; bytes: ArrayBuffer }[] = [];
      const expected: typeof handedOut = [];
      const atLeastOne: number[] = [];
      let next = 0;
      for (const action of steps) {
        if (action.kind === "keep") {
          if (keep(recent, next, action.bytes)) held.set(next, action.bytes);
          next += 1;
        } else if (action.kind === "fail") {
          if (recent.reserve(action.bytes)) recent.release(action.bytes);
        } else if (action.kind === "take") {
          const from = Math.max(0, next - action.back);
          const blocks = recent.take(from, action.bytes)?.blocks ?? [];
          handedOut.push(...blocks.map((bytes, i) => ({ position: from + i, bytes })));
          expected.push(
            ...blocks.map((_, i) => ({
              position: from + i,
              bytes: block(from + i, held.get(from + i) ?? 0),
            })),
          );
          if (held.has(from)) atLeastOne.push(blocks.length);
          for (const i of blocks.keys()) held.delete(from + i);
        } else {
          const before = Math.max(0, next - action.back);
          recent.forgetBefore(before);
          for (const position of held.keys()) if (position < before) held.delete(position);
        }
        expect(recent.bytes).toBe([...held.values()].reduce((sum, bytes) => sum + bytes, 0));
        expect(recent.bytes).toBeLessThanOrEqual(200);
      }
      expect(handedOut).toEqual(expected);
      expect(atLeastOne).not.toContain(0);
    }),
  );
});
