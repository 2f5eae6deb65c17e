import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Store } from "#store/port.ts";
import type { DirtyHour, ResultBatch, ResultField, RowsQuery } from "#store/results.ts";
import type { StorePlace } from "./contract.ts";
import { type Reading, TestJournal } from "./journal.ts";
import { ResultsLoad, rowsPerBatch } from "./results-load.ts";

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const midnight = Date.UTC(2026, 0, 31);

/** Row by row, as one looks at it. `undefined`: absent. */
type Row = readonly [series: number, time: number, ...values: (number | undefined)[]];

function rollup(
  rows: readonly Row[],
  names: readonly string[],
  batch: Partial<ResultBatch> = {},
): ResultBatch {
  return {
    policy: "rollup_1m",
    measurement: "traffic_flow",
    fields: names.map((name, i): ResultField => ({
      name,
      type: name.endsWith("_count") ? "integer" : "float",
      values: Float64Array.from(rows, (row) => row[i + 2] ?? Number.NaN),
    })),
    time: Float64Array.from(rows, ([, time]) => time),
    series: Uint32Array.from(rows, ([series]) => series),
    ...batch,
  };
}

async function rowsOf(store: Store, query: Partial<RowsQuery> = {}): Promise<Record<string, number>[]> {
  const rows: Record<string, number>[] = [];
  const all = { policy: "rollup_1m", measurement: "traffic_flow", from: 0, to: Date.UTC(2100, 0) } as const;
  for await (const { series, time, fields } of store.rows({ ...all, ...query })) {
    expect(series.length).toBe(time.length);
    for (let i = 0; i < time.length; i++) {
      const row: Record<string, number> = { series: series[i]!, time: time[i]! };
      for (const { name, values } of fields) if (!Number.isNaN(values[i]!)) row[name] = values[i]!;
      rows.push(row);
    }
  }
  return rows;
}

/** `measurement hour minute` of each that is marked. */
function minutesOf(hours: readonly DirtyHour[]): string[] {
  return hours
    .flatMap(({ measurement, hour: begin, minutes }) =>
      Array.from(minutes, (dirty, at) => (dirty === 1 ? `${measurement} ${begin + at * minute}` : "")),
    )
    .filter((text) => text !== "")
    .toSorted();
}

function expectMinutes(hours: readonly DirtyHour[], expected: ReadonlySet<string>): void {
  expect(new Set(minutesOf(hours))).toEqual(expected);
}

function minuteOf({ measurement, time }: Reading): string {
  return `${measurement} ${Math.floor(time / minute) * minute}`;
}

function flow(sensor: string, time: number, vehicles = 1): Reading {
  return { measurement: "traffic_flow", sensor, time, fields: { vehicles } };
}

/** Two sensors, numbers 0 and 1. */
function begun(): TestJournal {
  return new TestJournal().append([flow("tf-0", midnight), flow("tf-1", midnight)]);
}

async function answerOf(store: Store, q: string): Promise<unknown> {
  const { body } = await store.query({
    q,
    epoch: "ms",
    format: "json",
    signal: new AbortController().signal,
  });
  const pieces: Uint8Array[] = [];
  for await (const piece of body) pieces.push(piece);
  return JSON.parse(Buffer.concat(pieces).toString());
}

/** A place that another process can open. */
export interface SharedPlace extends StorePlace {
  readonly kind: Store["kind"];
  readonly options: object;
}

/** Runs `children/results-writer.ts` on a place until it has written so many blocks, then kills it. @returns blocks it had written */
async function writeAndKill({ kind, options }: SharedPlace, blocks: number): Promise<number> {
  const file = new URL("children/results-writer.ts", import.meta.url).pathname;
  const child = spawn(process.execPath, [file, JSON.stringify({ kind, options })], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  let written = 0;
  for await (const line of createInterface(child.stdout)) {
    written = Number(line);
    if (--blocks <= 0) child.kill("SIGKILL");
  }
  await exited;
  return written;
}

/** What `store/port.ts` promises to the platform's own jobs, for any adapter. */
export function resultsContract(name: string, makePlace: () => Promise<SharedPlace>): void {
  const scenario = test.extend<{ place: SharedPlace }>({
    // oxlint-disable-next-line no-empty-pattern -- vitest reads the names of fixtures from a pattern
    place: async ({}, use) => {
      await using place = await makePlace();
      await use(place);
    },
  });

  describe(`${name} for the platform's jobs`, () => {
    scenario(
      "roll-ups are kept by series and time, merged field by field, over a restart",
      async ({ place }) => {
        const names = ["vehicles_sum", "vehicles_count", "speed_avg_mean"];
        const first: Row[] = [
          [1, midnight, 5, 3, undefined],
          [0, midnight + minute, 1.5, 2, 60],
          [0, midnight, 0.25, 1, 50],
        ];
        const expected = [
          { series: 0, time: midnight, vehicles_sum: 0.25, vehicles_count: 1, speed_avg_mean: 50 },
          { series: 0, time: midnight + minute, vehicles_sum: 2.5, vehicles_count: 2, speed_avg_mean: 60 },
          { series: 1, time: midnight, vehicles_sum: 5, vehicles_count: 3, speed_avg_mean: 40 },
        ];
        {
          await using store = await place.open();
          const journal = begun();
          await store.write(journal.batch(0));
          const later = rollup([[0, midnight + 26 * hour, 7, 7, 7]], names, { policy: "rollup_1h" });
          await store.writeResults([rollup(first, names), later]);
          // Again, in another order, with a field that is new and others that say nothing.
          await store.writeResults([rollup(first.toReversed(), names)]);
          await store.writeResults([
            rollup(
              [
                [0, midnight + minute, 2.5],
                [1, midnight, undefined, 40],
              ],
              ["vehicles_sum", "speed_avg_mean"],
            ),
          ]);
          expect(await rowsOf(store)).toEqual(expected);
          expect(await store.count()).toBe(2);
        }
        await using store = await place.open();
        expect(await rowsOf(store)).toEqual(expected);
        expect(await rowsOf(store, { from: midnight + 1, to: midnight + minute + 1 })).toEqual([expected[1]]);
        expect(await rowsOf(store, { series: [1], fields: ["vehicles_sum"] })).toEqual([
          { series: 1, time: midnight, vehicles_sum: 5 },
        ]);
        expect(await rowsOf(store, { policy: "rollup_1h", fields: ["vehicles_count"] })).toEqual([
          { series: 0, time: midnight + 26 * hour, vehicles_count: 7 },
        ]);
        for (const none of [
          { series: [] },
          { series: [7] },
          { fields: ["none"] },
          { policy: "rollup_1d" } as const,
        ])
          expect(await rowsOf(store, none)).toEqual([]);
        await store.writeResults([rollup([[0, midnight - day, 1, 1, 1]], names)]);
        expect((await rowsOf(store))[0]).toEqual({
          series: 0,
          time: midnight - day,
          vehicles_sum: 1,
          vehicles_count: 1,
          speed_avg_mean: 1,
        });
      },
    );

    scenario("readings come by series and time, from the tables of several days", async ({ place }) => {
      await using store = await place.open();
      const journal = begun();
      const more = [
        { ...flow("tf-1", midnight + day + 5), fields: { speed_avg: 7 } },
        flow("tf-0", midnight - minute, 3),
        flow("tf-0", midnight + day + 1, 4),
      ];
      for (const batch of [journal.batch(0), journal.batchOf(more)]) await store.write(batch);
      const readings = { policy: "autogen", measurement: "traffic_flow" } as const;
      expect(await rowsOf(store, readings)).toEqual([
        { series: 0, time: midnight - minute, vehicles: 3 },
        { series: 0, time: midnight, vehicles: 1 },
        { series: 0, time: midnight + day + 1, vehicles: 4 },
        { series: 1, time: midnight, vehicles: 1 },
        { series: 1, time: midnight + day + 5, speed_avg: 7 },
      ]);
      const some = {
        ...readings,
        from: midnight,
        to: midnight + day + 5,
        fields: ["vehicles"],
        series: [1, 0],
      };
      expect(await rowsOf(store, some)).toEqual([
        { series: 0, time: midnight, vehicles: 1 },
        { series: 0, time: midnight + day + 1, vehicles: 4 },
        { series: 1, time: midnight, vehicles: 1 },
      ]);
      expect(await rowsOf(store, { ...readings, fields: ["speed_avg"] })).toEqual([
        { series: 1, time: midnight + day + 5, speed_avg: 7 },
      ]);
      expect(await rowsOf(store, { ...readings, measurement: "none" })).toEqual([]);
    });

    scenario(
      "minutes with new or changed readings are marked until they are clean, over a restart",
      async ({ place }) => {
        const journal = begun();
        const late = [flow("tf-0", midnight - 2 * minute), flow("tf-0", midnight + 61 * minute, 2)];
        {
          await using store = await place.open();
          expect(await store.dirty()).toEqual([]);
          await store.write(journal.batch(0));
          await store.write(journal.batchOf(late));
        }
        await using store = await place.open();
        const hours = await store.dirty();
        expect(hours.map((dirty) => dirty.hour)).toEqual([midnight + hour, midnight, midnight - hour]);
        expect(minutesOf(hours)).toEqual([...late, flow("tf-0", midnight)].map(minuteOf).toSorted());

        // Stored after somebody asked: not forgotten with what that one has read.
        await store.write(
          journal.batchOf([flow("tf-1", midnight + 61 * minute + 1), flow("tf-1", midnight + 1)]),
        );
        await store.clean(hours.slice(0, 2));
        const rest = await store.dirty();
        expect(minutesOf(rest)).toEqual(
          [flow("", midnight - 2 * minute), flow("", midnight), flow("", midnight + 61 * minute)]
            .map(minuteOf)
            .toSorted(),
        );
        // Of an hour only the minutes that are given.
        await store.write(journal.batchOf([flow("tf-1", midnight + 5 * minute)]));
        const [, halves] = await store.dirty();
        await store.clean([{ ...halves!, minutes: new Uint8Array(60).fill(1, 0, 5) }]);
        const left = (await store.dirty()).find((dirty) => dirty.hour === midnight);
        expect(left?.minutes.indexOf(1)).toBe(5);
        await store.clean(await store.dirty());
        expect(await store.dirty()).toEqual([]);
      },
    );

    scenario(
      "texts and tag sets are what a query answers, and roll-ups are a policy's",
      async ({ place }) => {
        await using store = await place.open();
        await store.write(begun().batch(0));
        const texts = ['say "it\'s"', "two\nlines, a\ttab \\", "تنبيه: ضغط منخفض", "", null];
        const alerts: ResultBatch = {
          policy: "autogen",
          measurement: "alert",
          fields: [
            { name: "text_ar", type: "string", values: texts },
            { name: "code", type: "integer", values: Float64Array.from(texts, (_, i) => i) },
            { name: "open", type: "boolean", values: Float64Array.from(texts, (_, i) => i % 2) },
          ],
          time: Float64Array.from(texts, (_, i) => midnight + i),
          series: Uint32Array.of(0, 0, 0, 0, 1),
          tagSets: [{ alert: "a 1,=", severity: "" }, { alert: "a\\ 2\\" }],
        };
        await store.writeResults([alerts, rollup([[1, midnight, 2.5]], ["vehicles_sum"]), alerts]);
        const answer = await answerOf(
          store,
          `SELECT text_ar, code, open, alert FROM alert; SELECT vehicles_sum FROM rollup_1m.traffic_flow GROUP BY sensor`,
        );
        expect(answer).toEqual({
          results: [
            {
              statement_id: 0,
              series: [
                {
                  name: "alert",
                  columns: ["time", "text_ar", "code", "open", "alert"],
                  values: texts.map((text, i) => [
                    midnight + i,
                    text,
                    i,
                    i % 2 === 1,
                    i < 4 ? "a 1,=" : "a\\ 2",
                  ]),
                },
              ],
            },
            {
              statement_id: 1,
              series: [
                {
                  name: "traffic_flow",
                  tags: { sensor: "tf-1" },
                  columns: ["time", "vehicles_sum"],
                  values: [[midnight, 2.5]],
                },
              ],
            },
          ],
        });
      },
    );

    scenario("of very many hours the newest are told first, of each measurement", async ({ place }) => {
      await using store = await place.open();
      const journal = new TestJournal();
      const old = Array.from({ length: 2_050 }, (_, i) => flow("tf-0", midnight - i * hour));
      const other: Reading = { measurement: "food_stock", sensor: "f", time: 0, fields: { stock: 1 } };
      await store.write(journal.batchOf([...old, other]));
      const first = await store.dirty();
      expect(first.map((dirty) => dirty.hour)).toEqual([...old.slice(0, 2_000).map(({ time }) => time), 0]);
      await store.clean(first);
      expect((await store.dirty()).map((dirty) => dirty.hour)).toEqual(
        old.slice(2_000).map(({ time }) => time),
      );
    });

    scenario("kill -9 loses no roll-up and no mark of what was stored", async ({ place }) => {
      const load = new ResultsLoad();
      for (const blocks of [2, 5]) {
        const written = await writeAndKill(place, blocks);
        await using store = await place.open();
        const position = await store.position(load.journal.uuid);
        expect(position).toBeGreaterThanOrEqual(written);

        const rows = Map.groupBy(await rowsOf(store), (row) => row["time"]!);
        for (let block = 0; block < position; block++) {
          const { time } = load.rollup(block, 0);
          const found = Array.from(time, (at) => rows.get(at)?.[0]);
          const isThere = found.filter(
            (row) => row !== undefined && row[`block_${block % 4}`] === block,
          ).length;
          // The last may be there or not, whole.
          expect(block < written ? [rowsPerBatch] : [0, rowsPerBatch], `block ${block}`).toContain(isThere);
          const sums = found.map((row) => row?.["vehicles_sum"]);
          const again = sums.every((sum, i) => sum === i + 0.5);
          expect(again || block >= written - 1, `block ${block} once more`).toBe(true);
        }

        const stored = Array.from({ length: position }, (_, block) => load.readings(block)).flat();
        const expected = new Set(stored.map(minuteOf));
        const marked = minutesOf(await store.dirty());
        expect(marked.filter((each) => !expected.has(each))).toEqual([]);
        const isLate = (each: string): boolean => (Number(each.split(" ")[1]) / minute) % 60 >= 30;
        expect(marked.filter(isLate)).toEqual([...expected].filter(isLate).toSorted());
      }
    });

    scenario("100,000 rows are written and read, twice the same", async ({ place }) => {
      await using store = await place.open();
      const journal = begun();
      await store.write(journal.batch(0));
      const batches = Array.from({ length: 10 }, (_, part) => {
        const rows = Array.from({ length: 10_000 }, (_each, i): Row => {
          const n = part * 10_000 + i;
          return [n % 2, midnight + Math.floor(n / 2) * minute, n, 1];
        });
        return rollup(rows, ["vehicles_sum", "vehicles_count"]);
      });
      await store.writeResults(batches);
      await store.writeResults(batches.slice(3, 5));
      let sum = 0;
      let isInOrder = true;
      const seen = [0, 0];
      for await (const { series, time, fields } of store.rows({
        policy: "rollup_1m",
        measurement: "traffic_flow",
        from: midnight,
        to: midnight + 100 * day,
      })) {
        const sums = fields.find(({ name: field }) => field === "vehicles_sum")!.values;
        for (let i = 0; i < time.length; i++) {
          isInOrder &&= time[i] === midnight + seen[series[i]!]! * minute;
          seen[series[i]!]! += 1;
          sum += sums[i]!;
        }
      }
      expect(isInOrder).toBe(true);
      expect(seen).toEqual([50_000, 50_000]);
      expect(sum).toBe((99_999 * 100_000) / 2);
    });

    scenario(
      "marks are those of the rows written since, whatever is written, asked and cleaned",
      async ({ place }) => {
        await using store = await place.open();
        const journal = new TestJournal();
        const time = fc.integer({ min: 0, max: 300 }).map((at) => midnight + at * 31_000);
        const reading = fc.record({
          time,
          sensor: fc.constantFrom("a", "b"),
          vehicles: fc.integer({ min: 0, max: 1 }),
        });
        const step = fc.oneof(
          { weight: 3, arbitrary: fc.array(reading, { minLength: 1, maxLength: 12 }) },
          fc.constant("ask" as const),
          fc.nat({ max: 3 }),
        );
        const stored = new Map<string, number>();
        await fc.assert(
          fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
            await store.clean(await store.dirty());
            const expected = new Set<string>();
            const since = new Set<string>();
            let asked: DirtyHour[] = [];
            for (const next of steps) {
              if (next === "ask") {
                asked = await store.dirty();
                since.clear();
                expectMinutes(asked, expected);
              } else if (typeof next === "number") {
                const cleaned = asked.splice(0, next);
                await store.clean(cleaned);
                for (const gone of minutesOf(cleaned)) if (!since.has(gone)) expected.delete(gone);
              } else {
                const readings = next.map(({ sensor, time: at, vehicles }) => flow(sensor, at, vehicles));
                await store.write(journal.batchOf(readings));
                for (const each of readings) {
                  const key = `${each.sensor} ${each.time}`;
                  // A store that cannot tell duplicates marks them, too.
                  if (stored.get(key) === each.fields["vehicles"] && store.kind === "duckdb") continue;
                  stored.set(key, Number(each.fields["vehicles"]));
                  expected.add(minuteOf(each));
                  since.add(minuteOf(each));
                }
              }
            }
            expect(new Set(minutesOf(await store.dirty()))).toEqual(expected);
          }),
          { numRuns: 15 },
        );
      },
    );
  });
}
