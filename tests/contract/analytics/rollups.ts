import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { rollupJob } from "#analytics/jobs/rollup-job.ts";
import { periodsOf } from "#analytics/rollup/periods.ts";
import type { Store } from "#store/port.ts";
import { type Policy, policies } from "#store/query.ts";
import { makeCatalogue } from "#telemetry/catalogue.ts";
import { makeZone } from "#telemetry/zone.ts";
import {
  arbitraryReadings,
  steadyRules,
  tried,
  triedPlan,
  wrongRollups,
} from "../../unit/analytics/rollup-support.ts";
import { poll } from "../../support/poll.ts";
import type { StorePlace } from "../store/contract.ts";
import { type Reading, TestJournal } from "../store/journal.ts";

const begin = Date.UTC(2026, 0, 31, 18);
const zone = makeZone("Asia/Qatar");
const periods = periodsOf(zone);
const sensors = 2;

/** The same for every store: a few hours of sensors, in an order of their own. */
function history(): Reading[] {
  const many = fc.sample(arbitraryReadings(begin), { numRuns: 400, seed: 11 });
  const lists = many
    .filter((list) => list.length > 10 && list.at(-1)!.time < begin + 2 * 3_600_000)
    .slice(0, sensors);
  expect(lists).toHaveLength(sensors);
  const readings = lists.flatMap((list, sensor) =>
    list.map(({ time, values }): Reading => ({
      measurement: "tried",
      sensor: `s-${sensor}`,
      time,
      fields: Object.fromEntries(
        triedPlan.fields.flatMap(({ name }, at) => (Number.isNaN(values[at]) ? [] : [[name, values[at]!]])),
      ),
    })),
  );
  return fc.sample(fc.shuffledSubarray(readings, { minLength: readings.length }), {
    numRuns: 1,
    seed: 12,
  })[0]!;
}

type Table = Map<number, Record<string, number>>;

async function tablesOf(store: Store, policy: Policy): Promise<Map<number, Table>> {
  const tables = new Map<number, Table>();
  const all = { measurement: "tried", from: 0, to: begin * 2 };
  for await (const { series, time, fields } of store.rows({ ...all, policy })) {
    for (let row = 0; row < time.length; row += 1) {
      const table = tables.get(series[row]!) ?? new Map<number, Record<string, number>>();
      tables.set(series[row]!, table);
      table.set(
        time[row]!,
        Object.fromEntries(
          fields.flatMap(({ name, values }) => (Number.isNaN(values[row]) ? [] : [[name, values[row]!]])),
        ),
      );
    }
  }
  return tables;
}

/** Roll-ups on a store: the job and the adapter together. */
export function rollupsContract(name: string, makePlace: () => Promise<StorePlace>): void {
  describe(`roll-ups in ${name}`, () => {
    test("are what the readings give, whatever came late or twice, also after a restart", async () => {
      await using place = await makePlace();
      const readings = history();
      const shape = Object.fromEntries(tried.fields.map((field) => [field.name, field.type]));
      const journal = new TestJournal({ tried: shape });
      let now = Math.max(...readings.map(({ time }) => time)) + 1_000_000;
      const run = async (store: Store): Promise<void> => {
        const job = rollupJob({
          store,
          catalogue: () => makeCatalogue([tried]),
          zone,
          rulesOf: () => steadyRules,
          isBehind: () => false,
          keptDays: {},
          now: () => now,
        });
        await job.run(AbortSignal.timeout(30_000));
        now += 60_000;
      };
      const half = readings.length >> 1;
      const pieces = [readings.slice(0, half), readings.slice(half), readings.slice(half - 10, half + 10)];
      for (const piece of pieces) {
        await using store = await place.open();
        await store.write(journal.batchOf(piece));
        // A run ends after a while, whatever is left: on a slow machine it takes another.
        await poll(async () => {
          await run(store);
          return (await store.dirty()).length === 0;
        });
      }
      await using store = await place.open();
      const tables = new Map<Policy, Map<number, Table>>();
      for (const policy of policies) tables.set(policy, await tablesOf(store, policy));
      for (let sensor = 0; sensor < sensors; sensor += 1) {
        const series = journal.seriesOf("tried", `s-${sensor}`);
        const table = (policy: Policy): Table => tables.get(policy)!.get(series)!;
        expect(table("rollup_1m").size).toBeGreaterThan(5);
        expect(wrongRollups(table, periods, steadyRules, now)).toEqual([]);
      }
    });
  });
}
