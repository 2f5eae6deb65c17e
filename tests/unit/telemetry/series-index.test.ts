import * as fc from "fast-check";
import { expect, test } from "vitest";
import { hashByte, hashSeed, SeriesIndex } from "#telemetry/line-protocol/series-index.ts";
import { bytesOf } from "./support.ts";

function hashOf(bytes: Uint8Array): number {
  return bytes.reduce(hashByte, hashSeed);
}

function find(index: SeriesIndex, key: string): number {
  const bytes = bytesOf(key);
  return index.find(bytes, 0, bytes.length, hashOf(bytes));
}

function add(index: SeriesIndex, key: string, series: number): number {
  const bytes = bytesOf(key);
  return index.add(bytes, 0, bytes.length, hashOf(bytes), series % 20, { series, gateway: series + 1 });
}

test("each key leads to what was added under it, and no other key does", () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.string({ minLength: 1 }), { maxLength: 600 }),
      fc.string(),
      (keys, stranger) => {
        const index = new SeriesIndex();
        for (const [series, key] of keys.entries()) {
          expect(find(index, key)).toBe(-1);
          add(index, key, series);
        }
        for (const [series, key] of keys.entries()) {
          const entry = find(index, key);
          expect(index.series[entry]).toBe(series);
          expect(index.gateway[entry]).toBe(series + 1);
          expect(index.measurement[entry]).toBe(series % 20);
        }
        expect(find(index, stranger) === -1).toBe(!keys.includes(stranger));
      },
    ),
  );
});

test("a guess is right where its key stands and nowhere else", () => {
  const key = fc.string({ minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(
      fc.uniqueArray(key, { minLength: 1, maxLength: 40 }),
      key,
      fc.nat(7),
      (keys, stranger, at) => {
        const index = new SeriesIndex();
        for (const round of [0, 1]) {
          for (const [series, added] of keys.entries()) add(index, added, series + round);
          for (const text of [...keys, stranger]) {
            const bytes = bytesOf(text);
            const words = new DataView(new ArrayBuffer(at + bytes.length + 8));
            new Uint8Array(words.buffer).set(bytes, at);
            for (const [entry, guessed] of keys.entries()) {
              const expected = text.startsWith(guessed) ? bytesOf(guessed).length : 0;
              expect(index.lengthAt(entry, words, at)).toBe(expected);
            }
            expect(index.lengthAt(keys.length, words, at)).toBe(0);
          }
          // Shorter keys now lie where longer ones lay.
          index.clear();
          keys.reverse();
        }
      },
    ),
  );
});

test("keys whose hashes collide are told apart", () => {
  const index = new SeriesIndex();
  const [a, b] = [bytesOf("weather,sensor=a"), bytesOf("weather,sensor=b")];
  index.add(a, 0, a.length, 5, 0, { series: 1, gateway: 1 });
  expect(index.find(b, 0, b.length, 5)).toBe(-1);
  index.add(b, 0, b.length, 5, 0, { series: 2, gateway: 1 });
  expect(index.series[index.find(a, 0, a.length, 5)]).toBe(1);
  expect(index.series[index.find(b, 0, b.length, 5)]).toBe(2);
});

test("100,000 series take at most 150 bytes each and are all found; cleared, none is", () => {
  const index = new SeriesIndex();
  const keys = Array.from({ length: 100_000 }, (_, i) => `traffic_flow,sensor=detector-${i}`);
  for (const [series, key] of keys.entries()) add(index, key, series);
  expect(index.byteLength / index.size).toBeLessThan(150);
  expect(keys.every((key, series) => index.series[find(index, key)] === series)).toBe(true);
  index.clear();
  expect(index.size).toBe(0);
  expect(find(index, keys[0]!)).toBe(-1);
  add(index, keys[7]!, 3);
  expect(index.series[find(index, keys[7]!)]).toBe(3);
});
