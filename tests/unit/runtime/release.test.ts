import { expect, test } from "vitest";
import { release } from "#runtime/release.ts";

test("a released buffer has no bytes; a view of a part leaves the rest alone", () => {
  const buffer = new ArrayBuffer(64);
  const view = new Uint8Array(buffer);
  release(new Uint8Array(buffer, 8));
  release(new Uint8Array(buffer, 0, 63));
  expect(view).toHaveLength(64);
  release(view);
  expect([view.length, buffer.byteLength]).toEqual([0, 0]);
  release(view); // nothing left to give
  const whole = new ArrayBuffer(8);
  release(whole);
  expect(whole.byteLength).toBe(0);
});

test("Node's shared pool is never given away", () => {
  const pooled = Buffer.from("a few bytes");
  release(pooled);
  expect(pooled.toString()).toBe("a few bytes");
});
