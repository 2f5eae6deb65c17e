import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Store, StoreOutcome } from "#store/port.ts";
import type { StoreCapabilities, StorePlace } from "./contract.ts";
import { type FieldValue, type Reading, TestJournal } from "./journal.ts";
import { Model, contentOf } from "./model.ts";

const midnight = Date.UTC(2026, 0, 31);
const day = 86_400_000;
/** Few keys and few values, so that they meet; days around a month's end, so that tables do too. */
const time = fc
  .tuple(fc.integer({ min: -2, max: 3 }), fc.integer({ min: 0, max: 4 }))
  .map(([days, minutes]) => midnight + days * day + minutes * 60_000);
const small = fc.integer({ min: 0, max: 2 });
const sensor = fc.constantFrom("a", "b", "c");
const gateway = fc.constantFrom("gw-1", "gw-2");

const reading: fc.Arbitrary<Reading> = fc.oneof(
  fc.record({
    measurement: fc.constant("traffic_flow"),
    sensor,
    time,
    gateway,
    fields: atLeastOne({ vehicles: small, speed_avg: small }),
  }),
  fc.record({
    measurement: fc.constant("everything"),
    sensor,
    time,
    gateway,
    fields: atLeastOne({ level: small, total: small, open: fc.boolean() }),
  }),
);

function atLeastOne(
  fields: Record<string, fc.Arbitrary<FieldValue>>,
): fc.Arbitrary<Record<string, FieldValue>> {
  return fc
    .record(fields, { requiredKeys: [] })
    .filter((present) => Object.keys(present).length > 0)
    .map((present) => present as Record<string, FieldValue>);
}

const block = fc.array(reading, { minLength: 1, maxLength: 12 });
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("write" as const),
      blocks: fc.array(block, { minLength: 1, maxLength: 3 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("write again" as const), back: fc.integer({ min: 1, max: 4 }) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("reopen" as const) }) },
);

/** Whatever comes in whatever order, with restarts in between: the store is what a Map would be. */
export function historiesContract(
  makePlace: () => Promise<StorePlace>,
  { tellsMerged }: StoreCapabilities,
): void {
  test("any history of batches, repeats and restarts leaves what a Map would hold", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 14 }), async (steps) => {
        await using place = await makePlace();
        let store: Store = await place.open();
        const journal = new TestJournal();
        const model = new Model();
        const sensors: Record<string, string[]> = {};
        const repeated: StoreOutcome[] = [];
        try {
          for (const action of steps) {
            if (action.do === "write") {
              const first = journal.next;
              for (const readings of action.blocks) {
                journal.append(readings);
                for (const sent of readings) {
                  model.add(sent);
                  sensors[sent.measurement] = [
                    ...new Set([...(sensors[sent.measurement] ?? []), sent.sensor]),
                  ];
                }
              }
              await store.write(journal.batch(first));
            } else if (action.do === "write again") {
              repeated.push(await store.write(journal.batch(Math.max(0, journal.next - action.back))));
            } else {
              await store[Symbol.asyncDispose]();
              store = await place.open();
            }
          }
          expect(await contentOf(store, journal, sensors)).toEqual(model.rows);
          expect(await store.count()).toBe(model.rows.size);
          expect(await store.position(journal.uuid)).toBe(journal.next);
          const tallies = (await store.tallies()).toSorted((a, b) => a.gateway.localeCompare(b.gateway));
          expect(tellsMerged ? tallies : model.tallies()).toEqual(model.tallies());
          expect(repeated.flatMap((outcome) => outcome.tallies)).toEqual([]);
        } finally {
          await store[Symbol.asyncDispose]();
        }
      }),
      { numRuns: 15 },
    );
  });
}
