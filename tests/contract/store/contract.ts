import { describe, expect, test } from "vitest";
import type { ReadingQuery, Store, StoreRefusal } from "#store/port.ts";
import type { FieldType } from "#telemetry/catalogue.ts";
import { historiesContract } from "./histories.ts";
import { type Reading, type Shapes, TestJournal } from "./journal.ts";

/** Where an adapter keeps a store: opened again, it has the same content. */
export interface StorePlace extends AsyncDisposable {
  open(): Promise<Store>;
}

/** What an adapter can tell. */
export interface StoreCapabilities {
  /** New, merged and duplicate readings apart. A store that cannot counts all as `stored`. */
  readonly tellsMerged: boolean;
  /** A batch is seen whole or not at all by who reads meanwhile. */
  readonly showsWholeBatches: boolean;
}

const noon = Date.UTC(2026, 0, 31, 12);
const minute = 60_000;
const day = 24 * 60 * minute;

function flow(sensor: string, time: number, fields: Reading["fields"], gateway = "gw-1"): Reading {
  return { measurement: "traffic_flow", sensor, time, fields, gateway };
}

function everything(query: Partial<ReadingQuery> & Pick<ReadingQuery, "series">): ReadingQuery {
  return {
    measurement: "traffic_flow",
    from: 0,
    to: Date.UTC(2100, 0),
    limit: 10_000,
    order: "asc",
    ...query,
  };
}

function total(at: number, value: number | boolean, gateway = "gw-1"): Reading {
  const fields = { total: value, level: at };
  return { measurement: "everything", sensor: "s", time: noon + at, fields, gateway };
}

function as(type: FieldType): Shapes {
  return { everything: { level: "float", total: type } };
}

/** The promises of `store/port.ts`, for any adapter. */
export function storeContract(
  name: string,
  makePlace: () => Promise<StorePlace>,
  capabilities: StoreCapabilities,
): void {
  const { tellsMerged, showsWholeBatches } = capabilities;
  const tally = (gateway: string, added: number, merged: number, duplicate: number): object =>
    tellsMerged
      ? { gateway, stored: added + merged, merged, duplicate }
      : { gateway, stored: added + merged + duplicate, merged: 0, duplicate: 0 };
  const scenario = test.extend<{ place: StorePlace }>({
    // oxlint-disable-next-line no-empty-pattern -- vitest reads the names of fixtures from a pattern
    place: async ({}, use) => {
      await using place = await makePlace();
      await use(place);
    },
  });

  describe(`${name} as a store`, () => {
    scenario("an empty store has no rows, no series, no tallies, and position 0", async ({ place }) => {
      await using store = await place.open();
      expect(await store.count()).toBe(0);
      expect(Array.from(await store.series())).toEqual([]);
      expect(await store.tallies()).toEqual([]);
      expect(await store.position("never seen")).toBe(0);
      const rows = await store.read(everything({ series: [0] }));
      expect(rows).toEqual({ fields: [], time: [], series: [], values: [] });
    });

    scenario("what is written is read again, with its series and position", async ({ place }) => {
      await using store = await place.open();
      const journal = new TestJournal();
      const outcome = await store.write(
        journal.batchOf([
          flow("tf-1", noon, { vehicles: 31, speed_avg: 48.2 }),
          flow("tf-2", noon, { vehicles: 7, speed_avg: 80 }),
          flow("tf-1", noon + minute, { vehicles: 33, speed_avg: 47 }),
        ]),
      );
      expect(outcome).toEqual({ position: 1, tallies: [tally("gw-1", 3, 0, 0)], refused: [] });
      expect(await store.position(journal.uuid)).toBe(1);
      expect(await store.count()).toBe(3);
      expect(Array.from(await store.series())).toEqual([
        { series: 0, measurement: "traffic_flow", agency: "test", sensor: "tf-1" },
        { series: 1, measurement: "traffic_flow", agency: "test", sensor: "tf-2" },
      ]);
      expect(await store.read(everything({ series: [0, 1] }))).toEqual({
        fields: ["vehicles", "speed_avg"],
        time: [noon, noon, noon + minute],
        series: [0, 1, 0],
        values: [
          [31, 7, 33],
          [48.2, 80, 47],
        ],
      });
    });

    scenario(
      "floats, integers and booleans come back as they were, at the ends of their ranges",
      async ({ place }) => {
        await using store = await place.open();
        const journal = new TestJournal();
        const largest = 2 ** 53;
        const level = [0.1 + 0.2, -1e-300, Number.MAX_VALUE, 0];
        const total = [largest, -largest, -1, 2 ** 32];
        const open = [true, false, true, false];
        await store.write(
          journal.batchOf(
            level.map((value, i) => ({
              measurement: "everything",
              sensor: "s",
              time: noon + i,
              fields: { level: value, total: total[i]!, open: open[i]! },
            })),
          ),
        );
        const rows = await store.read(everything({ measurement: "everything", series: [0] }));
        expect(rows.values).toEqual([level, total, open]);
      },
    );

    scenario("an absent field is null", async ({ place }) => {
      await using store = await place.open();
      const journal = new TestJournal();
      const fields = [{ open: true }, { level: 1, total: 2 }, { total: 3 }];
      await store.write(
        journal.batchOf(
          fields.map((present, i) => ({
            measurement: "everything",
            sensor: "s",
            time: noon + i,
            fields: present,
          })),
        ),
      );
      const rows = await store.read(everything({ measurement: "everything", series: [0] }));
      expect(Object.fromEntries(rows.fields.map((field, i) => [field, rows.values[i]]))).toEqual({
        level: [null, 1, null],
        total: [null, 2, 3],
        open: [true, null, null],
      });
    });

    scenario("a reading that comes again is stored once and counted as a duplicate", async ({ place }) => {
      await using store = await place.open();
      const journal = new TestJournal();
      const reading = flow("tf-1", noon, { vehicles: 31, speed_avg: 48.2 });
      await store.write(journal.batchOf([reading]));
      const again = await store.write(journal.batchOf([reading]));
      expect(again.tallies).toEqual([tally("gw-1", 0, 0, 1)]);
      expect(await store.count()).toBe(1);
    });

    scenario("a correction wins field by field, and absent fields keep what was there", async ({ place }) => {
      await using store = await place.open();
      const journal = new TestJournal();
      await store.write(
        journal.batchOf([flow("tf-1", noon, { vehicles: 31 }), flow("tf-1", noon + 1, { vehicles: 5 })]),
      );
      const partial = await store.write(journal.batchOf([flow("tf-1", noon, { speed_avg: 48.2 })]));
      const corrected = await store.write(journal.batchOf([flow("tf-1", noon, { vehicles: 32 })]));
      expect([partial.tallies, corrected.tallies]).toEqual([
        [tally("gw-1", 0, 1, 0)],
        [tally("gw-1", 0, 1, 0)],
      ]);
      const rows = await store.read(everything({ series: [0] }));
      expect(rows.values).toEqual([
        [32, 5],
        [48.2, null],
      ]);
    });

    scenario(
      "the same key several times in one batch comes out as its arrivals in order",
      async ({ place }) => {
        await using store = await place.open();
        const journal = new TestJournal();
        const outcome = await store.write(
          journal
            .append([
              flow("tf-1", noon, { vehicles: 1 }),
              flow("tf-1", noon, { vehicles: 2, speed_avg: 50 }, "gw-2"),
              flow("tf-1", noon - minute, { vehicles: 9 }),
              flow("tf-1", noon, { vehicles: 2 }, "gw-2"),
            ])
            .append([flow("tf-1", noon - minute, { speed_avg: 60 }), flow("tf-1", noon, { vehicles: 3 })])
            .batch(0),
        );
        const rows = await store.read(everything({ series: [0] }));
        expect(rows.time).toEqual([noon - minute, noon]);
        expect(rows.values).toEqual([
          [9, 3],
          [60, 50],
        ]);
        expect(outcome.tallies).toEqual([tally("gw-1", 2, 2, 0), tally("gw-2", 0, 1, 1)]);
      },
    );

    scenario("readings that come late stand at their time", async ({ place }) => {
      await using store = await place.open();
      const journal = new TestJournal();
      for (const at of [5, 1, 3, 0, 4, 2]) {
        await store.write(journal.batchOf([flow("tf-1", noon + at * minute, { vehicles: at })]));
      }
      const rows = await store.read(everything({ series: [0] }));
      expect(rows.values[0]).toEqual([0, 1, 2, 3, 4, 5]);
    });

    scenario("after a restart nothing is stored twice and nothing is forgotten", async ({ place }) => {
      const journal = new TestJournal();
      const readings = [0, 1, 2].flatMap((at) => [
        flow("tf-1", noon + at * minute, { vehicles: at }),
        flow("tf-2", noon - 3 * day + at * minute, { vehicles: at }),
      ]);
      {
        await using store = await place.open();
        await store.write(journal.batchOf(readings));
      }
      await using store = await place.open();
      expect(await store.position(journal.uuid)).toBe(1);
      const outcome = await store.write(
        journal.batchOf([
          ...readings,
          flow("tf-2", noon - 3 * day + 5 * minute, { vehicles: 5 }),
          flow("tf-1", noon + minute, { speed_avg: 70 }),
        ]),
      );
      expect(outcome).toEqual({ position: 2, tallies: [tally("gw-1", 1, 1, 6)], refused: [] });
      expect(await store.count()).toBe(7);
      expect(Array.from(await store.series())).toHaveLength(2);
      const total = (await store.tallies())[0]!;
      expect(total).toEqual(tally("gw-1", 7, 1, 6));
    });

    scenario("a batch that was stored before changes nothing and reports nothing", async ({ place }) => {
      await using store = await place.open();
      const journal = new TestJournal();
      journal.append([flow("tf-1", noon, { vehicles: 1 })]).append([flow("tf-1", noon, { vehicles: 2 })]);
      await store.write(journal.batch(0));
      expect(await store.write(journal.batch(0))).toEqual({ position: 2, tallies: [], refused: [] });
      expect(await store.write(journal.batch(0, 1))).toEqual({ position: 2, tallies: [], refused: [] });
      const rows = await store.read(everything({ series: [0] }));
      expect(rows.values[0]).toEqual([2]);
      expect(await store.tallies()).toEqual([tally("gw-1", 1, 1, 0)]);
    });

    scenario("of a batch that was stored in part, only the rest is written", async ({ place }) => {
      await using store = await place.open();
      const journal = new TestJournal();
      for (const at of [0, 1, 2]) journal.append([flow("tf-1", noon + at * minute, { vehicles: at })]);
      await store.write(journal.batch(0, 2));
      expect(await store.write(journal.batch(0))).toEqual({
        position: 3,
        tallies: [tally("gw-1", 1, 0, 0)],
        refused: [],
      });
      expect(await store.count()).toBe(3);
    });

    scenario(
      "another journal has a position of its own, and keys stay unique across both",
      async ({ place }) => {
        await using store = await place.open();
        const first = new TestJournal();
        await store.write(first.batchOf([flow("tf-1", noon, { vehicles: 1 })]));
        const second = new TestJournal();
        expect(await store.position(second.uuid)).toBe(0);
        await store.write(
          second.batchOf([flow("tf-1", noon, { vehicles: 1 }), flow("tf-1", noon + 1, { vehicles: 2 })]),
        );
        expect([await store.position(first.uuid), await store.position(second.uuid)]).toEqual([1, 1]);
        expect(await store.count()).toBe(2);
        expect(Array.from(await store.series())).toHaveLength(1);
      },
    );

    scenario("calls that overlap are answered as if one came after the other", async ({ place }) => {
      await using store = await place.open();
      const journal = new TestJournal();
      const writes = Array.from({ length: 20 }, (_, at) =>
        store.write(
          journal.batchOf([0, 1, 2].map((n) => flow(`tf-${n}`, noon + at * minute, { vehicles: at }))),
        ),
      );
      const counts = Array.from({ length: 20 }, () => store.count());
      const positions = (await Promise.all(writes)).map(({ position }) => position);
      expect(positions).toEqual(Array.from({ length: 20 }, (_, at) => at + 1));
      const seen = await Promise.all(counts);
      expect(seen.every((count) => count >= 0 && count <= 60)).toBe(true);
      expect(!showsWholeBatches || seen.every((count) => count % 3 === 0)).toBe(true);
      expect(await store.count()).toBe(60);
    });

    scenario("a query takes a time range over days, a limit and either order", async ({ place }) => {
      await using store = await place.open();
      const journal = new TestJournal();
      const times = Array.from({ length: 40 }, (_, i) => noon - 10 * day + i * (day / 2));
      await store.write(
        journal.batchOf(
          times.flatMap((time, i) => [
            flow("tf-1", time, { vehicles: i }),
            flow("tf-2", time, { vehicles: -i }),
          ]),
        ),
      );
      const read = async (query: Partial<ReadingQuery>): Promise<readonly number[]> =>
        (await store.read(everything({ series: [0], ...query }))).time;
      expect(await read({})).toEqual(times);
      expect(await read({ from: times[3]!, to: times[30]! })).toEqual(times.slice(3, 30));
      expect(await read({ from: times[3]! + 1, to: times[30]! + 1 })).toEqual(times.slice(4, 31));
      expect(await read({ order: "desc", limit: 7 })).toEqual(times.toReversed().slice(0, 7));
      expect(await read({ from: times[9]!, limit: 25 })).toEqual(times.slice(9, 34));
      expect(await read({ from: noon + 100 * day })).toEqual([]);
      expect(await read({ from: times[5]!, to: times[5]! })).toEqual([]);
      expect(await read({ limit: 0 })).toEqual([]);
      const both = await store.read(
        everything({ series: [1, 0], from: times[8]!, to: times[9]! + 1, order: "desc" }),
      );
      expect([both.time, both.series]).toEqual([
        [times[9], times[9], times[8], times[8]],
        [0, 1, 0, 1],
      ]);
    });

    scenario("a field that the catalogue gains later is null in what was there before", async ({ place }) => {
      await using store = await place.open();
      const journal = new TestJournal();
      await store.write(journal.batchOf([flow("tf-1", noon, { vehicles: 1, speed_avg: 2 })]));
      const wider = { traffic_flow: { vehicles: "float", occupancy: "float", speed_avg: "float" } } as const;
      await store.write(
        journal.batchOf(
          [flow("tf-1", noon + 1, { vehicles: 3, occupancy: 0.5 }), flow("tf-1", noon, { occupancy: 0.25 })],
          wider,
        ),
      );
      await store.write(journal.batchOf([flow("tf-1", noon + day, { vehicles: 4, occupancy: 0.75 })], wider));
      const rows = await store.read(everything({ series: [0] }));
      expect(Object.fromEntries(rows.fields.map((field, i) => [field, rows.values[i]]))).toEqual({
        vehicles: [1, 3, 4],
        speed_avg: [2, null, null],
        occupancy: [0.25, 0.5, 0.75],
      });
    });

    describe("a field whose type the catalogue changes", () => {
      scenario(
        "keeps the type it was first stored with; readings that it cannot say are refused, and the rest of their batch is stored",
        async ({ place }) => {
          await using store = await place.open();
          const journal = new TestJournal();
          await store.write(journal.batchOf([total(0, 7)], as("integer")));
          journal
            .append([total(1, 8), total(2, 8.5, "gw-2"), flow("tf-1", noon, { vehicles: 1 })], as("float"))
            .append([total(3, 9.5), total(4, 2 ** 60), total(day, 0.25, "gw-2")], as("float"))
            .append([total(5, true)], as("boolean"));
          const outcome = await store.write(journal.batch(1));
          expect(outcome.position).toBe(4);
          expect(outcome.tallies).toEqual([tally("gw-1", 3, 0, 0)]);
          const line = (at: number, value: string): string =>
            `everything,sensor=s level=${at},total=${value} ${noon + at}`;
          expect(outcome.refused).toHaveLength(3);
          expect(outcome.refused).toMatchObject([
            { position: 1, gateway: "gw-2", agency: "test", readings: 1, lines: line(2, "8.5") },
            {
              position: 2,
              gateway: "gw-1",
              agency: "test",
              readings: 2,
              lines: `${line(3, "9.5")}\n${line(4, "1152921504606847000")}`,
            },
            { position: 2, gateway: "gw-2", agency: "test", readings: 1, lines: line(day, "0.25") },
          ]);
          for (const { detail } of outcome.refused)
            expect(detail).toMatch(/everything\.total is kept as integer/);
          expect(await store.count()).toBe(4);
          const rows = await store.read(everything({ measurement: "everything", series: [0] }));
          expect([rows.fields, rows.time, rows.values]).toEqual([
            ["level", "total"],
            [noon, noon + 1, noon + 5],
            [
              [0, 1, 5],
              [7, 8, 1],
            ],
          ]);
        },
      );

      scenario(
        "what was refused is kept over restarts until it is forgotten, and is not refused again",
        async ({ place }) => {
          const journal = new TestJournal();
          let refused: readonly StoreRefusal[];
          {
            await using store = await place.open();
            await store.write(journal.batchOf([total(0, false)], as("boolean")));
            journal.append([total(1, 3)], as("integer")).append([total(2, 4), total(3, 1)], as("integer"));
            ({ refused } = await store.write(journal.batch(1)));
            expect(refused.map(({ position }) => position)).toEqual([1, 2]);
            expect(await store.refusals(journal.uuid)).toEqual(refused);
            expect(await store.refusals("another journal")).toEqual([]);
          }
          await using store = await place.open();
          expect(await store.refusals(journal.uuid)).toEqual(refused);
          expect(await store.write(journal.batch(1))).toEqual({ position: 3, tallies: [], refused: [] });
          await store.forgetRefusals("another journal", 9);
          await store.forgetRefusals(journal.uuid, 2);
          expect(await store.refusals(journal.uuid)).toEqual([refused[1]]);
          // The type is remembered too.
          const again = await store.write(journal.batchOf([total(4, 5)], as("integer")));
          expect(again.refused).toHaveLength(1);
          await store.forgetRefusals(journal.uuid, 4);
          expect(await store.refusals(journal.uuid)).toEqual([]);
          expect(await store.tallies()).toEqual([tally("gw-1", 2, 0, 0)]);
        },
      );

      scenario("within one batch: the first block's type holds", async ({ place }) => {
        await using store = await place.open();
        const journal = new TestJournal();
        journal.append([total(0, 1.5)], as("float")).append([total(1, 2)], as("integer"));
        const outcome = await store.write(journal.batch(0));
        expect(outcome).toMatchObject({ position: 2, refused: [] });
        const rows = await store.read(everything({ measurement: "everything", series: [0] }));
        expect(rows.values[1]).toEqual([1.5, 2]);
      });
    });

    scenario(
      "each gateway's readings are accounted for: stored + duplicate = what it sent",
      async ({ place }) => {
        await using store = await place.open();
        const journal = new TestJournal();
        const sent = new Map<string, number>();
        for (let block = 0; block < 10; block++) {
          journal.append(
            Array.from({ length: 50 }, (_, i) => {
              const gateway = `gw-${(block + i) % 3}`;
              sent.set(gateway, (sent.get(gateway) ?? 0) + 1);
              return flow(
                `tf-${i % 5}`,
                noon + ((block * 7 + i * 3) % 40) * minute,
                { vehicles: i % 4 },
                gateway,
              );
            }),
          );
        }
        await store.write(journal.batch(0, 4));
        await store.write(journal.batch(4));
        const tallies = await store.tallies();
        expect(
          new Map(tallies.map(({ gateway, stored, duplicate }) => [gateway, stored + duplicate])),
        ).toEqual(sent);
        const rows = tallies.reduce((sum, { stored, merged }) => sum + stored - merged, 0);
        expect(tellsMerged ? await store.count() : rows).toBe(rows);
      },
    );

    scenario("closing twice is safe, and a closed store says that it is unavailable", async ({ place }) => {
      const store = await place.open();
      const writing = store.write(new TestJournal().batchOf([flow("tf-1", noon, { vehicles: 1 })]));
      await Promise.all([store[Symbol.asyncDispose](), store[Symbol.asyncDispose]()]);
      expect((await writing).position).toBe(1);
      await expect(store.count()).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
      await using again = await place.open();
      expect(await again.count()).toBe(1);
    });

    historiesContract(makePlace, capabilities);
  });
}
