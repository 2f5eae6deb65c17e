import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { PositionRange } from "#runtime/durable-queue.ts";
import { PositionRanges } from "#edge-agent/position-ranges.ts";
import { risingSequences } from "../../support/rising-sequences.ts";
import { type SendLimits, SendPlan, type StoredBatch } from "#edge-agent/send-plan.ts";

const limits: SendLimits = { window: 4, windowBytes: 1000, liveBytes: 1000 };
const empty: PositionRange[] = [];

function stored(from: number, to: number): PositionRange[] {
  return from < to ? [{ from, to }] : [];
}

function batch(position: number, bytes = 100): StoredBatch {
  return { position, count: 10, payload: Buffer.allocUnsafe(bytes) };
}

/** Everything the plan would send now. */
function sendAll(plan: SendPlan): number[] {
  const sent: number[] = [];
  for (let next = plan.next(); next !== undefined; next = plan.next()) sent.push(next.position);
  return sent;
}

describe("without a backlog", () => {
  test("live batches go in order, as many as the window takes", () => {
    const plan = new SendPlan(limits, empty);
    for (let position = 0; position < 6; position += 1) plan.addLive(batch(position));
    expect(sendAll(plan)).toEqual([0, 1, 2, 3]);
    plan.acknowledge(0);
    expect(sendAll(plan)).toEqual([4]);
  });

  test("the bytes in flight stay within their bound, but one batch may always go", () => {
    const plan = new SendPlan({ ...limits, liveBytes: 10_000 }, empty);
    for (const [position, bytes] of [1500, 600, 600].entries()) plan.addLive(batch(position, bytes));
    expect(sendAll(plan)).toEqual([0]);
    plan.acknowledge(0);
    expect(sendAll(plan)).toEqual([1]);
  });

  test("a PUBACK that comes twice, or for nothing, changes nothing", () => {
    const plan = new SendPlan(limits, empty);
    plan.addLive(batch(0));
    sendAll(plan);
    expect(plan.acknowledge(0)?.position).toBe(0);
    expect(plan.acknowledge(0)).toBeUndefined();
    expect(plan.acknowledge(7)).toBeUndefined();
  });
});

describe("with a backlog", () => {
  test("live batches go before it, and it keeps a quarter of the window, oldest first", () => {
    const plan = new SendPlan(limits, stored(0, 10));
    expect(plan.wanted).toBe(0);
    plan.load(
      0,
      [0, 1, 2, 3, 4, 5].map((position) => batch(position)),
    );
    for (let position = 10; position < 14; position += 1) plan.addLive(batch(position));
    expect(sendAll(plan)).toEqual([10, 11, 12, 0]);
    plan.acknowledge(0);
    expect(sendAll(plan)).toEqual([1]);
    plan.acknowledge(10);
    expect(sendAll(plan)).toEqual([13]);
    plan.acknowledge(11);
    expect(sendAll(plan)).toEqual([2]);
  });

  test("of the bytes in flight a quarter is the backlog's as well, however large live batches are", () => {
    const plan = new SendPlan({ window: 8, windowBytes: 1000, liveBytes: 10_000 }, stored(0, 10));
    plan.load(
      0,
      [0, 1, 2, 3].map((position) => batch(position, 250)),
    );
    for (let position = 10; position < 20; position += 1) plan.addLive(batch(position, 250));
    expect(sendAll(plan)).toEqual([10, 11, 12, 0]);
    plan.acknowledge(0);
    expect(sendAll(plan)).toEqual([1]);
    plan.acknowledge(10);
    expect(sendAll(plan)).toEqual([13]);
  });

  test("live batches that memory has no room for are read from disk later, in their turn", () => {
    const plan = new SendPlan({ ...limits, liveBytes: 250 }, empty);
    for (let position = 0; position < 5; position += 1) plan.addLive(batch(position));
    expect(plan.wanted).toBe(0);
    plan.load(
      0,
      [0, 1, 2, 3, 4].map((position) => batch(position)),
    );
    expect(plan.wanted).toBeUndefined();
    expect(sendAll(plan)).toEqual([3, 4, 0, 1]);
    for (const position of [3, 4, 0, 1]) plan.acknowledge(position);
    expect(sendAll(plan)).toEqual([2]);
  });

  test("a position that the outbox does not have is not asked for again", () => {
    const plan = new SendPlan(limits, [...stored(0, 4), ...stored(7, 9)]);
    plan.load(0, [batch(2)]);
    expect(plan.wanted).toBe(3);
    plan.load(3, []);
    expect(plan.wanted).toBe(7);
    plan.load(7, [batch(7), batch(8)]);
    expect(plan.wanted).toBeUndefined();
  });
});

describe("after a lost connection", () => {
  test("what was in flight goes first in its lane, oldest first, and counts as sent again", () => {
    const plan = new SendPlan(limits, stored(0, 4));
    plan.load(
      0,
      [0, 1, 2, 3].map((position) => batch(position)),
    );
    plan.addLive(batch(4));
    expect(sendAll(plan)).toEqual([4, 0, 1, 2]);
    plan.acknowledge(0);
    plan.connectionLost();
    expect(plan.inFlight).toBe(0);
    plan.addLive(batch(5));
    expect(sendAll(plan)).toEqual([4, 5, 1, 2]);
    expect(plan.resentBatches).toBe(3);
    expect(plan.resentReadings).toBe(30);
  });
});

test("whatever happens, every batch is acknowledged in the end, only once in flight at a time, and in two rising sequences a connection", () => {
  const step = fc.constantFrom(
    "commit",
    "send",
    "ack-first",
    "ack-last",
    "read",
    "cut",
  ) as fc.Arbitrary<string>;
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100 }), fc.nat({ max: 20 }), fc.nat(3), (steps, old, hole) => {
      // Positions 0 .. old are there but for one in four.
      const disk = Array.from({ length: old }, (_, position) => batch(position)).filter(
        ({ position }) => position % 4 !== hole,
      );
      let next = old;
      const left = disk.map(({ position }) => ({ from: position, to: position + 1 }));
      const plan = new SendPlan({ window: 4, windowBytes: 350, liveBytes: 250 }, left);
      const inFlight: number[] = [];
      const acknowledged = new Set<number>();
      let repeated = false;
      let known = true;
      let connection: number[] = [];
      const connections = [connection];
      const perform = (name: string): void => {
        if (name === "commit") {
          disk.push(batch(next++));
          plan.addLive(disk.at(-1)!);
        } else if (name === "send") {
          const sent = plan.next();
          if (sent !== undefined) {
            repeated ||= inFlight.includes(sent.position) || acknowledged.has(sent.position);
            inFlight.push(sent.position);
            connection.push(sent.position);
          }
        } else if (name === "read") {
          const from = plan.wanted;
          // What was acknowledged is gone from the disk already.
          if (from !== undefined) {
            const kept = disk.filter(({ position }) => position >= from && !acknowledged.has(position));
            plan.load(from, kept.slice(0, 3));
          }
        } else if (name === "cut") {
          plan.connectionLost();
          inFlight.length = 0;
          connections.push((connection = []));
        } else {
          const position = name === "ack-first" ? inFlight.shift() : inFlight.pop();
          if (position !== undefined) {
            known &&= plan.acknowledge(position)?.position === position;
            acknowledged.add(position);
          }
        }
        expect(plan.inFlight).toBe(inFlight.length);
        expect(plan.inFlight).toBeLessThanOrEqual(3); // 350 bytes
      };
      steps.forEach(perform);
      for (let round = 0; round < 3 * disk.length; round += 1) ["read", "send", "ack-first"].forEach(perform);
      expect([repeated, known]).toEqual([false, true]);
      expect([...acknowledged].sort((one, other) => one - other)).toEqual(
        disk.map(({ position }) => position),
      );
      for (const sent of connections) expect(risingSequences(sent)).toBeLessThanOrEqual(2);
    }),
  );
});

test("ranges of positions are a set", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat({ max: 3 }), fc.nat({ max: 5 })), { maxLength: 50 }),
      fc.array(fc.nat({ max: 200 }), { maxLength: 50 }),
      (additions, removals) => {
        const ranges = new PositionRanges();
        const set = new Set<number>();
        let end = 0;
        for (const [gap, length] of additions) {
          ranges.add(end + gap, end + gap + length);
          for (let position = end + gap; position < end + gap + length; position += 1) set.add(position);
          end += gap + length;
        }
        for (const removal of removals) {
          expect(ranges.removeThrough(removal)).toBe(set.has(removal));
          for (const position of set) if (position <= removal) set.delete(position);
          expect(ranges.lowest).toBe(set.size === 0 ? undefined : Math.min(...set));
        }
      },
    ),
  );
});
