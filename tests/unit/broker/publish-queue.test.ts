import { expect, test } from "vitest";
import { PublishQueue } from "#broker/publish-queue.ts";

test("one after the other for each key, also after one has failed", async () => {
  const queue = new PublishQueue(10);
  const done: string[] = [];
  const { promise: blocked, resolve: release } = Promise.withResolvers<void>();
  const first = queue.run("a", () => blocked.then(() => Promise.reject(new Error("broken"))));
  const second = queue.run("a", async () => void done.push("a2"));
  const other = queue.run("b", async () => void done.push("b1"));
  await other;
  expect(done).toEqual(["b1"]);
  release();
  await expect(first).rejects.toThrow("broken");
  await second;
  expect(done).toEqual(["b1", "a2"]);
});

test("refuses beyond its bound, and takes again when there is room", async () => {
  const queue = new PublishQueue(1);
  const first = queue.run("a", async () => {});
  await expect(queue.run("a", async () => {})).rejects.toMatchObject({ code: "REFUSED" });
  await first;
  await queue.run("a", async () => {});
});
