import { copyFile, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { builtinCatalogue } from "#telemetry/builtin-catalogue.ts";
import { places } from "#telemetry/places.ts";
import { openLog } from "#runtime/log.ts";
import { cityOf } from "#firmware-sim/city.ts";
import { runSim, type Progress, type RunSimOptions } from "#firmware-sim/run-sim.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { bySeries, fallenCounters, LineServer } from "./line-server.ts";

const log = openLog({ name: "test", level: "silent" });
const minute = 60_000;
const hour = 60 * minute;
/** Simulated now of these tests: a Sunday morning. */
const morning = Date.UTC(2026, 6, 5, 5);

/** Runs a city towards `server` until `enough`; answers its progress. */
async function runUntil(
  server: LineServer,
  folder: { readonly path: string },
  enough: (progress: Progress) => boolean,
  changes: Partial<RunSimOptions> & { sensors?: number; seed?: number } = {},
): Promise<Progress[]> {
  const city = cityOf({ seed: changes.seed ?? 1, sensors: changes.sensors ?? 30, places });
  const controller = new AbortController();
  const told: Progress[] = [];
  await runSim({
    city,
    catalogue: builtinCatalogue,
    targets: new Map(city.gateways.map(({ name }) => [name, server.address])),
    history_ms: 2 * hour,
    step_ms: minute,
    livePeriod_ms: 1000,
    folder: folder.path,
    signal: controller.signal,
    log,
    onProgress: (progress) => {
      told.push(progress);
      if (enough(progress)) controller.abort();
    },
    ...changes,
  });
  return told;
}

const isLive = (progress: Progress): boolean => progress.kind === "live";
const stateOf = async (folder: {
  readonly path: string;
}): Promise<{ version: number; at: number; until: number }> =>
  JSON.parse(await readFile(join(folder.path, "city.json"), "utf8")) as {
    version: number;
    at: number;
    until: number;
  };

test("history comes in time order at one-minute steps, for every sensor, and ends at now", async () => {
  await using server = await new LineServer().listen();
  using folder = tempFolder("sim");
  const told = await runUntil(server, folder, isLive, { now: () => morning });
  await server.until(() => server.lines.length === 30 * 121);
  for (const readings of bySeries(server.lines).values()) {
    expect(readings.map(({ time }) => time)).toEqual(
      Array.from({ length: 121 }, (_, i) => morning - 2 * hour + i * minute),
    );
  }
  expect(bySeries(server.lines).size).toBe(30);
  expect(told.at(-2)).toMatchObject({ kind: "history", sent: 30 * 121, at: morning });
  expect((await stateOf(folder)).at).toBe(morning);
});

test("equal seeds send equal lines", async () => {
  const sent = await Promise.all(
    [4, 4, 5].map(async (seed) => {
      await using server = await new LineServer().listen();
      using folder = tempFolder("sim");
      await runUntil(server, folder, isLive, { now: () => morning, seed });
      await server.until(() => server.lines.length === 30 * 121);
      return server.lines.toSorted();
    }),
  );
  expect(sent[1]).toEqual(sent[0]);
  expect(sent[2]).not.toEqual(sent[0]);
});

test("live, each sensor speaks once a period, at its own time, never in the future", async () => {
  await using server = await new LineServer().listen();
  using folder = tempFolder("sim");
  const begin = Date.now();
  await runUntil(server, folder, ({ kind }) => kind === "live" && Date.now() - begin > 3000, {
    history_ms: 0,
    sensors: 20,
  });
  const end = Date.now();
  await server.until(() => server.lines.length >= 40);
  const readings = [...bySeries(server.lines).values()];
  expect(readings).toHaveLength(20);
  for (const own of readings) {
    const gaps = own.slice(1).map(({ time }, i) => time - own[i]!.time);
    expect(new Set(gaps)).toEqual(new Set([1000]));
  }
  expect(new Set(readings.map(([first]) => first!.time % 1000)).size).toBe(20);
  expect(Math.max(...readings.flat().map(({ time }) => time))).toBeLessThanOrEqual(end);
});

test("a restart fills what it missed, from where it stopped, and counters go on", async () => {
  await using server = await new LineServer().listen();
  using folder = tempFolder("sim");
  await runUntil(server, folder, isLive, { now: () => morning });
  await server.until(() => server.lines.length === 30 * 121);
  await runUntil(server, folder, isLive, { now: () => morning + 30 * minute });
  await server.until(() => server.lines.length === 30 * 151);
  for (const readings of bySeries(server.lines).values()) {
    expect(readings.map(({ time }) => time)).toEqual(
      Array.from({ length: 151 }, (_, i) => morning - 2 * hour + i * minute),
    );
  }
  expect(fallenCounters(server.lines)).toEqual([]);
});

test("a restart after more than the history fills the history's length only", async () => {
  await using server = await new LineServer().listen();
  using folder = tempFolder("sim");
  await runUntil(server, folder, isLive, { now: () => morning });
  await server.until(() => server.lines.length === 30 * 121);
  await runUntil(server, folder, isLive, { now: () => morning + 240 * hour });
  await server.until(() => server.lines.length === 2 * 30 * 121);
  expect(fallenCounters(server.lines)).toEqual([]);
});

test("more sensors than before join the city, and the old ones go on", async () => {
  await using server = await new LineServer().listen();
  using folder = tempFolder("sim");
  await runUntil(server, folder, isLive, { now: () => morning });
  await runUntil(server, folder, isLive, { now: () => morning + 10 * minute, sensors: 60 });
  await server.until(() => bySeries(server.lines).size === 60);
  expect(fallenCounters(server.lines)).toEqual([]);
});

test("another seed in the same folder, or a gateway without an address, is refused", async () => {
  await using server = await new LineServer().listen();
  using folder = tempFolder("sim");
  await runUntil(server, folder, isLive, { now: () => morning, history_ms: 0 });
  await expect(runUntil(server, folder, isLive, { seed: 2 })).rejects.toMatchObject({
    code: "CONFIG_INVALID",
  });
  await expect(runUntil(server, folder, isLive, { targets: new Map() })).rejects.toMatchObject({
    code: "CONFIG_INVALID",
  });
});

test("ten thousand sensors run behind as many gateways as they need", async () => {
  await using server = await new LineServer(false).listen();
  using folder = tempFolder("sim");
  await runUntil(server, folder, isLive, { now: () => morning, sensors: 10_000, history_ms: 5 * minute });
  await server.until(() => server.received === 6 * 10_000);
  expect(server.connections).toBeGreaterThan(5);
});

test("a city saved by version 1 goes on: no counter falls, stocks go on to the kilogram, and the next save is of this version", async () => {
  const fixture = join(import.meta.dirname, "../../fixtures/sim-state-1");
  const before = (await readFile(join(fixture, "last-lines.txt"), "utf8")).trim().split("\n");
  await using server = await new LineServer().listen();
  using folder = tempFolder("sim");
  await copyFile(join(fixture, "city.json"), join(folder.path, "city.json"));
  await runUntil(server, folder, isLive, { now: () => morning + 10 * minute, sensors: 60 });
  await server.until(() => server.lines.length === 60 * 10);
  expect(fallenCounters([...before, ...server.lines])).toEqual([]);
  const totals = ["intake_local_total", "intake_import_total", "transfer_in_total"];
  const stocks = [...bySeries([...before, ...server.lines])].filter(([series]) =>
    series.startsWith("food_stock"),
  );
  expect(stocks.length).toBeGreaterThan(1);
  for (const [, readings] of stocks) {
    const gained = (field: string): number => readings.at(-1)!.fields[field]! - readings[0]!.fields[field]!;
    const came = totals.reduce((sum, field) => sum + gained(field), 0);
    expect(gained("stock")).toBeCloseTo(came - gained("dispatch_total"), 2);
  }
  expect(await stateOf(folder)).toMatchObject({ version: 2, at: morning + 10 * minute });
});
