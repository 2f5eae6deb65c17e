import { join } from "node:path";
import { pino } from "pino";
import { expect, test } from "vitest";
import { periodsOf } from "#analytics/rollup/periods.ts";
import { rollWindow } from "#analytics/rollup/oracle.ts";
import { rollupPlan } from "#analytics/rollup/plan.ts";
import { type Job, Jobs } from "#api/schemas.ts";
import { openDuckDbStore } from "#store/duckdb/index.ts";
import type { Store } from "#store/port.ts";
import { type Policy, rollups } from "#store/query.ts";
import { builtinCatalogue } from "#telemetry/builtin-catalogue.ts";
import { places } from "#telemetry/places.ts";
import { makeZone } from "#telemetry/zone.ts";
import { connectGateway } from "../../support/mqtt-gateway.ts";
import { admitGateway, dataFolder, type Platform, startPlatform } from "../../support/platform.ts";
import { poll } from "../../support/poll.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { runMarsad } from "../cli/run-marsad.ts";

const identity = { name: "corniche-1", agency: "water" };
const args = ["--rollup-interval-s", "0.1"];
const minute = 60_000;
const sensors = ["wm-1", "wm-2", "wm-3"];
/** Two hours ago: every minute is over. */
const begin = Math.floor((Date.now() - 7_200_000) / minute) * minute;
const water = builtinCatalogue.measurements[builtinCatalogue.indexOf("water_flow")!]!;
const plan = rollupPlan(water);
const periods = periodsOf(makeZone(places.city.zone));

interface Sent {
  readonly sensor: number;
  readonly time: number;
  readonly values: readonly number[];
}

/** A reading a minute of each; every tenth comes late. The first meter's counter reads 0 once in between. */
const all: Sent[] = Array.from({ length: 60 * sensors.length }, (_, i) => {
  const [sensor, at] = [i % sensors.length, Math.floor(i / sensors.length)];
  const total = sensor === 0 && at === 30 ? 0 : 1000 + at * (sensor + 1);
  const time = begin + at * minute + 7_000 * (sensor + 1);
  return {
    sensor,
    time,
    values: plan.fields.map(({ name }) => (name === "flow" ? at % 7 : name === "volume_total" ? total : NaN)),
  };
});
const isLate = (_: Sent, i: number): boolean => i % 10 === 3;
const late = all.filter(isLate);
const inTime = all.filter((sent, i) => !isLate(sent, i));

function linesOf(sent: readonly Sent[]): string {
  return sent
    .map(({ sensor, time, values }) => {
      const fields = plan.fields.flatMap(({ name }, at) =>
        Number.isNaN(values[at]) ? [] : [`${name}=${values[at]}`],
      );
      return `water_flow,sensor=${sensors[sensor]} ${fields.join(",")} ${time}`;
    })
    .join("\n");
}

async function jobsOf({ ready: { http } }: Platform): Promise<Job[]> {
  return Jobs.parse(await (await fetch(`${http}/api/v1/jobs`)).json()).jobs;
}

/** The rows of a statement with one series, times in ms. */
async function asked({ ready: { http } }: Platform, q: string): Promise<unknown[][]> {
  const answer = await fetch(
    `${http}/query?${new URLSearchParams({ q, db: "marsad", epoch: "ms" }).toString()}`,
  );
  const { results } = (await answer.json()) as { results: { series: { values: unknown[][] }[] }[] };
  return results[0]!.series[0]!.values;
}

/** Rows written since the start, by all roll-ups. */
async function rowsWritten({ ready: { http } }: Platform): Promise<number> {
  const text = await (await fetch(`${http}/metrics`)).text();
  return Array.from(text.matchAll(/^marsad_analytics_rollup_rows_total\{.*\} (\d+)$/gm), ([, rows]) =>
    Number(rows),
  ).reduce((sum, rows) => sum + rows, 0);
}

async function rolledUp(platform: Platform): Promise<void> {
  await poll(async () => {
    const { journal } = (await platform.account(identity.name)).on_its_way;
    const [job] = (await jobsOf(platform)).filter(({ name }) => name === "rollup");
    const before = job!.runs;
    if (journal > 0 || job!.behind !== 0) return false;
    // One run that began after all was stored has found nothing more.
    await poll(async () =>
      (await jobsOf(platform)).some(({ name, runs }) => name === "rollup" && runs > before + 1),
    );
    return (await jobsOf(platform)).some(({ name, behind }) => name === "rollup" && behind === 0);
  });
}

/** Each sensor's rows: time -> fields. */
async function stored(store: Store, policy: Policy): Promise<Map<string, Record<string, number>>> {
  const rows = new Map<string, Record<string, number>>();
  const names = new Map(Array.from(await store.series(), ({ series, sensor }) => [series, sensor]));
  const query = { policy, measurement: "water_flow", from: 0, to: Date.now() + 86_400_000 };
  for await (const { series, time, fields } of store.rows(query))
    for (let row = 0; row < time.length; row += 1)
      rows.set(
        `${names.get(series[row]!)} ${time[row]}`,
        Object.fromEntries(
          fields.flatMap(({ name, values }) => (Number.isNaN(values[row]) ? [] : [[name, values[row]!]])),
        ),
      );
  return rows;
}

/** What the readings give, for every window with a row and those beside. */
function expected(policy: (typeof rollups)[number]): Map<string, Record<string, number>> {
  const rows = new Map<string, Record<string, number>>();
  for (const [sensor, id] of sensors.entries()) {
    const own = all.filter((sent) => sent.sensor === sensor);
    const readings = {
      time: Float64Array.from(own, ({ time }) => time),
      values: plan.fields.map((_, at) => Float64Array.from(own, ({ values }) => values[at]!)),
    };
    const rules = { period_s: [{ from: 0, value: water.period_s }], rollovers: {}, replacements: [] };
    for (let at = begin - 2 * minute; at < begin + 70 * minute; at += minute) {
      const from = periods[policy].beginOf(at);
      const row = rollWindow(plan, readings, rules, { from, to: periods[policy].endOf(from) });
      if (Object.keys(row).length > 0) rows.set(`${id} ${from}`, row);
    }
  }
  return rows;
}

function rounded(rows: Map<string, Record<string, number>>): unknown {
  return Object.fromEntries(
    [...rows]
      .toSorted(([a], [b]) => a.localeCompare(b))
      .map(([key, row]) => [
        key,
        Object.fromEntries(
          Object.entries(row)
            .toSorted(([a], [b]) => a.localeCompare(b))
            .map(([name, value]) => [name, Number(value.toPrecision(9))]),
        ),
      ]),
  );
}

test("readings over MQTT are rolled up, late ones again, and kill -9 in between loses nothing", async () => {
  using folder = tempFolder("rollups");
  const password = await admitGateway(dataFolder(folder.path), identity);
  {
    await using platform = await startPlatform({ folder: folder.path, args });
    await using gateway = await connectGateway({ identity, password, port: platform.mqttPort });
    await gateway.birth(sensors);
    await gateway.send(linesOf(inTime.slice(0, 80)));
    await gateway.send(linesOf(inTime.slice(80)));
    // Somewhere in the middle: some minutes are written, some hours not.
    await poll(async () => (await rowsWritten(platform)) > 0);
    await platform.end("SIGKILL");
  }
  {
    await using platform = await startPlatform({ folder: folder.path, args });
    await rolledUp(platform);
    await using gateway = await connectGateway({ identity, password, port: platform.mqttPort });
    await gateway.send(linesOf(late));
    await platform.end("SIGKILL");
  }
  {
    await using platform = await startPlatform({ folder: folder.path, args });
    await rolledUp(platform);
    const { code, stdout } = await runMarsad(["jobs", "--http", platform.ready.http]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^JOB +STATE +LAST RUN/m);
    expect(stdout).toMatch(/^rollup +(?:waiting|running) +20/m);
    expect(stdout).toMatch(/^retention +waiting/m);
    expect((await jobsOf(platform)).filter(({ failures }) => failures > 0)).toEqual([]);
    // What dashboards ask, with a range of an hour, of a week and of a year.
    for (const [hours, rollup] of [
      [1, "rollup_1m"],
      [168, "rollup_1h"],
      [8760, "rollup_1d"],
    ] as const) {
      const range = hours * 3_600_000;
      const choice = `SELECT "rollup" FROM "rollup_choice" WHERE ${range} >= "from_ms" AND ${range} < "to_ms"`;
      expect(await asked(platform, choice)).toEqual([[0, rollup]]);
      const counted = `SELECT sum("volume_total_increase") FROM "${rollup}"."water_flow" WHERE "sensor" = 'wm-1'`;
      const [[, increase] = []] = await asked(platform, counted);
      // Its 0 in between adds nothing.
      expect(increase).toBeCloseTo(59, 6);
    }
    expect(await platform.end("SIGTERM")).toBe(0);
  }
  const log = pino({ level: "silent" });
  await using store = await openDuckDbStore({ path: join(dataFolder(folder.path), "store"), log });
  expect((await stored(store, "autogen")).size).toBe(all.length);
  for (const policy of rollups)
    expect(rounded(await stored(store, policy))).toEqual(rounded(expected(policy)));
});
