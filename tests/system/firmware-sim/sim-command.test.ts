import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { poll } from "../../support/poll.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { bySeries, fallenCounters, LineServer, parseLine } from "./line-server.ts";
import { SimProcess } from "./sim-process-handle.ts";

const live = (sim: SimProcess): boolean => sim.told.some(({ kind }) => kind === "live");
const addressOf = ({ address }: LineServer): string => `${address.host}:${address.port}`;

/** Readings of one sensor and time that do not say the same. */
function contradictions(lines: readonly string[]): string[] {
  const first = new Map<string, string>();
  return lines.filter((line) => {
    const { series, time } = parseLine(line);
    const key = `${series} ${time}`;
    const before = first.get(key) ?? line;
    first.set(key, before);
    return before !== line;
  });
}

test("killed again and again, it goes on: no counter falls, no reading is said in two ways, no step is missing", async () => {
  using folder = tempFolder("sim");
  await using server = await new LineServer().listen();
  const config = join(folder.path, "sim.yaml");
  // Everything that goes wrong without silencing anyone.
  const fault_kinds = ["leak", "congestion", "cold-chain-break", "power-cut", "stuck", "spike", "drift"];
  const wrong = { faults: 12, fault_kinds, labels: join(folder.path, "labels.jsonl") };
  const city = {
    data: join(folder.path, "state"),
    sensors: 40,
    seed: 3,
    history: "2d",
    live_period: "1s",
    ...wrong,
  };
  await writeFile(config, JSON.stringify({ ...city, to: addressOf(server) }));
  const midway = (lines: number) => (): boolean => server.received >= lines;
  for (const enough of [midway(20_000), midway(100_000), live]) {
    await using sim = new SimProcess(["--config", config]);
    await poll(() => enough(sim), { interval: 10 });
    await sleep(200);
    await sim.end("SIGKILL");
  }
  await sleep(1500);
  await using sim = new SimProcess(["--config", config]);
  await poll(() => live(sim));
  await sleep(1500);
  expect(await sim.end("SIGTERM")).toMatchObject({ code: 0 });

  expect(contradictions(server.lines)).toEqual([]);
  expect(fallenCounters(server.lines)).toEqual([]);
  const labels = (await readFile(wrong.labels, "utf8")).trim().split("\n");
  expect(labels.length).toBeGreaterThan(5);
  expect(new Set(labels).size).toBe(labels.length);
  const widest = [...bySeries(server.lines).values()].map((readings) => {
    const times = [...new Set(readings.map(({ time }) => time))].sort((a, b) => a - b);
    expect(times.length).toBeGreaterThan(2880);
    return Math.max(...times.slice(1).map((time, i) => time - times[i]!));
  });
  expect(widest).toHaveLength(40);
  expect(Math.max(...widest)).toBeLessThanOrEqual(60_000);
});

test("it tells its parent how far history is, and then that it lives", async () => {
  using folder = tempFolder("sim");
  await using server = await new LineServer(false).listen();
  const ready = join(folder.path, "ready.json");
  const state = join(folder.path, "state");
  const city = [
    "--data",
    state,
    "--sensors",
    "10",
    "--history",
    "1d",
    "--faults",
    "off",
    "--to",
    addressOf(server),
  ];
  await using sim = new SimProcess([...city, "--ready-file", ready]);
  await poll(() => sim.told.some(({ kind }) => kind === "live"));
  const history = sim.told.filter((progress) => progress.kind === "history");
  expect(history.at(-1)!.sent).toBeGreaterThanOrEqual(14_400);
  expect(history.at(-1)!.sent).toBe(history.at(-1)!.total);
  expect(JSON.parse(await readFile(ready, "utf8"))).toEqual({});
  expect(await sim.end("SIGTERM")).toMatchObject({ code: 0 });
});

test("--replay --json prints what became of the file, and nothing else, on stdout", async () => {
  using folder = tempFolder("sim");
  await using server = await new LineServer().listen();
  const file = join(folder.path, "inflow.csv");
  await writeFile(file, "t,DMA 1,DMA 2\n2021-10-31 02:00,1,5\n2021-10-31 02:00,2,\n2021-10-31 03:00,3,7\n");
  const maps = ["--map", "water_flow.flow=DMA 1", "--map", "water_flow.flow=DMA 2@second"];
  const options = ["--tz", "Europe/Rome", "--to", addressOf(server), "--json"];
  await using sim = new SimProcess(["--replay", file, ...maps, ...options]);
  const { code, stdout } = await sim.end();
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ rows: 3, sent: 5, gaps: 1, repeated_hour: 1, problems: [] });
  expect(server.lines).toHaveLength(5);
  expect(server.lines[0]).toBe(`water_flow,sensor=dma-1 flow=1 ${Date.UTC(2021, 9, 31)}`);
});
