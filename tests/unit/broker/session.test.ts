import * as fc from "fast-check";
import { expect, test } from "vitest";
import { ByteBudget } from "#broker/byte-budget.ts";
import { Copies } from "#broker/copies.ts";
import type { BrokerCounts } from "#broker/metrics.ts";
import { Session } from "#broker/session.ts";
import type { UplinkHandler } from "#broker/uplink.ts";
import { noCounts } from "./support.ts";

interface Bench {
  readonly session: Session;
  readonly budget: ByteBudget;
  readonly counts: BrokerCounts;
  readonly taken: string[];
  readonly acknowledged: number[];
  full: boolean;
}

function bench(decide: () => boolean, inFlightBytes = 1000): Bench {
  const counts = noCounts();
  const budget = new ByteBudget(10_000);
  const onUplink: UplinkHandler = (_session, _channel, payload) => {
    const takes = decide();
    if (takes) result.taken.push(Buffer.from(payload).toString());
    return takes;
  };
  const session = new Session({
    gateway: { name: "g", agency: "a" },
    onUplink,
    inFlightBytes,
    heldBudget: budget,
    copies: new Copies(1000, counts),
    counts,
    write: (bytes) => {
      for (let at = 0; at < bytes.length; at += 4) result.acknowledged.push(bytes.readUInt16BE(at + 2));
    },
    setFull: (full) => {
      result.full = full;
    },
  });
  const result: Bench = { session, budget, counts, taken: [], acknowledged: [], full: false };
  return result;
}

test("whatever is held, resumed and acknowledged: order is kept, every PUBACK comes once, all bytes are given back", async () => {
  const step = fc.oneof(
    { weight: 3, arbitrary: fc.constant("offer" as const) },
    fc.constant("resume" as const),
    fc.record({ acknowledge: fc.nat(5) }),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 80 }),
      fc.infiniteStream(fc.boolean()),
      async (steps, decisions) => {
        let decide = (): boolean => decisions.next().value;
        const state = bench(() => decide());
        const { session, budget, taken, acknowledged, counts } = state;
        let offered = 0;
        for (const each of steps) {
          if (each === "offer") {
            offered++;
            session.offer("lp", offered, Buffer.from(`${offered}`), 50);
          } else if (each === "resume") {
            session.resume();
          } else {
            session.acknowledge(Math.min(each.acknowledge, session.inFlight));
          }
          await Promise.resolve();
        }
        decide = () => true;
        session.resume();
        session.acknowledge(session.inFlight);
        await Promise.resolve();
        const all = Array.from({ length: offered }, (_, i) => i + 1);
        expect(taken.map(Number)).toEqual(all);
        expect(acknowledged).toEqual(all);
        expect(budget.used).toBe(0);
        expect(counts.pausedSessions).toBe(0);
        expect(state.full).toBe(false);
      },
    ),
  );
});

test("says full at the bound on bytes in flight, and no longer below it", () => {
  const state = bench(() => true, 100);
  state.session.offer("lp", 1, Buffer.from("a"), 60);
  expect(state.full).toBe(false);
  state.session.offer("lp", 2, Buffer.from("b"), 60);
  expect(state.full).toBe(true);
  state.session.acknowledge(1);
  expect(state.full).toBe(false);
});

test("a held payload is a copy: the bytes it came in may change", () => {
  let takes = false;
  const { session, taken } = bench(() => takes);
  const chunk = Buffer.from("first");
  session.offer("lp", 1, chunk, 10);
  chunk.fill("x");
  takes = true;
  session.resume();
  expect(taken).toEqual(["first"]);
});

test("the end gives held bytes back, also when a handler brings it about", () => {
  let end = false;
  const state = bench(() => {
    if (end) state.session.end();
    return false;
  }, 50);
  state.session.offer("lp", 1, Buffer.from("a"), 60);
  state.session.offer("lp", 2, Buffer.from("b"), 60);
  expect(state.budget.used).toBe(120);
  end = true;
  state.session.resume();
  expect(state.budget.used).toBe(0);
  expect(state.counts.pausedSessions).toBe(0);
  state.session.offer("lp", 3, Buffer.from("c"), 60);
  state.session.acknowledge(9);
  state.session.end();
  expect(state.acknowledged).toEqual([]);
});

test("a birth passes held readings: they wait for the sensors that it names", () => {
  let room = false;
  const { session, taken } = bench(() => room);
  session.offer("lp", 1, Buffer.from("reading"), 50);
  room = true;
  session.offer("birth", 2, Buffer.from("birth"), 50);
  session.offer("lp", 3, Buffer.from("later reading"), 50);
  expect(taken).toEqual(["birth"]);
  session.resume();
  expect(taken).toEqual(["birth", "reading", "later reading"]);
});
