import { readFile, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { parse } from "csv-parse/sync";
import { expect, test } from "vitest";
import { startEdge } from "../../support/edge.ts";
import { LocalClock } from "../../support/local-clock.ts";
import { admitGateway, dataFolder, startPlatform } from "../../support/platform.ts";
import { storedRows } from "../../support/stored-rows.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { runMarsad } from "../cli/run-marsad.ts";

const hour = 3_600_000;
const identity = { name: "recorder-1", agency: "mobility" };

/** A recorded file and what its columns are. */
interface Recording {
  readonly file: string;
  readonly zone: string;
  /** Milliseconds; stamps name the end of an interval of this length. */
  readonly interval?: number;
  readonly measurement: string;
  readonly field: string;
  /** Column -> sensor. */
  readonly columns: Readonly<Record<string, string>>;
}

interface Figures {
  readonly file: string;
  readonly rows: number;
  readonly sent: number;
  /** Distinct (series, UTC time). */
  readonly distinct: number;
  readonly stored: number;
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

/** Plays recordings sensor -> agent -> MQTT -> store, one after another, and compares what is stored with the files. */
async function playAndCompare(folder: string, recordings: readonly Recording[]): Promise<Figures[]> {
  const password = await admitGateway(dataFolder(folder), identity);
  // Recorded years ago.
  await using platform = await startPlatform({ folder, args: ["--max-age-days", "20000"] });
  const sensors = recordings.flatMap(({ columns }) => Object.values(columns));
  await using edge = await startEdge({
    folder,
    gateway: identity.name,
    agency: identity.agency,
    password,
    mqttPort: platform.mqttPort,
    sensors,
  });
  const sent: number[] = [];
  for (const { file, zone, interval = 0, measurement, field, columns } of recordings) {
    const maps = Object.entries(columns).flatMap(([column, sensor]) => [
      "--map",
      `${measurement}.${field}=${column}@${sensor}`,
    ]);
    const { code, stdout, stderr } = await runMarsad([
      "sim",
      "--replay",
      file,
      ...maps,
      "--tz",
      zone,
      "--interval-end",
      `${interval / hour}h`,
      "--to",
      edge.input,
      "--json",
    ]);
    if (code !== 0) throw new Error(`the replay of ${file} failed: ${stderr}`);
    sent.push((JSON.parse(stdout) as { sent: number }).sent);
  }
  const total = sent.reduce((sum, count) => sum + count, 0);
  const account = await platform.settled(identity.name, ({ sent }) => sent >= total);
  expect(account).toMatchObject({ sent: total, refused: 0, on_its_way: { waiting: 0, missing: 0 } });
  expect(await edge.end("SIGTERM")).toBe(0);
  expect(await platform.end("SIGTERM")).toBe(0);

  const figures: Figures[] = [];
  for (const [i, recording] of recordings.entries()) {
    const { measurement, field, columns, file } = recording;
    const { rows, values } = await expectedOf(recording);
    const own = new Set(Object.values(columns));
    const stored = (await storedRows(platform.data, measurement)).rows.filter(({ sensor }) =>
      own.has(sensor),
    );
    expect(new Map(stored.map((row) => [`${row.sensor} ${row.time}`, row.fields[field]]))).toEqual(values);
    expect(stored.length).toBe(values.size);
    figures.push({
      file: basename(file),
      rows,
      sent: sent[i]!,
      distinct: values.size,
      stored: stored.length,
    });
  }
  expect(account.stored - account.merged).toBe(figures.reduce((sum, { distinct }) => sum + distinct, 0));
  return figures;
}

test("a file's series go sensor -> agent -> MQTT -> store: every distinct (series, UTC time), with its value", async () => {
  using folder = tempFolder("replay");
  const path = (name: string): string => join(folder.path, name);

  // A year of two meters on an Italian clock, with gaps: October's hour twice, March's not at all.
  const rome = new LocalClock("Europe/Rome");
  const flow = Array.from({ length: 365 * 24 }, (_, i) => {
    const second = i % 17 === 0 ? "" : String((i % 971) / 64);
    return `${rome.stampAt(Date.UTC(2021, 0, 1) + i * hour)},${i % 23 === 5 ? "" : 3 + (i % 100) / 8},${second}`;
  });
  await writeFile(path("flow.csv"), ["local,A,B", ...flow].join("\n"));

  // An American feeder whose stamps name the hour's end.
  const newYork = new LocalClock("America/New_York");
  const feeder = Array.from({ length: 400 * 24 }, (_, i) => {
    const end = newYork.wallAt(Date.UTC(2015, 9, 1) + i * hour) + hour;
    return `${new Date(end).toISOString().slice(0, 19).replace("T", " ")},${1500 + (i % 777) / 4}`;
  });
  await writeFile(path("feeder.csv"), ["Datetime,MW", ...feeder].join("\r\n"));

  // Rows with equal times, of which the last counts, and rows that are late.
  const start = Date.UTC(2016, 1, 28);
  const counts = Array.from({ length: 3000 }, (_, i) => {
    const minute = i % 50 === 49 ? i - 30 : i - (i % 3 === 2 ? 1 : 0);
    return `${new Date(start + minute * 60_000).toISOString()},${i}`;
  });
  await writeFile(path("counts.csv"), ["time,vehicles", ...counts].join("\n"));

  const figures = await playAndCompare(folder.path, [
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
  ]);
  expect(figures).toMatchObject([
    { rows: 8760, stored: figures[0]!.sent },
    { rows: 9600, stored: 9600 },
    { rows: 3000, sent: 3000 },
  ]);
  expect(figures[2]!.stored).toBeLessThan(3000);
});

const recorded = process.env["MARSAD_RECORDED"] ?? "";

test("the recorded series of MARSAD_RECORDED go the same way", async ({ skip, annotate }) => {
  skip(recorded === "", "needs MARSAD_RECORDED: a folder with traffic-metro, water-bwdf and energy-pjm");
  using folder = tempFolder("replay");
  const districts = Array.from({ length: 10 }, (_, i) => [`DMA${i + 1}`, `dma-${i + 1}`]);
  const figures = await playAndCompare(folder.path, [
    {
      file: join(recorded, "traffic-metro", "metro_i94_hourly.csv"),
      zone: "America/Chicago",
      measurement: "traffic_flow",
      field: "vehicles",
      columns: { traffic_volume: "i94" },
    },
    {
      file: join(recorded, "water-bwdf", "inflow.csv"),
      zone: "Europe/Rome",
      measurement: "water_flow",
      field: "flow",
      columns: Object.fromEntries(districts),
    },
    {
      file: join(recorded, "energy-pjm", "DAYTON_hourly_2015on.csv"),
      zone: "America/New_York",
      interval: hour,
      measurement: "energy_meter",
      field: "power",
      columns: { DAYTON_MW: "dayton" },
    },
  ]);
  expect(figures.every(({ distinct, stored }) => stored === distinct && stored > 8000)).toBe(true);
  for (const { file, rows, sent, distinct, stored } of figures) {
    await annotate(`${file}: ${rows} rows, ${sent} readings sent, ${distinct} distinct, ${stored} stored`);
  }
});
