import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { maxBytesInFlight } from "#edge-agent/config.ts";
import { reportFault } from "../../support/fault-report.ts";
import { startLines } from "../../support/line-load.ts";
import { openLinkedCity } from "../../support/linked-edge.ts";
import { MemoryWatch } from "../../support/memory.ts";
import { poll } from "../../support/poll.ts";
import { risingSequences } from "../../support/rising-sequences.ts";
import { kills } from "../../support/soak.ts";
import { SteadyReadings } from "../../support/steady-readings.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import type { UplinkTap } from "../../support/uplink-tap.ts";

const MiB = 1024 * 1024;
const window = 8;

/** Each reading in its order: on a connection live batches rise, and so do those of the backlog beside them. */
function expectOrder({ connections }: UplinkTap): void {
  for (const firsts of connections) expect(risingSequences(firsts)).toBeLessThanOrEqual(2);
}

function expectWindow({ most }: UplinkTap): void {
  expect(most.batches).toBeLessThanOrEqual(window);
  expect(most.bytes).toBeLessThanOrEqual(maxBytesInFlight);
}

/** Connections that brought anything. */
function used({ connections }: UplinkTap): number {
  return connections.filter((firsts) => firsts.length > 0).length;
}

/** Batches that went by more than once. */
function repeats({ connections }: UplinkTap): number {
  const all = connections.flat();
  return all.length - new Set(all).size;
}

const cuts = 2 * kills;

test(
  `a link of 30 ms that breaks ${cuts} x, half-open too, costs no reading, no order, and repeats within the window`,
  async ({ annotate }) => {
    using folder = tempFolder("edge-link");
    const readings = new SteadyReadings("corniche-1", Date.now() - 3_600_000);
    await using city = await openLinkedCity(folder.path, readings);
    const { proxy, tap } = city;
    proxy.delay = 15;
    await using edge = await city.startAgent({ keepalive_s: 1, window });
    await using lines = startLines({ readings, rate: 5000, input: () => edge.input });
    for (let cut = 0; cut < cuts; cut++) {
      const { up } = proxy.bytes;
      await poll(() => proxy.bytes.up > up + 100_000, { interval: 10 });
      await sleep(Math.random() * 100); // at any moment of a batch
      const { connections } = proxy;
      if (cut % 2 === 0) {
        proxy.closed = true;
        proxy.cut();
        await sleep(300); // meanwhile a backlog
        proxy.closed = false;
      } else proxy.swallow();
      await poll(() => proxy.connections > connections);
    }
    await lines[Symbol.asyncDispose]();
    const { lost, twice } = await city.verdict(lines.written);
    const resent = repeats(tap);
    await reportFault(annotate, {
      fault: "link of 30 ms cut or half-open",
      tried: cuts,
      sent: lines.written,
      acknowledged: lines.written,
      lost,
      twice,
      measured: { "batches sent again": resent, "most batches in flight": tap.most.batches },
    });
    expect({ lost, twice }).toEqual({ lost: 0, twice: 0 });
    expectOrder(tap);
    expectWindow(tap);
    expect(resent).toBeLessThanOrEqual((used(tap) - 1) * window);
  },
  60_000 + cuts * 15_000,
);

test("a link of 1 Mbit/s and 30 ms that is too narrow for a while brings all in order, over one connection, each batch once", async ({
  annotate,
}) => {
  using folder = tempFolder("edge-link");
  const readings = new SteadyReadings("corniche-1", Date.now() - 3_600_000);
  await using city = await openLinkedCity(folder.path, readings);
  const { proxy, tap } = city;
  proxy.delay = 15;
  proxy.rate = 125_000;
  const acknowledgedAfter: number[] = [];
  const sentAt = new Map<number, number>();
  tap.onSent = ({ first }) => void sentAt.set(first, performance.now());
  tap.onAcknowledged = ({ first }) => void acknowledgedAfter.push(performance.now() - sentAt.get(first)!);
  await using edge = await city.startAgent({
    keepalive_s: 3,
    window,
    batch: { max_bytes: 32 * 1024, max_age_ms: 50 },
  });
  using memory = new MemoryWatch({ edge: edge.pid });
  const first = memory.highest("edge");
  await using lines = startLines({ readings, rate: 5000, input: () => edge.input });
  await poll(() => lines.written >= 6000); // half a megabyte in little more than 1 s
  await lines[Symbol.asyncDispose]();
  const { lost, twice } = await city.verdict(lines.written);
  const latest = Math.max(...acknowledgedAfter);
  await reportFault(annotate, {
    fault: "link of 1 Mbit/s and 30 ms",
    tried: 1,
    sent: lines.written,
    acknowledged: lines.written,
    lost,
    twice,
    measured: { "latest PUBACK, ms": Math.round(latest), "most batches in flight": tap.most.batches },
  });
  expect({ lost, twice }).toEqual({ lost: 0, twice: 0 });
  expect(latest).toBeGreaterThan(1000); // late enough to be taken for lost
  expect([used(tap), repeats(tap)]).toEqual([1, 0]);
  expectOrder(tap);
  expectWindow(tap);
  expect(memory.highest("edge") - first).toBeLessThan(64 * MiB);
});
