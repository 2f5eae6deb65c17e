import { randomUUID } from "node:crypto";
import { rm } from "node:fs/promises";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { MarsadError } from "#runtime/errors.ts";
import type { Store } from "#store/port.ts";
import { poll } from "../../support/poll.ts";
import { storeOver } from "../../support/store-over.ts";
import { type City, flow, numbered, openCity, type Session, storedFlow } from "./support.ts";

/*
 * Random histories of one gateway: messages good and bad, births, outages of the store, restarts, replays. At every moment the account
 * balances, and in the end the store holds each reading that was acknowledged and whose sensor is known, once.
 */

const sensors = ["tf-0", "tf-1", "tf-2"];
const sensor = fc.constantFrom(...sensors);
const reading = fc.record({ sensor, second: fc.nat(300) });
type Reading = { readonly sensor: string; readonly second: number };

type Step =
  | {
      readonly do: "send";
      readonly readings: readonly Reading[];
      readonly broken: number;
      readonly header: "none" | "true" | "lie";
    }
  | { readonly do: "send again"; readonly which: number; readonly shift: number }
  | { readonly do: "birth"; readonly sensors: readonly string[] }
  | { readonly do: "outage"; readonly fault: "none" | "before" | "after" }
  | { readonly do: "restart" }
  | { readonly do: "replay" };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant("send" as const),
      readings: fc.array(reading, { maxLength: 6 }),
      broken: fc.nat(2),
      header: fc.constantFrom("none" as const, "true" as const, "lie" as const),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant("send again" as const), which: fc.nat(20), shift: fc.nat(3) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("birth" as const), sensors: fc.subarray(sensors) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("outage" as const),
      fault: fc.constantFrom("none" as const, "before" as const, "after" as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("restart" as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("replay" as const) }) },
);

/** What was said so far. */
class History {
  readonly known = new Set<string>();
  readonly sent: Reading[] = [];
  /** Readings of all kinds, bad headers among them. */
  received = 0;
  readonly batches: { readonly first: number; readonly lines: readonly string[] }[] = [];
  next = 0;
  fault: "none" | "before" | "after" = "none";
}

test("accounts balance at every moment of any history, and each acknowledged reading is stored once", async () => {
  const fault = { now: "none" as History["fault"] };
  await using city = await openCity({
    limits: { group_bytes: 2_000, batch_max_age: 1 },
    wrap: (store) => faulty(store, fault),
  });
  let run = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), async (steps) => {
      run += 1;
      fault.now = "none";
      const gateway = { name: `gw-${run}`, agency: `agency-${run}` };
      // Every third history begins with a new journal beside the old store.
      if (run % 3 === 0) await city.restart(() => rm(city.journal, { recursive: true }));
      const history = new History();
      const outbox = randomUUID();
      let session = city.session(gateway);
      for (const each of steps) {
        if (each.do === "restart") {
          await city.restart(() => session.end());
          session = city.session(gateway);
        } else if (each.do === "replay") await city.ingest.replayDeadLetters({ gateway: gateway.name });
        else if (each.do === "outage") fault.now = each.fault;
        else await say(each, { session, history, outbox });
        expect(history.received === 0 || city.account(gateway.name).balanced).toBe(true);
      }
      fault.now = "none";
      await session.birth(sensors);
      await poll(() => city.account(gateway.name).on_its_way.waiting === 0, { interval: 5 });
      const { sent, stored, duplicate, refused, on_its_way: onItsWay } = await city.settled(gateway.name);
      expect(sent).toBe(history.received + onItsWay.missing);
      expect(stored + duplicate + refused).toBe(history.received);
      expect(await storedBy(city, gateway.agency)).toEqual(
        new Set(history.sent.map(({ sensor, second }) => storedFlow(sensor, second))),
      );
    }),
    { numRuns: 12 },
  );
}, 180_000);

async function say(
  step: Extract<Step, { readonly do: "send" | "send again" | "birth" }>,
  { session, history, outbox }: { session: Session; history: History; outbox: string },
): Promise<void> {
  if (step.do === "birth") return await session.birth(step.sensors);
  if (step.do === "send again") {
    const batch = history.batches[step.which % Math.max(1, history.batches.length)];
    // Cut anew: without its first lines.
    const lines = batch?.lines.slice(step.shift) ?? [];
    if (!batch || lines.length === 0) return;
    history.received += lines.length;
    return await session.send(numbered(outbox, batch.first + step.shift, lines.length, lines.join("")));
  }
  const lines = [
    ...step.readings.map(({ sensor, second }) => flow(sensor, second)),
    ...Array.from({ length: step.broken }, () => "broken\n"),
  ];
  history.sent.push(...step.readings);
  history.received += lines.length;
  if (step.header === "none" || lines.length === 0) return await session.send(lines.join(""));
  const first = history.next;
  history.next += lines.length;
  if (step.header === "true") {
    history.batches.push({ first, lines });
    return await session.send(numbered(outbox, first, lines.length, lines.join("")));
  }
  history.received += 1; // the header
  await session.send(numbered(outbox, Math.max(0, first - 3), lines.length + 1, lines.join("")));
}

async function storedBy(city: City, agency: string): Promise<Set<string>> {
  const entries = Array.from(await city.store.series()).filter((entry) => entry.agency === agency);
  if (entries.length === 0) return new Set();
  const { time, series, values } = await city.store.read({
    measurement: "traffic_flow",
    series: entries.map((entry) => entry.series),
    from: 0,
    to: Date.UTC(2100, 0),
    limit: 100_000,
    order: "asc",
  });
  const names = new Map(entries.map((entry) => [entry.series, entry.sensor]));
  const rows = time.map((at, row) => `${names.get(series[row]!)} ${at} vehicles=${String(values[0]?.[row])}`);
  expect(new Set(rows).size).toBe(rows.length);
  return new Set(rows);
}

function faulty(store: Store, fault: { readonly now: History["fault"] }): Store {
  return storeOver(store, {
    async write(batch) {
      if (fault.now === "before") throw new MarsadError("STORE_UNAVAILABLE", "before");
      const outcome = await store.write(batch);
      if (fault.now === "after") throw new MarsadError("STORE_UNAVAILABLE", "after");
      return outcome;
    },
  });
}
