import { appendFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { builtinCatalogue } from "#telemetry/builtin-catalogue.ts";
import { places } from "#telemetry/places.ts";
import { openLog } from "#runtime/log.ts";
import { cityOf } from "#firmware-sim/city.ts";
import { faultKinds } from "#firmware-sim/faults/fault.ts";
import { FaultLabel } from "#firmware-sim/faults/label.ts";
import { runSim } from "#firmware-sim/run-sim.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { LineServer } from "./line-server.ts";

const log = openLog({ name: "test", level: "silent" });
const hour = 3_600_000;
const morning = Date.UTC(2026, 6, 5, 5);

interface Run {
  readonly folder: string;
  readonly server: LineServer;
  readonly now: number;
  readonly history_ms: number;
}

/** Runs a city with many faults until its history reaches `now`. */
async function runUntilNow({ folder, server, now, history_ms }: Run): Promise<void> {
  const city = cityOf({ seed: 4, sensors: 60, places, sensorsPerGateway: 12 });
  const controller = new AbortController();
  await runSim({
    city,
    catalogue: builtinCatalogue,
    targets: new Map(city.gateways.map(({ name }) => [name, server.address])),
    faults: { perDay: 15, kinds: faultKinds },
    labels: join(folder, "labels.jsonl"),
    history_ms,
    step_ms: 60_000,
    livePeriod_ms: 1000,
    folder,
    signal: controller.signal,
    log,
    now: () => now,
    onProgress: ({ kind }) => {
      if (kind === "live") controller.abort();
    },
  });
}

/** What a city says and labels between `begin` and the last of `stops`, ended and started again at the others. */
async function lifeUntil(
  begin: number,
  stops: readonly number[],
): Promise<{ lines: string[]; labels: string }> {
  await using server = await new LineServer().listen();
  using folder = tempFolder("sim");
  for (const now of stops) await runUntilNow({ folder: folder.path, server, now, history_ms: now - begin });
  await server.until(() => server.lines.at(-1)?.endsWith(` ${stops.at(-1)}`) === true);
  return {
    lines: server.lines.toSorted(),
    labels: await readFile(join(folder.path, "labels.jsonl"), "utf8"),
  };
}

test("a city that was ended and started again says and labels, to the byte, what one does that ran through", async () => {
  const begin = morning - 30 * hour;
  const [through, again, ended] = await Promise.all([
    lifeUntil(begin, [morning]),
    lifeUntil(begin, [morning]),
    lifeUntil(begin, [morning - 11 * hour, morning - 2 * hour, morning]),
  ]);
  expect(through.lines.length).toBeGreaterThan(90_000);
  expect(again).toEqual(through);
  expect(ended.labels).toBe(through.labels);
  expect(ended.lines.filter((line, i) => line !== through.lines[i])).toEqual([]);
});

test("labels are of faults that have begun, by their begin, as the schema says", async () => {
  const begin = morning - 48 * hour;
  const { labels: text } = await lifeUntil(begin, [morning]);
  const labels = text
    .trim()
    .split("\n")
    .map((line) => FaultLabel.parse(JSON.parse(line)));
  const begins = labels.map(({ from }) => Date.parse(from));
  expect(begins).toEqual(begins.toSorted((a, b) => a - b));
  expect(Math.max(...begins)).toBeLessThanOrEqual(morning);
  expect(Math.min(...labels.map(({ to }) => Date.parse(to)))).toBeGreaterThan(begin);
  expect(new Set(labels.map(({ kind }) => kind)).size).toBeGreaterThan(6);
  const causes = Map.groupBy(labels, ({ cause }) => cause);
  expect(causes.size).toBeGreaterThan(15);
  expect([...causes.values()].some((effects) => effects.length > 1)).toBe(true);
});

test("a time that nobody simulated has no labels", async () => {
  await using server = await new LineServer().listen();
  using folder = tempFolder("sim");
  const run = { folder: folder.path, server, history_ms: 6 * hour };
  await runUntilNow({ ...run, now: morning - 200 * hour });
  await runUntilNow({ ...run, now: morning });
  const labels = (await readFile(join(folder.path, "labels.jsonl"), "utf8")).trim().split("\n");
  const between = labels
    .map((line) => FaultLabel.parse(JSON.parse(line)))
    .filter(({ from, to }) => {
      return Date.parse(from) > morning - 200 * hour && Date.parse(to) < morning - 7 * hour;
    });
  expect(labels.length).toBeGreaterThan(3);
  expect(between).toEqual([]);
});

test("a label file cut in the middle of a cause is made whole, and another file is not written into", async () => {
  await using server = await new LineServer().listen();
  using folder = tempFolder("sim");
  const path = join(folder.path, "labels.jsonl");
  const run = { folder: folder.path, server, now: morning, history_ms: 30 * hour };
  await runUntilNow(run);
  const whole = await readFile(path, "utf8");
  await writeFile(path, whole.slice(0, -40));
  await runUntilNow(run);
  expect(await readFile(path, "utf8")).toBe(whole);
  await appendFile(path, "not a label\n");
  await expect(runUntilNow(run)).rejects.toMatchObject({ code: "CONFIG_INVALID" });
  expect(await readFile(path, "utf8")).toBe(`${whole}not a label\n`);
});
