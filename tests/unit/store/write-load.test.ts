import { expect, test } from "vitest";
import { WriteLoad } from "#store/duckdb/write-load.ts";

test("the share of the time in which something was written, writes beside one another counted once", () => {
  let now = 0;
  const load = new WriteLoad(() => now, 1000);
  expect(load.share()).toBe(0);
  now = 100;
  const first = load.begin();
  now = 200;
  const second = load.begin();
  now = 300;
  first[Symbol.dispose]();
  now = 400;
  second[Symbol.dispose]();
  expect(load.share()).toBeCloseTo(0.75);
  now = 800;
  expect(load.share()).toBeCloseTo(0.375);
});

test("what was long ago no longer counts", () => {
  let now = 0;
  const load = new WriteLoad(() => now, 1000);
  const write = load.begin();
  now = 5000;
  expect(load.share()).toBe(1);
  write[Symbol.dispose]();
  now = 10_000;
  load.share();
  now = 11_000;
  expect(load.share()).toBeLessThan(0.01);
});
