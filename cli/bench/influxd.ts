import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { MarsadError } from "#runtime/errors.ts";

/** The influxd of the machine (Debian's is 1.6.7), on loopback, with a folder of its own. */
export interface BenchedInfluxd extends AsyncDisposable {
  readonly url: string;
  /** User and system seconds since it started. */
  cpuSeconds(): Promise<number>;
  /** Waits until its work in the background (snapshots of its log, compaction) is done. */
  quiet(): Promise<void>;
  /** Rows of all series: distinct (series, time). */
  count(): Promise<number>;
  /** Measurement and tags of the first of all. */
  firstSeries(): Promise<string>;
  /** Requests that wrote, and their lines, since it started. */
  written(): Promise<{ requests: number; lines: number }>;
}

/** The database that readings go to; it is there. */
export const benchDatabase = "bench";

/** A second that costs less than this has no work in it. */
const idleSeconds = 0.03;
/** Seconds waited for the end of its work at most. */
const longestWork = 60;

/** @throws MarsadError PROGRAM_MISSING: there is no influxd */
export async function startBenchedInfluxd(folder: string): Promise<BenchedInfluxd> {
  const config = join(folder, "influxd.conf");
  const logFile = join(folder, "influxd.log");
  await mkdir(folder, { recursive: true });
  const [http, rpc] = await freePorts();
  const url = `http://127.0.0.1:${http}`;
  await writeFile(
    config,
    `reporting-disabled = true
bind-address = "127.0.0.1:${rpc}"
[meta]
  dir = "${folder}/meta"
[data]
  dir = "${folder}/data"
  wal-dir = "${folder}/wal"
  max-values-per-tag = 0
  max-series-per-database = 0
[http]
  bind-address = "127.0.0.1:${http}"
  log-enabled = false
[monitor]
  store-enabled = false
`,
  );
  const log = openSync(logFile, "a");
  const child = spawn("influxd", ["-config", config], { stdio: ["ignore", log, log] });
  closeSync(log);

  const ask = async (path: string, body?: URLSearchParams): Promise<Record<string, unknown>> => {
    const answer = await fetch(`${url}${path}`, body && { method: "POST", body });
    return (await answer.json()) as Record<string, unknown>;
  };
  /** Of the first row. */
  const query = async (statement: string): Promise<readonly unknown[]> => {
    const parameters = new URLSearchParams({ q: statement, db: benchDatabase, epoch: "ms" });
    const { results } = (await ask("/query", parameters)) as { results: QueryResult[] };
    const [{ error, series } = {}] = results;
    if (error !== undefined) throw new Error(`${statement}: ${error}`);
    return series?.[0]?.values[0] ?? [];
  };
  const cpuSeconds = (): Promise<number> => cpuSecondsOf(child.pid!);
  try {
    await started(child, url, logFile);
    await query(`CREATE DATABASE "${benchDatabase}"`);
  } catch (error) {
    child.kill("SIGKILL");
    throw error;
  }
  return {
    url,
    cpuSeconds,
    count: async () => Number((await query("SELECT count(vehicles) FROM traffic_flow"))[1] ?? 0),
    firstSeries: async () => String((await query("SHOW SERIES LIMIT 1"))[0]),
    async quiet() {
      const end = performance.now() + longestWork * 1_000;
      let before = await cpuSeconds();
      while (performance.now() < end) {
        await sleep(1_000);
        const now = await cpuSeconds();
        if (now - before < idleSeconds) return;
        before = now;
      }
    },
    async written() {
      const all = Object.values(await ask("/debug/vars")) as { name?: string; values?: Values }[];
      const values = all.find(({ name }) => name === "httpd")?.values;
      return { requests: values?.writeReq ?? 0, lines: values?.pointsWrittenOK ?? 0 };
    },
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exit = once(child, "exit");
      child.kill("SIGKILL");
      await exit;
    },
  };
}

interface QueryResult {
  readonly error?: string;
  readonly series?: readonly { readonly values: readonly (readonly unknown[])[] }[];
}

interface Values {
  readonly writeReq?: number;
  readonly pointsWrittenOK?: number;
}

async function started(child: ChildProcess, url: string, logFile: string): Promise<void> {
  let failure: NodeJS.ErrnoException | undefined;
  child.on("error", (error) => (failure = error));
  for (;;) {
    if (failure?.code === "ENOENT") {
      throw new MarsadError(
        "PROGRAM_MISSING",
        'there is no influxd on this machine: install it (Debian\'s package is "influxdb"), or measure --store duckdb',
      );
    }
    if (failure !== undefined) throw failure;
    const ended = child.exitCode ?? child.signalCode;
    if (ended !== null) throw new Error(`influxd ended (${ended}):\n${await readFile(logFile, "utf8")}`);
    const isThere = await fetch(`${url}/ping`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (isThere) return;
    await sleep(50);
  }
}

/** utime and stime of /proc/PID/stat, in seconds: 100 ticks a second on every Linux. */
async function cpuSecondsOf(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** Two different ones: both are held until both are known. */
async function freePorts(): Promise<[number, number]> {
  const servers = [createServer(), createServer()] as const;
  const ports = await Promise.all(
    servers.map(async (server) => {
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
      return (server.address() as AddressInfo).port;
    }),
  );
  for (const server of servers) server.close();
  return ports as [number, number];
}
