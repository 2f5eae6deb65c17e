import { expect, test } from "vitest";
import { MarsadError } from "#runtime/errors.ts";
import { type WorkerClient, openWorker } from "#runtime/worker.ts";
import type { Kitchen, KitchenInit } from "./workers/kitchen.ts";

const file = new URL("./workers/kitchen.ts", import.meta.url);
const openKitchen = (init: KitchenInit = {}): Promise<WorkerClient<Kitchen>> =>
  openWorker<Kitchen>(file, init);

test("calls are answered, each with its own answer, whatever order they end in", async () => {
  await using kitchen = await openKitchen();
  const slow = kitchen.call("later", { after_ms: 30, dish: "harees" });
  const quick = kitchen.call("later", { after_ms: 1, dish: "dates" });
  expect(await Promise.race([slow, quick])).toBe("dates");
  expect(
    await Promise.all([slow, quick, kitchen.call("double", 21), kitchen.call("nothing", undefined)]),
  ).toEqual(["harees", "dates", 42, undefined]);
});

test("buffers move both ways without a copy", async () => {
  await using kitchen = await openKitchen();
  const column = Float64Array.of(1, 2, 3);
  expect(await kitchen.call("sum", column, [column.buffer])).toBe(6);
  expect(column.length).toBe(0);
  expect((await kitchen.call("fill", 1000)).column.length).toBe(1000);
});

test("a MarsadError crosses the thread as one, with its cause; other errors keep name and message", async () => {
  await using kitchen = await openKitchen();
  const error = await kitchen.call("refuse", "QUEUE_FULL").catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(MarsadError);
  expect(error).toMatchObject({
    code: "QUEUE_FULL",
    message: "no more room",
    stack: expect.stringContaining("kitchen.ts"),
    cause: { name: "MarsadError", code: "QUEUE_UNWRITABLE", message: "the disk" },
  });
  await expect(kitchen.call("refuse", "none")).rejects.toMatchObject({
    name: "RangeError",
    message: "not on the menu",
  });
  await expect(kitchen.call("unclonable", undefined)).rejects.toThrow("could not be cloned");
  expect(await kitchen.call("double", 1)).toBe(2);
});

test("what opening throws is thrown by openWorker", async () => {
  await expect(openKitchen({ fail: "open" })).rejects.toMatchObject({
    code: "DATA_LOCKED",
    message: "the kitchen is taken",
  });
  await expect(openWorker(new URL("./workers/missing.ts", import.meta.url), {})).rejects.toMatchObject({
    code: "THREAD_LOST",
  });
});

test("closing answers what was called before, then closes the worker, and refuses later calls", async () => {
  const closed = new SharedArrayBuffer(4);
  const kitchen = await openKitchen({ closed });
  const before = kitchen.call("later", { after_ms: 20, dish: "balaleet" });
  const closing = kitchen[Symbol.asyncDispose]();
  await expect(kitchen.call("double", 1)).rejects.toMatchObject({ code: "THREAD_LOST" });
  expect(await before).toBe("balaleet");
  await closing;
  await kitchen[Symbol.asyncDispose]();
  expect(new Int32Array(closed)[0]).toBe(1);
  expect(await kitchen.ended).toBeUndefined();
});

test("what closing throws is thrown by the disposal", async () => {
  const kitchen = await openKitchen({ fail: "close" });
  await expect(kitchen[Symbol.asyncDispose]()).rejects.toMatchObject({ code: "QUEUE_UNWRITABLE" });
});

test.for(["explode", "exit"] as const)(
  "when the worker dies (%s) every pending and later call is refused",
  async (how) => {
    const kitchen = await openKitchen();
    const pending = kitchen.call("later", { after_ms: 10_000, dish: "never" });
    kitchen.call("later", { after_ms: 10_000, dish: "never" }).catch(() => undefined);
    kitchen.call(how, undefined).catch(() => undefined);
    await expect(pending).rejects.toMatchObject({ code: "THREAD_LOST" });
    await expect(kitchen.call("double", 1)).rejects.toMatchObject({ code: "THREAD_LOST" });
    expect(await kitchen.ended).toMatchObject({
      code: "THREAD_LOST",
      message: expect.stringContaining("kitchen.ts"),
    });
    await kitchen[Symbol.asyncDispose]();
  },
);
