import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { accountOf } from "#ingest/account.ts";
import { GatewayState } from "#ingest/gateway-state.ts";
import { Gateways } from "#ingest/gateways.ts";
import { HeldSessions } from "#ingest/held-sessions.ts";
import { InFlight } from "#ingest/in-flight.ts";
import { LedgerRecord } from "#ingest/journal/messages.ts";
import { Outboxes, outboxesKept } from "#ingest/outboxes.ts";
import { SeriesDictionary } from "#ingest/series-dictionary.ts";
import { Tallies } from "#ingest/tallies.ts";
import { reasons } from "#telemetry/rejection.ts";

const tally = (
  gateway: string,
  stored: number,
  merged: number,
  duplicate: number,
): Parameters<Tallies["take"]>[0]["tallies"][number] => ({ gateway, stored, merged, duplicate });

describe("readings in flight", () => {
  test("any history of blocks and stores gives what a plain sum over the open blocks gives", () => {
    const counts = fc.uniqueArray(fc.tuple(fc.nat(6), fc.integer({ min: 1, max: 1_000 })), {
      selector: ([gateway]) => gateway,
      maxLength: 4,
    });
    const step = fc.oneof(fc.record({ add: counts }), fc.record({ stored: fc.nat(5) }));
    fc.assert(
      fc.property(fc.nat(1_000), fc.array(step, { maxLength: 60 }), (first, steps) => {
        const inFlight = new InFlight(first);
        const open: [number, number][][] = [];
        let position = first;
        for (const each of steps) {
          if ("add" in each) {
            inFlight.add(each.add.flat());
            open.push(each.add);
          } else {
            position += open.splice(0, each.stored).length;
            inFlight.storedTo(position);
            inFlight.storedTo(position - 1); // an answer that comes late changes nothing
          }
          const flat = open.flat();
          expect(inFlight.readings).toBe(flat.reduce((sum, [, readings]) => sum + readings, 0));
          expect(inFlight.first).toBe(position);
          expect(inFlight.next).toBe(position + open.length);
          for (let gateway = 0; gateway <= 6; gateway += 1) {
            const own = flat.filter(([number]) => number === gateway);
            expect(inFlight.of(gateway)).toBe(own.reduce((sum, [, readings]) => sum + readings, 0));
          }
        }
      }),
    );
  });
});

test("one block may hold readings of more gateways than a call takes arguments", () => {
  const gateways = 100_000;
  const inFlight = new InFlight(0);
  inFlight.add(Array.from({ length: gateways }, (_, gateway) => [gateway, 2]).flat());
  expect([inFlight.readings, inFlight.of(gateways - 1)]).toEqual([2 * gateways, 2]);
  inFlight.storedTo(1);
  expect(inFlight.readings).toBe(0);
});

describe("a gateway's outboxes", () => {
  test("are bounded: the one used longest ago is forgotten, whatever the clock does", () => {
    fc.assert(
      fc.property(fc.array(fc.record({ id: fc.nat(25), now: fc.nat(100) }), { maxLength: 120 }), (uses) => {
        const outboxes = new Outboxes();
        let order: string[] = [];
        for (const { id, now } of uses) {
          const name = `o-${id}`;
          const { outbox, forgotten } = outboxes.use(name, now);
          expect(outbox.id).toBe(name);
          order = [...order.filter((other) => other !== name), name];
          const oldest = order.length > outboxesKept ? order.shift() : undefined;
          expect(forgotten?.id).toBe(oldest);
        }
        for (const name of order) expect(outboxes.get(name)?.id).toBe(name);
        const records = order.map((outbox) => {
          const { numbers, lastUsed } = outboxes.get(outbox)!;
          return { gateway: "gw-1", outbox, intervals: numbers.toJSON(), lastUsed };
        });
        const restored = new Outboxes();
        restored.restore(records.toReversed());
        for (let i = order.length; i < outboxesKept; i += 1) restored.use(`more-${i}`, 0);
        expect(restored.use("one more", 0).forgotten?.id).toBe(order[0] ?? "more-0");
      }),
    );
  });

  test("say which numbers are missing, and at most so many that sums stay exact", () => {
    const outboxes = new Outboxes();
    outboxes.use("a", 1).outbox.numbers.add(5, 10);
    outboxes.use("b", 2).outbox.numbers.add(1, 2);
    expect(outboxes.missing()).toBe(6);
    expect(outboxes.gaps(1)).toEqual([{ outbox: "a", from: 0, to: 5 }]);
    outboxes.use("c", 3).outbox.numbers.add(2 ** 53 - 2, 2 ** 53 - 1);
    expect(outboxes.missing()).toBe(1e12);
  });
});

describe("a gateway's ledger", () => {
  test("survives as JSON, exactly", () => {
    const count = fc.maxSafeNat();
    const refused = fc.dictionary(
      fc.constantFrom(...reasons),
      fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
    );
    fc.assert(
      fc.property(
        fc.record({ received: count, duplicate: count, refused, waiting: count, waitingBytes: count }),
        (counts) => {
          const gateway = new GatewayState({ name: "gw-1", agency: "water" }, 0);
          gateway.restore({ gateway: "gw-1", agency: "water", lastSeen: 1.5, ...counts });
          const record = JSON.parse(JSON.stringify(gateway.toRecord())) as unknown;
          expect(LedgerRecord.parse(record)).toEqual({
            gateway: "gw-1",
            agency: "water",
            lastSeen: 1.5,
            ...counts,
          });
        },
      ),
    );
  });

  test("shows no reason whose refusals were all taken back", () => {
    const gateway = new GatewayState({ name: "gw-1", agency: "water" }, 0);
    gateway.addRefused("syntax", 3);
    gateway.addRefused("future", 2);
    gateway.addRefused("syntax", -3);
    expect(gateway.refused).toEqual({ future: 2 });
    expect(gateway.refusedTotal()).toBe(2);
  });

  test("does not balance when a reading is lost or invented anywhere", () => {
    const gateway = new GatewayState({ name: "gw-1", agency: "water" }, 0);
    gateway.received = 10;
    gateway.duplicate = 1;
    gateway.addRefused("syntax", 2);
    gateway.waiting = 1;
    const tally = { gateway: "gw-1", stored: 3, merged: 1, duplicate: 1 };
    const balanced = (onItsWay: number): boolean =>
      accountOf(gateway, tally, onItsWay, { connected: true, sensors: 1 }).balanced;
    expect([1, 2, 3].map(balanced)).toEqual([false, true, false]);
  });
});

describe("gateways", () => {
  test("are known by name: the agency is the one they speak in, not one that a record or sensor remembers", () => {
    const gateways = new Gateways();
    const number = gateways.numberOf("gw-1");
    expect([...gateways.all()]).toEqual([]);
    const state = gateways.known({ name: "gw-1", agency: "water" });
    expect(state.number).toBe(number);
    expect(gateways.sender({ name: "gw-1", agency: "energy" })).toBe(state);
    expect(gateways.known({ name: "gw-1", agency: "water" }).identity.agency).toBe("energy");
    expect(gateways.nameOf(number)).toBe("gw-1");
    expect(() => gateways.nameOf(7)).toThrow("no gateway has number 7");
  });
});

describe("what the store made of readings", () => {
  test("is summed from its answers, or counted anew, without what it had made before the journal began", () => {
    const tallies = new Tallies([tally("a", 12, 2, 3)], [tally("a", 10, 2, 1)]);
    expect(tallies.of("a")).toEqual(tally("a", 2, 0, 2));
    tallies.take({ of: "batch", tallies: [tally("a", 5, 1, 0), tally("b", 1, 0, 0)] });
    expect([tallies.of("a"), tallies.of("b"), tallies.of("c")]).toEqual([
      tally("a", 7, 1, 2),
      tally("b", 1, 0, 0),
      tally("c", 0, 0, 0),
    ]);
    tallies.take({ of: "all", tallies: [tally("a", 18, 3, 3)] });
    expect([tallies.of("a"), tallies.of("b")]).toEqual([tally("a", 8, 1, 2), tally("b", 0, 0, 0)]);
  });
});

describe("the series dictionary", () => {
  test("gives numbers in order, never one that somebody remembers", () => {
    const dictionary = new SeriesDictionary();
    expect(dictionary.restore({ series: 5, agency: "a", measurement: "m", sensor: "s" })).toBe(true);
    expect(dictionary.add("a", "m", "t")).toEqual({ series: 6, agency: "a", measurement: "m", sensor: "t" });
    expect(dictionary.get("a", "m", "s")).toBe(5);
    expect(dictionary.has(4)).toBe(false);
    expect(dictionary.restore({ series: 5, agency: "a", measurement: "m", sensor: "s" })).toBe(true);
    expect(dictionary.restore({ series: 7, agency: "a", measurement: "m", sensor: "s" })).toBe(false);
    expect(dictionary.restore({ series: 5, agency: "b", measurement: "m", sensor: "s" })).toBe(false);
    expect(Array.from(dictionary.entries(), ({ series }) => series)).toEqual([5, 6]);
  });
});

describe("held sessions", () => {
  test("are resumed once each; those not taken again are held again, those that ended are let go", () => {
    const held = new HeldSessions();
    const calls: string[] = [];
    const session = (name: string, again: boolean): Parameters<HeldSessions["add"]>[0] => {
      const self = {
        gateway: { name, agency: "water" },
        acknowledge: () => undefined,
        resume: () => {
          calls.push(name);
          if (again) held.add(self);
        },
      };
      return self;
    };
    const waits = session("waits", true);
    held.add(waits);
    held.add(session("ended", false));
    held.add(waits);
    held.resume();
    held.resume();
    expect(calls).toEqual(["waits", "ended", "waits"]);
    expect(held.size).toBe(1);
  });
});
