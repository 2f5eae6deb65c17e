import * as fc from "fast-check";
import { expect, test, vi } from "vitest";
import { type PositionRange } from "#runtime/durable-queue.ts";
import { Trimmer, rangesOf } from "#edge-agent/trimmer.ts";

test("positions in any order are the same as ranges", () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(60)), (positions) => {
      const ranges = rangesOf(positions);
      const all = ranges.flatMap(({ from, to }) => Array.from({ length: to - from }, (_, i) => from + i));
      expect(all).toEqual(positions.toSorted((a, b) => a - b));
      // Neighbours are one range.
      expect(ranges.every(({ from }, i) => i === 0 || from > ranges[i - 1]!.to)).toBe(true);
    }),
  );
});

test("what the outbox did not forget is asked of it again, with what came meanwhile", async () => {
  const asked: (readonly PositionRange[])[] = [];
  let refuses = true;
  const outbox = {
    remove: async (ranges: readonly PositionRange[]): Promise<void> => {
      asked.push(ranges);
      if (refuses) throw new Error("no room");
    },
  };
  const [onTrimmed, onRefused] = [vi.fn<() => void>(), vi.fn<(error: unknown) => void>()];
  const trimmer = new Trimmer(outbox, { onTrimmed, onRefused });
  trimmer.acknowledged(7, true);
  trimmer.acknowledged(3, false);
  await trimmer.trim();
  expect(onRefused).toHaveBeenCalled();
  refuses = false;
  trimmer.acknowledged(4, false);
  await trimmer.trim();
  expect(asked.at(-1)).toEqual([
    { from: 3, to: 5 },
    { from: 7, to: 8 },
  ]);
  expect(onTrimmed).toHaveBeenCalledTimes(1);
});
