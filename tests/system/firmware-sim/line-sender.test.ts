import { expect, test } from "vitest";
import { openLog } from "#runtime/log.ts";
import { openLineSender } from "#firmware-sim/line-sender.ts";
import { LineServer } from "./line-server.ts";

const log = openLog({ name: "test", level: "silent" });
const chunkOf = (from: number, count: number): Buffer =>
  Buffer.from(Array.from({ length: count }, (_, i) => `m,sensor=s v=${from + i} ${from + i}\n`).join(""));
const valueOf = (line: string): number => Number(/v=(\d+)/.exec(line)?.[1]);

test("lines arrive whole and in order, and closing waits for them", async () => {
  await using server = await new LineServer().listen();
  {
    await using sender = await openLineSender(server.address, { signal: new AbortController().signal, log });
    for (let i = 0; i < 50; i += 1) await sender.write(chunkOf(i * 1000, 1000));
  }
  await server.until(() => server.lines.length === 50_000);
  expect(server.lines.map(valueOf)).toEqual(Array.from({ length: 50_000 }, (_, i) => i));
});

test("a server that does not read makes the writer wait, and memory stays bounded", async () => {
  await using server = await new LineServer(false).listen();
  server.read(false);
  await using sender = await openLineSender(server.address, { signal: new AbortController().signal, log });
  const chunk = chunkOf(0, 4000);
  let pause: Promise<void> | undefined;
  let written = 0;
  while (pause === undefined) {
    pause = sender.write(chunk);
    written += 1;
    if (written % 8 === 0) await new Promise(setImmediate);
  }
  expect(sender.queuedBytes).toBeLessThan(1024 * 1024 + chunk.length + 1);
  server.read(true);
  await pause;
  await sender.flushed();
  await server.until(() => server.received === written * 4000);
});

test("it waits for a server that is not there yet", async () => {
  const server = await new LineServer().listen();
  const { address } = server;
  await server[Symbol.asyncDispose]();
  const opening = openLineSender(address, { signal: new AbortController().signal, log });
  await using late = await new LineServer().listen(address.port);
  await using sender = await opening;
  await sender.write(chunkOf(0, 3));
  await late.until(() => late.lines.length === 3);
  expect(late.connections).toBe(1);
});

test("after a broken connection no line is missing, though some may come twice", async () => {
  await using server = await new LineServer().listen();
  await using sender = await openLineSender(server.address, { signal: new AbortController().signal, log });
  for (let i = 0; i < 60; i += 1) {
    await sender.write(chunkOf(i * 500, 500));
    if (i % 20 === 10) server.drop();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await server.until(() => new Set(server.lines).size >= 30_000);
  expect(server.connections).toBeGreaterThan(2);
  expect(new Set(server.lines.map(valueOf))).toEqual(new Set(Array.from({ length: 30_000 }, (_, i) => i)));
});

test("aborting ends the wait for a server that never comes, and for one that never reads", async () => {
  const gone = await new LineServer().listen();
  const { address } = gone;
  await gone[Symbol.asyncDispose]();
  const never = new AbortController();
  const opening = openLineSender(address, { signal: never.signal, log });
  setTimeout(() => never.abort(), 30);
  await expect(opening).rejects.toThrow(/abort/i);

  await using deaf = await new LineServer(false).listen();
  deaf.read(false);
  const controller = new AbortController();
  const sender = await openLineSender(deaf.address, { signal: controller.signal, log });
  const writing = (async () => {
    for (;;) await sender.write(Buffer.alloc(65_536, 10));
  })();
  setTimeout(() => controller.abort(), 100);
  await expect(writing).rejects.toThrow(/abort/i);
  const started = performance.now();
  await sender[Symbol.asyncDispose]();
  await sender[Symbol.asyncDispose]();
  expect(performance.now() - started).toBeLessThan(10_000);
});
