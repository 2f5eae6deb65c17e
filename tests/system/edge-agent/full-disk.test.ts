import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import pino from "pino";
import { expect, test } from "vitest";
import { openEdgeAgent } from "#edge-agent/index.ts";
import { openAedes } from "../../support/brokers.ts";
import { reportFault } from "../../support/fault-report.ts";
import { poll } from "../../support/poll.ts";
import { mountSmallDisk, needsMount } from "../../support/small-disk.ts";
import { openTcpProxy } from "../../support/tcp-proxy.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { Received } from "./received.ts";
import { config, lines, openAgent, openSensor } from "./support.ts";

const MiB = 1024 * 1024;

test("on a full disk senders wait, nothing committed is lost, and it goes on when the broker is back", async ({
  skip,
}) => {
  using folder = tempFolder("edge");
  await using disk = await mountSmallDisk(folder.path, 2 * MiB);
  skip(disk === undefined, needsMount);
  await using broker = await openAedes();
  const received = new Received();
  broker.onMessage = received.take;
  await using proxy = await openTcpProxy(broker.port);
  proxy.closed = true;
  await using agent = await openAgent(config({ mqttPort: proxy.port, data: folder.path }));
  using sensor = await openSensor(agent.inputs[0]!.address);

  // 14 MB: more than the disk, the agent's memory and the sockets' buffers hold together.
  const count = 200_000;
  const sending = (async () => {
    for (let from = 0; from < count; from += 1000) await sensor.send(lines(from, from + 1000));
  })();
  const { received: held } = await settled(() => agent.stats());
  expect(held).toBeGreaterThan(1000);
  expect(held).toBeLessThan(count);
  expect(agent.stats().batched).toBeGreaterThan(1000);

  proxy.closed = false;
  await sending;
  await poll(() => received.count === count);
  expect(received.lines()).toEqual(lines(0, count));
  expect(received.contiguous).toBe(true);
  expect(received.contradictions).toEqual([]);
});

test("room that somebody makes on a full disk is used without a restart, soon, and the log says why it stood still", async ({
  skip,
  annotate,
}) => {
  using folder = tempFolder("edge");
  await using disk = await mountSmallDisk(folder.path, 2 * MiB);
  skip(disk === undefined, needsMount);
  await using broker = await openAedes();
  const received = new Received();
  broker.onMessage = received.take;
  await using proxy = await openTcpProxy(broker.port);
  proxy.closed = true;
  const said: string[] = [];
  const log = pino({ level: "error" }, { write: (line: string) => void said.push(line) });
  const { signal } = new AbortController();
  const settings = config({ mqttPort: proxy.port, data: folder.path });
  await using agent = await openEdgeAgent(settings, { signal, log });
  using sensor = await openSensor(agent.inputs[0]!.address);
  const ballast = join(folder.path, "ballast");
  await fill(ballast);
  await sensor.send(lines(0, 2000));
  await poll(() => agent.stats().received === 2000);
  const { batched } = await settled(() => agent.stats());
  expect(batched).toBeLessThan(2000);
  expect(said.map((line) => JSON.parse(line) as object)).toContainEqual(
    expect.objectContaining({
      msg: "The outbox takes no more; senders wait.",
      err: expect.objectContaining({ code: "QUEUE_UNWRITABLE" }),
    }),
  );
  const begun = performance.now();
  await rm(ballast);
  await poll(() => agent.stats().batched > batched);
  const resumed = performance.now() - begun;
  await poll(() => agent.stats().batched === 2000);
  proxy.closed = false;
  await poll(() => received.count === 2000);
  const arrived = new Set(received.lines());
  await reportFault(annotate, {
    fault: "disk full under the outbox",
    tried: 1,
    sent: 2000,
    acknowledged: 2000,
    lost: lines(0, 2000).filter((line) => !arrived.has(line)).length,
    twice: received.count - arrived.size,
    measured: { "resumed after, ms": Math.round(resumed) },
  });
  expect(received.lines()).toEqual(lines(0, 2000));
  expect(received.contiguous).toBe(true);
  expect(resumed).toBeLessThan(5000);
});

test("an outbox at its bound makes senders wait", async () => {
  using folder = tempFolder("edge");
  await using broker = await openAedes();
  const received = new Received();
  broker.onMessage = received.take;
  await using proxy = await openTcpProxy(broker.port);
  proxy.closed = true;
  const outbox = { max_live_bytes: MiB };
  await using agent = await openAgent(config({ mqttPort: proxy.port, data: folder.path, outbox }));
  using sensor = await openSensor(agent.inputs[0]!.address);
  const count = 150_000;
  const sending = (async () => {
    for (let from = 0; from < count; from += 1000) await sensor.send(lines(from, from + 1000));
  })();
  const { backlogBytes, received: held } = await settled(() => agent.stats());
  expect(held).toBeLessThan(count);
  expect(backlogBytes).toBeLessThanOrEqual(MiB);
  proxy.closed = false;
  await sending;
  await poll(() => received.count === count);
  expect(received.contiguous).toBe(true);
});

/** What `ask` answers once it answers the same for a second. */
async function settled<Answer>(ask: () => Answer): Promise<Answer> {
  let last = "";
  let since = performance.now();
  return poll(() => {
    const answer = ask();
    const text = JSON.stringify(answer);
    if (text !== last) since = performance.now();
    last = text;
    return performance.now() - since > 1000 ? answer : undefined;
  });
}

/** Writes until the disk is full. */
async function fill(file: string): Promise<void> {
  for (let bytes = 2 * MiB; bytes >= 4096; bytes /= 2) {
    await writeFile(file, Buffer.alloc(bytes), { flag: "a" }).catch(() => {});
  }
}
