import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { ChunkWriter } from "#store/duckdb/chunk-writer.ts";
import { Columns } from "#store/duckdb/columns.ts";
import { openDatabase } from "#store/duckdb/database.ts";

export interface RawOptions {
  readonly folder: string;
  readonly readings: number;
  readonly series: number;
  /** Readings a flush, each flush a durable commit. */
  readonly batch: number;
  readonly startTime: number;
}

export interface RawResult {
  readonly readings: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
}

/** The same readings straight into DuckDB, on one thread, as columns that are ready made: what the store itself costs. */
export async function runRawDuckDb({
  folder,
  readings,
  series,
  batch,
  startTime,
}: RawOptions): Promise<RawResult> {
  await mkdir(folder, { recursive: true });
  const database = await openDatabase({ path: join(folder, "raw.duckdb"), memoryLimit: "1GB", threads: 2 });
  const connection = database.writer;
  await connection.run(
    "CREATE TABLE raw (time TIMESTAMP_MS, series UINTEGER, vehicles DOUBLE, speed_avg DOUBLE, occupancy DOUBLE, headway_avg DOUBLE)",
  );
  const writer = new ChunkWriter(["DOUBLE", "DOUBLE", "DOUBLE", "DOUBLE"]);
  const batches = Math.ceil(readings / batch);
  let seconds = 0;
  let cpuSeconds = 0;
  for (let number = 0; number < batches; number++) {
    const rows = makeRows(number * batch, batch, series, startTime);
    const cpu = process.cpuUsage();
    const start = performance.now();
    const appender = await connection.createAppender("raw");
    writer.write(appender, rows);
    appender.flushSync();
    appender.closeSync();
    seconds += (performance.now() - start) / 1_000;
    const { user, system } = process.cpuUsage(cpu);
    cpuSeconds += (user + system) / 1e6;
  }
  database.close();
  return { readings: batches * batch, seconds, cpuSeconds };
}

/** As the load generator makes them: all series at one second, then the next; headway absent. */
function makeRows(first: number, count: number, series: number, startTime: number): Columns {
  const rows = new Columns(4, count);
  for (let i = 0; i < count; i++) {
    const reading = first + i;
    rows.time[i] = startTime + Math.floor(reading / series) * 1_000;
    rows.series[i] = reading % series;
    rows.values[0]![i] = (reading * 7_919) % 1_000;
    rows.values[1]![i] = 48 + ((reading * 104_729) % 1_000) / 1_000;
    rows.values[2]![i] = 0.18;
    rows.values[3]![i] = Number.NaN;
  }
  rows.length = count;
  return rows;
}
