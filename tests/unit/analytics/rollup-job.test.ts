import * as fc from "fast-check";
import { expect, test } from "vitest";
import { rollupJob } from "#analytics/jobs/rollup-job.ts";
import { periodsOf } from "#analytics/rollup/periods.ts";
import type { SensorRules } from "#analytics/rollup/readings.ts";
import { rollups } from "#store/query.ts";
import { makeCatalogue } from "#telemetry/catalogue.ts";
import { makeZone } from "#telemetry/zone.ts";
import { MemoryStore } from "./memory-store.ts";
import {
  arbitraryReadings,
  arbitraryRules,
  differences,
  type Reading,
  steadyRules,
  tried,
  triedPlan,
  wrongRollups,
} from "./rollup-support.ts";

const begin = 1_795_824_000_000; // 2026-11-28T00:00:00Z
const zone = makeZone("Asia/Qatar");
const periods = periodsOf(zone);
const catalogue = makeCatalogue([tried]);

interface Arrival extends Reading {
  readonly series: number;
}

function fieldsOf({ values }: Reading): Record<string, number> {
  return Object.fromEntries(
    triedPlan.fields.flatMap(({ name }, at) => (Number.isNaN(values[at]) ? [] : [[name, values[at]!]])),
  );
}

function put(store: MemoryStore, arrival: Arrival): void {
  store.put("tried", arrival.series, arrival.time, fieldsOf(arrival));
}

function jobOn(
  store: MemoryStore,
  rules: (series: number) => SensorRules,
  now: () => number,
): () => Promise<void> {
  const job = rollupJob({
    store,
    catalogue: () => catalogue,
    zone,
    rulesOf: rules,
    isBehind: () => false,
    keptDays: {},
    now,
  });
  return async () => {
    await job.run(new AbortController().signal);
  };
}

function wrongIn(store: MemoryStore, series: number, rules: SensorRules, now: number): string[] {
  return wrongRollups((policy) => store.table(policy, "tried", series), periods, rules, now);
}

/** Arrivals in any order, with runs of the job between them. */
const histories = fc
  .tuple(arbitraryReadings(begin), arbitraryReadings(begin + 17_000), arbitraryRules)
  .chain(([one, two, rules]) => {
    const arrivals: Arrival[] = [
      ...one.map((reading) => ({ ...reading, series: 1 })),
      ...two.map((reading) => ({ ...reading, series: 5 })),
    ];
    const shuffled = fc.shuffledSubarray(arrivals, { minLength: arrivals.length });
    const twice = fc.subarray(arrivals, { maxLength: Math.min(5, arrivals.length) });
    // The same key with one field corrected.
    const corrections = fc.array(
      fc.record({
        at: fc.nat(arrivals.length - 1),
        field: fc.nat(triedPlan.fields.length - 1),
        value: fc.integer({ min: 0, max: 1 }),
      }),
      { maxLength: 4 },
    );
    return fc.record({
      rules: fc.constant(rules),
      arrivals: fc.tuple(shuffled, twice, corrections).map(([all, again, corrected]) => [
        ...all,
        ...again,
        ...corrected.map(({ at, field, value }) => ({
          ...arrivals[at]!,
          values: triedPlan.fields.map((_, place) => (place === field ? value : NaN)),
        })),
      ]),
      every: fc.integer({ min: 1, max: 30 }),
    });
  });

test("any order of arrival, with duplicates and corrections, gives the roll-ups that the readings give", async () => {
  await fc.assert(
    fc.asyncProperty(histories, async ({ rules, arrivals, every }) => {
      const store = new MemoryStore();
      let now = Math.max(...arrivals.map(({ time }) => time)) + 1_000_000;
      const run = jobOn(
        store,
        () => rules,
        () => now,
      );
      for (const [at, arrival] of arrivals.entries()) {
        put(store, arrival);
        if (at % every !== 0) continue;
        await run();
        now += 60_000;
      }
      await run();
      expect(await store.dirty()).toHaveLength(0);
      for (const series of [1, 5]) expect(wrongIn(store, series, rules, now)).toEqual([]);
    }),
    { numRuns: Number(process.env["SOAK_ROLLUPS"] ?? 12) },
  );
});

test("readings that are rolled up as they come give what they give when all of them are there", async () => {
  const live = fc.tuple(arbitraryReadings(begin), arbitraryRules).chain(([readings, rules]) =>
    fc.record({
      rules: fc.constant(rules),
      arrivals: fc
        .array(fc.constantFrom(0, 1_000, 70_000, 900_000), {
          minLength: readings.length,
          maxLength: readings.length,
        })
        .map((late) =>
          readings
            .map((reading, i) => ({ at: reading.time + late[i]!, reading: { ...reading, series: 1 } }))
            .toSorted((a, b) => a.at - b.at),
        ),
    }),
  );
  await fc.assert(
    fc.asyncProperty(live, async ({ rules, arrivals }) => {
      const [store, whole] = [new MemoryStore(), new MemoryStore()];
      let now = begin;
      const rulesOf = (): SensorRules => rules;
      const run = jobOn(store, rulesOf, () => now);
      const runUntil = async (until: number): Promise<void> => {
        // Nothing changes any more when a reading's value stands no longer.
        for (const last = now + 1_200_000; now < until && now < last; now += 61_000) await run();
        now = until;
      };
      for (const { at, reading } of arrivals) {
        await runUntil(at);
        put(store, reading);
        put(whole, reading);
      }
      await runUntil(now + 1_200_000);
      await run();
      await jobOn(whole, rulesOf, () => now)();
      for (const policy of rollups) {
        const [asTheyCame, atOnce] = [store, whole].map((each) => each.table(policy, "tried", 1));
        expect(differences(asTheyCame!, atOnce!)).toEqual([]);
      }
    }),
    { numRuns: Number(process.env["SOAK_ROLLUPS"] ?? 12) },
  );
});

test("a run that fails at any call loses nothing: the next one does it again", async () => {
  const [readings] = fc.sample(arbitraryReadings(begin), { numRuns: 1, seed: 5 }) as [Reading[]];
  const now = Math.max(...readings.map(({ time }) => time)) + 1_000_000;
  const fresh = (): MemoryStore => {
    const store = new MemoryStore();
    for (const reading of readings) put(store, { ...reading, series: 1 });
    return store;
  };
  const whole = fresh();
  let calls = 0;
  whole.before = () => (calls += 1);
  const runWhole = jobOn(
    whole,
    () => steadyRules,
    () => now,
  );
  await runWhole();
  expect(wrongIn(whole, 1, steadyRules, now)).toEqual([]);
  const all = calls;
  expect(all).toBeGreaterThan(10);
  for (let failing = 1; failing <= all; failing += 1) {
    const store = fresh();
    let call = 0;
    store.before = () => {
      call += 1;
      if (call === failing) throw new Error("the store is away");
    };
    await expect(
      jobOn(
        store,
        () => steadyRules,
        () => now,
      )(),
    ).rejects.toThrow("the store is away");
    // Killed here: another process begins with what the store has.
    await jobOn(
      store,
      () => steadyRules,
      () => now,
    )();
    expect(wrongIn(store, 1, steadyRules, now)).toEqual([]);
    expect(await store.dirty()).toHaveLength(0);
  }
});

test("what a silent series' last value still owes is rolled up, also after a run that failed, and by a clock that was put back", async () => {
  const store = new MemoryStore();
  let now = begin + 86_400_000;
  const run = jobOn(
    store,
    () => steadyRules,
    () => now,
  );
  put(store, { time: now, series: 1, values: [7, NaN, NaN, 1, NaN, NaN] });
  now += 65_000;
  await run();
  // The clock was a day ahead.
  now -= 86_400_000;
  const time = now - 65_000;
  put(store, { time, series: 2, values: [7, NaN, NaN, 1, NaN, NaN] });
  await run();
  expect([...store.table("rollup_1m", "tried", 2).keys()]).toEqual([time]);
  now += 60_000;
  store.before = (call) => {
    if (call === "writeResults") throw new Error("the store is away");
  };
  await expect(run()).rejects.toThrow("the store is away");
  store.before = () => undefined;
  await run();
  expect(wrongIn(store, 2, steadyRules, now)).toEqual([]);
  expect(store.table("rollup_1m", "tried", 2).get(time + 60_000)).toMatchObject({ flow_covered_s: 30 });
});

test("run again over everything, it writes the same rows", async () => {
  const [readings] = fc.sample(arbitraryReadings(begin), { numRuns: 1, seed: 6 }) as [Reading[]];
  let now = Math.max(...readings.map(({ time }) => time)) + 10_000_000;
  const store = new MemoryStore();
  const run = jobOn(
    store,
    () => steadyRules,
    () => now,
  );
  const tables = (): unknown => rollups.map((policy) => store.table(policy, "tried", 1));
  for (const reading of readings) put(store, { ...reading, series: 1 });
  await run();
  const first = structuredClone(tables());
  for (const reading of readings) put(store, { ...reading, series: 1 });
  now += 60_000;
  await run();
  expect(tables()).toEqual(first);
});

test("a city that speaks each minute costs two rows of each series a minute, and none of the running one", async () => {
  const store = new MemoryStore();
  let now = begin;
  const run = jobOn(
    store,
    () => steadyRules,
    () => now,
  );
  const seriesCount = 5;
  let newest = 0;
  for (let second = 0; second < 3600; second += 10) {
    now = begin + second * 1000;
    for (let series = 0; series < seriesCount; series += 1) {
      const phase = (series * 10) % 60;
      if (second % 60 === phase)
        put(store, { time: now, series, values: [second % 7, 50, series, 1, second / 60, second / 30] });
    }
    await run();
    newest = Math.max(newest, ...store.table("rollup_1m", "tried", 1).keys());
    expect(newest).toBeLessThanOrEqual(now - 65_000);
  }
  expect(newest).toBe(begin + 58 * 60_000);
  now += 120_000;
  await run();
  for (let series = 0; series < seriesCount; series += 1)
    expect(wrongIn(store, series, steadyRules, now)).toEqual([]);
  const minutes = 60 * seriesCount;
  expect(store.written.rollup_1m).toBeLessThan(2.2 * minutes);
  // The running hour every five minutes, the running day every fifteen.
  expect(store.written.rollup_1h).toBeLessThan(0.27 * minutes);
  expect(store.written.rollup_1d).toBeLessThan(0.15 * minutes);
});

test("an hour and a day that were put off are made whole when they are over, also by another process", async () => {
  for (const killedAt of [0, 610, 1930, 3590]) {
    const store = new MemoryStore();
    let now = begin;
    let run = jobOn(
      store,
      () => steadyRules,
      () => now,
    );
    for (let second = 0; second < 4000; second += 10) {
      now = begin + second * 1000;
      // More series than a question tells one by one; each falls silent at a time of its own, and all of them before the hour ends.
      for (let series = second / 10; series < 100; series += 6)
        if (second < 1200 + 20 * series)
          put(store, { time: now, series, values: [second % 7, 50, series, 1, second / 60, second / 30] });
      if (second === killedAt)
        run = jobOn(
          store,
          () => steadyRules,
          () => now,
        );
      await run();
    }
    expect(store.written.rollup_1h).toBeGreaterThan(0);
    const wrong = Array.from({ length: 100 }, (_, series) => wrongIn(store, series, steadyRules, now));
    expect(wrong.flat()).toEqual([]);
  }
});

test("what is older than its minutes are kept still makes hours and days", async () => {
  const [readings] = fc.sample(arbitraryReadings(begin), { numRuns: 1, seed: 7 }) as [Reading[]];
  for (const keptDays of [{ rollup_1m: 30 }, { rollup_1m: 30, rollup_1h: 60 }]) {
    const now = begin + 100 * 86_400_000;
    const store = new MemoryStore();
    for (const reading of readings) put(store, { ...reading, series: 1 });
    const job = rollupJob({
      store,
      catalogue: () => catalogue,
      zone,
      rulesOf: () => steadyRules,
      isBehind: () => false,
      keptDays,
      now: () => now,
    });
    await job.run(new AbortController().signal);
    const written = "rollup_1h" in keptDays ? ["rollup_1d"] : ["rollup_1h", "rollup_1d"];
    expect(Object.keys(store.written).filter((policy) => policy !== "autogen")).toEqual(written);
    const wrong = wrongIn(store, 1, steadyRules, now);
    expect(wrong.filter((line) => written.some((policy) => line.startsWith(policy)))).toEqual([]);
  }
});

test("while the store lags behind, what is new waits for two minutes, and history longer", async () => {
  const store = new MemoryStore();
  let now = begin + 86_400_000;
  let isBehind = true;
  const job = rollupJob({
    store,
    catalogue: () => catalogue,
    zone,
    rulesOf: () => steadyRules,
    isBehind: () => isBehind,
    keptDays: {},
    now: () => now,
  });
  const values = [1, NaN, NaN, NaN, NaN, NaN];
  put(store, { time: begin, series: 1, values });
  put(store, { time: now - 1_000_000, series: 1, values });
  await job.run(new AbortController().signal);
  expect([store.written.rollup_1m, job.behind?.()]).toEqual([undefined, 2]);
  now += 120_000;
  await job.run(new AbortController().signal);
  expect([...store.table("rollup_1m", "tried", 1).keys()][0]).toBeGreaterThan(begin + 80_000_000);
  expect(job.behind?.()).toBe(1);
  isBehind = false;
  await job.run(new AbortController().signal);
  expect(wrongIn(store, 1, steadyRules, now)).toEqual([]);
  expect(job.behind?.()).toBe(0);
});
