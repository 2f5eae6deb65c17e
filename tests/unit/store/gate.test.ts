import { setImmediate as turn } from "node:timers/promises";
import { expect, test } from "vitest";
import { Gate } from "#store/gate.ts";

/** Work that ends when it is told to, and says what happens. */
function work(log: string[], name: string): { run: () => Promise<void>; end: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  const run = async (): Promise<void> => {
    log.push(`${name} begins`);
    await promise;
    log.push(`${name} ends`);
  };
  return { run, end: resolve };
}

test("many share; who is alone waits for all of them, and goes before those who come after it", async () => {
  const gate = new Gate();
  const log: string[] = [];
  const [a, b, alone, c] = ["a", "b", "alone", "c"].map((name) => work(log, name)) as [
    ReturnType<typeof work>,
    ReturnType<typeof work>,
    ReturnType<typeof work>,
    ReturnType<typeof work>,
  ];
  const all = [gate.share(a.run), gate.share(b.run), gate.alone(alone.run), gate.share(c.run)];
  await turn();
  expect(log).toEqual(["a begins", "b begins"]);
  a.end();
  await turn();
  expect(log.at(-1)).toBe("a ends");
  b.end();
  await turn();
  expect(log.at(-1)).toBe("alone begins");
  c.end();
  alone.end();
  await Promise.all(all);
  expect(log.slice(-3)).toEqual(["alone ends", "c begins", "c ends"]);
});

test("who gives up waiting lets in those behind, and an error leaves the gate open", async () => {
  const gate = new Gate();
  const log: string[] = [];
  const [a, b] = [work(log, "a"), work(log, "b")];
  const first = gate.share(a.run);
  const impatience = new AbortController();
  const given = gate.alone(() => Promise.resolve("never"), impatience.signal);
  const second = gate.share(b.run);
  await turn();
  expect(log).toEqual(["a begins"]);
  impatience.abort(new Error("too long"));
  await expect(given).rejects.toThrow("too long");
  await turn();
  expect(log).toEqual(["a begins", "b begins"]);
  a.end();
  b.end();
  await Promise.all([first, second]);
  await expect(gate.alone(() => Promise.reject(new Error("broken")))).rejects.toThrow("broken");
  await expect(gate.alone(() => Promise.resolve(1), impatience.signal)).rejects.toThrow("too long");
  expect(await gate.alone(() => Promise.resolve(2))).toBe(2);
});
