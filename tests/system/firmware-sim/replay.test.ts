import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { builtinCatalogue } from "#telemetry/builtin-catalogue.ts";
import { openLog } from "#runtime/log.ts";
import { openLineSender } from "#firmware-sim/line-sender.ts";
import { lineSink } from "#firmware-sim/replay-lines.ts";
import { parseMap } from "#firmware-sim/replay-map.ts";
import { seriesOf, type Series } from "#firmware-sim/replay-series.ts";
import { replay, type ReplaySummary } from "#firmware-sim/replay.ts";
import { makeZone } from "#telemetry/zone.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { LineServer } from "./line-server.ts";

const log = openLog({ name: "test", level: "silent" });
const hour = 3_600_000;

interface Played {
  readonly summary: ReplaySummary;
  readonly lines: readonly string[];
}

function seriesFor(maps: readonly string[]): Series[] {
  const parsed = maps.map((text) => {
    const parsed = parseMap(text, builtinCatalogue);
    if (!parsed.ok) throw new Error(parsed.detail);
    return parsed.map;
  });
  return seriesOf(parsed, builtinCatalogue);
}

async function play(
  csv: string,
  maps: readonly string[],
  options: { timeColumn?: string; zone?: string; rate?: number; interval_ms?: number } = {},
): Promise<Played> {
  using folder = tempFolder("replay");
  const file = join(folder.path, "recorded.csv");
  await writeFile(file, csv);
  await using server = await new LineServer().listen();
  const { signal } = new AbortController();
  await using sender = await openLineSender(server.address, { signal, log });
  const series = seriesFor(maps);
  const sink = lineSink(series, sender);
  const summary = await replay({
    ...options,
    file,
    series,
    zone: makeZone(options.zone ?? "UTC"),
    sink,
    signal,
  });
  await server.until(() => server.lines.length >= summary.sent);
  return { summary, lines: server.lines };
}

test("maps onto one sensor become fields of one line; empty cells are gaps; values stay equal", async () => {
  const csv = [
    "time,flow,p,flow2",
    "2021-01-01 00:00,3.7,410.25,1e-3",
    "2021-01-01 01:00,,411,0.1",
    "2021-01-01 02:00,,,NaN",
    "2021-01-01 03:00,-0.123456789012345,412,2",
  ].join("\r\n");
  const { summary, lines } = await play(csv, [
    "water_flow.flow=flow@dma-1",
    "water_flow.pressure=p@dma-1",
    "water_flow.flow=flow2",
  ]);
  const t = Date.UTC(2021, 0, 1);
  expect(lines).toEqual([
    `water_flow,sensor=dma-1 flow=3.7,pressure=410.25 ${t}`,
    `water_flow,sensor=flow2 flow=0.001 ${t}`,
    `water_flow,sensor=dma-1 pressure=411 ${t + hour}`,
    `water_flow,sensor=flow2 flow=0.1 ${t + hour}`,
    `water_flow,sensor=dma-1 flow=-0.123456789012345,pressure=412 ${t + 3 * hour}`,
    `water_flow,sensor=flow2 flow=2 ${t + 3 * hour}`,
  ]);
  expect(summary).toMatchObject({ rows: 4, sent: 6, gaps: 4, bad_values: 0, bad_times: 0, problems: [] });
  expect([summary.first, summary.last]).toEqual(["2021-01-01T00:00:00.000Z", "2021-01-01T03:00:00.000Z"]);
});

test("a year of local hours: the repeated hour collides with nothing, the skipped one is told", async () => {
  const rows: string[] = [];
  const zone = makeZone("Europe/Rome");
  const from = Date.UTC(2020, 11, 31, 23);
  for (let i = 0; i < 365 * 24; i += 1) {
    const utc = from + i * hour;
    rows.push(`${new Date(utc + zone.offsetAt(utc)).toISOString().slice(0, 16).replace("T", " ")},${i}`);
  }
  const { summary, lines } = await play(["t,q", ...rows].join("\n"), ["water_flow.flow=q"], {
    zone: "Europe/Rome",
  });
  expect(lines).toEqual(rows.map((_row, i) => `water_flow,sensor=q flow=${i} ${from + i * hour}`));
  expect(summary).toMatchObject({ rows: 8760, sent: 8760, repeated_hour: 1, skipped_hour: 0, same_time: 0 });

  const skipped = await play(
    "t,q\n2021-03-28 01:00,1\n2021-03-28 02:00,2\n2021-03-28 03:00,3\n",
    ["water_flow.flow=q"],
    {
      zone: "Europe/Rome",
    },
  );
  expect(skipped.summary).toMatchObject({ sent: 3, skipped_hour: 1, same_time: 1 });
  expect(skipped.summary.problems[0]).toContain("2021-03-28 02:00 does not exist in Europe/Rome");
});

test("what is no time and no number is counted and told, its neighbours are sent", async () => {
  const csv = "when,q\nyesterday,1\n2021-02-30,2\n2021-03-01,three\n2021-03-02,4\n";
  const { summary, lines } = await play(csv, ["water_flow.flow=q@m"]);
  expect(lines).toEqual([`water_flow,sensor=m flow=4 ${Date.UTC(2021, 2, 2)}`]);
  expect(summary).toMatchObject({ rows: 4, sent: 1, bad_times: 2, bad_values: 1 });
  expect(summary.problems).toEqual([
    'row 1: "yesterday" is not a time',
    'row 2: "2021-02-30" is not a time',
    'row 3: "three" is no float value',
  ]);
});

test("a byte order mark, quotes and another time column do not disturb", async () => {
  const csv = '\uFEFF"flow, L/s",stamp\n"1.5",2021-01-01T00:00:00+03:00\n';
  const { lines } = await play(csv, ["water_flow.flow=flow, L/s@m"], { timeColumn: "stamp" });
  expect(lines).toEqual([`water_flow,sensor=m flow=1.5 ${Date.UTC(2020, 11, 31, 21)}`]);
});

test("a missing file or column is told by name", async () => {
  await expect(play("t,q\n", ["water_flow.flow=x"])).rejects.toMatchObject({
    code: "NOT_FOUND",
    message: 'the file has no column "x"; it has t, q',
  });
  await expect(play("", ["water_flow.flow=x"])).rejects.toMatchObject({ code: "NOT_FOUND" });
  await expect(play("t,q\n", ["water_flow.flow=q@a", "water_flow.flow=q@a"])).rejects.toMatchObject({
    code: "CONFIG_INVALID",
  });
});

test("a rate holds the readings back", async () => {
  const rows = Array.from({ length: 200 }, (_, i) => `${new Date(i * 60_000).toISOString()},${i}`);
  const started = performance.now();
  const { summary } = await play(["t,q", ...rows].join("\n"), ["water_flow.flow=q"], { rate: 400 });
  expect(summary.sent).toBe(200);
  expect(performance.now() - started).toBeGreaterThan(350);
});
