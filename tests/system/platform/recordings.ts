import { spawn } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { parse } from "csv-parse/sync";
import { expect } from "vitest";
import { parse as parseYaml } from "yaml";
import type { AgentModbus } from "#firmware-sim/modbus/unit-plan.ts";
import { type Edge, startEdge } from "../../support/edge.ts";
import { type Influxd, startInfluxd } from "../../support/influxd.ts";
import { LocalClock } from "../../support/local-clock.ts";
import { admitGateway, dataFolder, startPlatform } from "../../support/platform.ts";
import { poll } from "../../support/poll.ts";
import { storedRows } from "../../support/stored-rows.ts";
import { cleanEnvironment, collect, type Ended, entry } from "../cli/run-marsad.ts";

export const hour = 3_600_000;

/** A recorded file and what its columns are. */
export interface Recording {
  readonly file: string;
  readonly zone: string;
  /** Milliseconds; stamps name the end of an interval of this length. */
  readonly interval?: number;
  readonly measurement: string;
  readonly field: string;
  /** Column -> sensor. */
  readonly columns: Readonly<Record<string, string>>;
}

/** The same files by two ways at once, so that each way has a gateway, and an agency, of its own. */
const ways = {
  lines: { name: "recorder-lines", agency: "mobility" },
  modbus: { name: "recorder-modbus", agency: "water" },
} as const;
export type Way = keyof typeof ways;

export interface Figures {
  readonly file: string;
  readonly way: Way;
  readonly rows: number;
  readonly sent: number;
  /** Distinct (series, UTC time) of the file. */
  readonly distinct: number;
  readonly stored: number;
}

export interface Played {
  readonly figures: readonly Figures[];
  /** From the agent's first read to the last row's proof. */
  readonly modbus: { readonly rows: number; readonly seconds: number };
}

/** (sensor, time) -> value: what a store must hold of a file. The last row of an instant counts. */
async function expectedOf({
  file,
  zone,
  interval = 0,
  columns,
}: Recording): Promise<{ rows: number; values: Map<string, number> }> {
  const rows: Record<string, string>[] = parse(await readFile(file), { columns: true });
  const timeColumn = Object.keys(rows[0]!)[0]!;
  const stamps = rows.map((row) => row[timeColumn]!);
  const isInstant = stamps[0]!.endsWith("Z");
  const instants = isInstant
    ? stamps.map((stamp) => Date.parse(stamp))
    : new LocalClock(zone).instantsOf(stamps, interval);
  const values = new Map<string, number>();
  for (const [i, row] of rows.entries()) {
    for (const [column, sensor] of Object.entries(columns)) {
      const cell = row[column]!;
      if (cell === "") continue;
      if (instants[i] === undefined) throw new Error(`${stamps[i]} has a value and no instant`);
      values.set(`${sensor} ${instants[i]}`, Number(cell));
    }
  }
  return { rows: rows.length, values };
}

/** Starts a replay, which ends with `resources` if it has not ended before: one that waits for an agent would wait for ever. */
function replay(
  { file, zone, interval = 0, measurement, field, columns }: Recording,
  args: readonly string[],
  resources: AsyncDisposableStack,
): Promise<Ended> {
  const maps = Object.entries(columns).flatMap(([column, sensor]) => [
    "--map",
    `${measurement}.${field}=${column}@${sensor}`,
  ]);
  const times = ["--tz", zone, "--interval-end", `${interval / hour}h`];
  const all = [entry, "sim", "--replay", file, ...maps, ...times, ...args, "--json"];
  const child = spawn(process.execPath, all, {
    env: cleanEnvironment(),
    stdio: ["ignore", "pipe", "pipe"],
  });
  resources.defer(() => void child.kill("SIGKILL"));
  return collect(child);
}

function sentBy({ file }: Recording, { code, stdout, stderr }: Ended): number {
  if (code !== 0) throw new Error(`the replay of ${file} failed: ${stderr}`);
  return (JSON.parse(stdout) as { sent: number }).sent;
}

type StartAgent = (way: Way, settings?: object) => Promise<Edge>;

/** Line sensors of one file after the other. @returns how many readings each file sent. */
async function playLines(
  recordings: readonly Recording[],
  start: StartAgent,
  resources: AsyncDisposableStack,
): Promise<[Edge, number[]]> {
  const edge = await start("lines");
  const sent: number[] = [];
  for (const recording of recordings)
    sent.push(sentBy(recording, await replay(recording, ["--to", edge.input], resources)));
  return [edge, sent];
}

/** All files as Modbus devices at once; the agent is given what they print of themselves. */
async function playRegisters(
  folder: string,
  recordings: readonly Recording[],
  start: StartAgent,
  resources: AsyncDisposableStack,
): Promise<[Edge, number[], number]> {
  const files = recordings.map((_, i) => join(folder, `agent-${i}.yaml`));
  const playing = recordings.map((recording, i) =>
    replay(recording, ["--modbus", "127.0.0.1:0", "--map-file", files[i]!], resources),
  );
  const parts: AgentModbus[] = [];
  for (const [i, file] of files.entries()) {
    const written = poll(() => readFile(file, "utf8").catch(() => undefined));
    const early = playing[i]!.then((ended) => sentBy(recordings[i]!, ended));
    await Promise.race([written, early]);
    parts.push(parseYaml(await written) as AgentModbus);
  }
  const started = performance.now();
  const edge = await start("modbus", {
    inputs: parts.flatMap(({ inputs }) => inputs),
    register_maps: Object.assign({}, ...parts.map(({ register_maps }) => register_maps)) as object,
  });
  const ended = await Promise.all(playing);
  const seconds = (performance.now() - started) / 1000;
  return [edge, recordings.map((recording, i) => sentBy(recording, ended[i]!)), seconds];
}

/**
 * Plays recordings sensor -> agent -> MQTT -> store, as line sensors and as Modbus devices, and compares what is stored of both with the files.
 */
export async function playAndCompare(
  folder: string,
  recordings: readonly Recording[],
  store: "duckdb" | "influxdb",
): Promise<Played> {
  const data = dataFolder(folder);
  await using influxd = store === "influxdb" ? await startInfluxd({ folder }) : undefined;
  const storeArgs = influxd === undefined ? [] : ["--store", "influxdb", "--influx-url", influxd.url];
  const passwords = { lines: "", modbus: "" };
  for (const way of ["lines", "modbus"] as const) passwords[way] = await admitGateway(data, ways[way]);
  // Recorded years ago.
  await using platform = await startPlatform({ folder, args: ["--max-age-days", "20000", ...storeArgs] });
  const sensors = recordings.flatMap(({ columns }) => Object.values(columns));
  await using resources = new AsyncDisposableStack();
  const start: StartAgent = async (way, settings = {}) => {
    const { name: gateway, agency } = ways[way];
    const { mqttPort } = platform;
    const given = { folder, gateway, agency, password: passwords[way], mqttPort, sensors, settings };
    return resources.use(await startEdge(given));
  };
  const [lineEdge, sentLines] = await playLines(recordings, start, resources);
  const [modbusEdge, sentRows, seconds] = await playRegisters(folder, recordings, start, resources);
  const sent = { lines: sentLines, modbus: sentRows };
  for (const way of ["lines", "modbus"] as const) {
    const total = sent[way].reduce((sum, count) => sum + count, 0);
    const account = await platform.settled(ways[way].name, (account) => account.sent >= total);
    expect(account).toMatchObject({ sent: total, refused: 0, on_its_way: { waiting: 0, missing: 0 } });
  }
  expect(await lineEdge.end("SIGTERM")).toBe(0);
  expect(await modbusEdge.end("SIGTERM")).toBe(0);
  expect(await platform.end("SIGTERM")).toBe(0);

  const figures: Figures[] = [];
  for (const [i, recording] of recordings.entries()) {
    const { measurement, field, columns, file } = recording;
    const { rows, values } = await expectedOf(recording);
    const own = new Set(Object.values(columns));
    const all = influxd ? await influxRows(influxd, measurement) : (await storedRows(data, measurement)).rows;
    for (const way of ["lines", "modbus"] as const) {
      const stored = all.filter(({ agency, sensor }) => agency === ways[way].agency && own.has(sensor));
      expect(new Map(stored.map((row) => [`${row.sensor} ${row.time}`, row.fields[field]]))).toEqual(values);
      expect(stored.length).toBe(values.size);
      figures.push({
        file: basename(file),
        way,
        rows,
        sent: sent[way][i]!,
        distinct: values.size,
        stored: stored.length,
      });
    }
  }
  return { figures, modbus: { rows: sentRows.reduce((sum, count) => sum + count, 0), seconds } };
}

interface InfluxRow {
  readonly agency: string;
  readonly sensor: string;
  readonly time: number;
  readonly fields: Readonly<Record<string, unknown>>;
}

async function influxRows(influxd: Influxd, measurement: string): Promise<InfluxRow[]> {
  const [series] = await influxd.query(`SELECT * FROM "${measurement}"`, "marsad");
  if (series === undefined) return [];
  return series.values.map((values) => {
    const fields = Object.fromEntries(series.columns.map((name, i) => [name, values[i]]));
    const { agency, sensor, time } = fields;
    return { agency: String(agency), sensor: String(sensor), time: Number(time), fields };
  });
}

/** Files of our own with everything in them that makes recorded files hard. */
export async function writeHardFiles(folder: string): Promise<Recording[]> {
  const path = (name: string): string => join(folder, name);
  const hours = (from: number, days: number): number[] =>
    Array.from({ length: days * 24 }, (_, i) => from + i * hour);

  // Two meters on an Italian clock, with gaps: October's hour twice, March's not at all.
  const rome = new LocalClock("Europe/Rome");
  const flow = [...hours(Date.UTC(2021, 2, 20), 15), ...hours(Date.UTC(2021, 9, 20), 20)].map((utc, i) => {
    const second = i % 17 === 0 ? "" : String((i % 971) / 64);
    return `${rome.stampAt(utc)},${i % 23 === 5 ? "" : 3 + (i % 100) / 8},${second}`;
  });
  await writeFile(path("flow.csv"), ["local,A,B", ...flow].join("\n"));

  // An American feeder whose stamps name the hour's end.
  const newYork = new LocalClock("America/New_York");
  const feeder = [...hours(Date.UTC(2015, 9, 25), 15), ...hours(Date.UTC(2016, 2, 5), 15)].map((utc, i) => {
    const end = newYork.wallAt(utc) + hour;
    return `${new Date(end).toISOString().slice(0, 19).replace("T", " ")},${1500 + (i % 777) / 4}`;
  });
  await writeFile(path("feeder.csv"), ["Datetime,MW", ...feeder].join("\r\n"));

  // Rows with equal times, of which the last counts, and rows that are late.
  const start = Date.UTC(2016, 1, 28);
  const counts = Array.from({ length: 1000 }, (_, i) => {
    const minute = i % 50 === 49 ? i - 30 : i - (i % 3 === 2 ? 1 : 0);
    return `${new Date(start + minute * 60_000).toISOString()},${i}`;
  });
  await writeFile(path("counts.csv"), ["time,vehicles", ...counts].join("\n"));

  return [
    {
      file: path("flow.csv"),
      zone: "Europe/Rome",
      measurement: "water_flow",
      field: "flow",
      columns: { A: "dma-a", B: "dma-b" },
    },
    {
      file: path("feeder.csv"),
      zone: "America/New_York",
      interval: hour,
      measurement: "energy_meter",
      field: "power",
      columns: { MW: "feeder-1" },
    },
    {
      file: path("counts.csv"),
      zone: "UTC",
      measurement: "traffic_flow",
      field: "vehicles",
      columns: { vehicles: "tf-1" },
    },
  ];
}
