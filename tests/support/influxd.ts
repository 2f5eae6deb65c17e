import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { poll } from "./poll.ts";

/** Debian's influxd (1.6.7), on loopback, with a folder and a configuration of its own. `requireDebian("influxdb")` first. */
export interface Influxd extends AsyncDisposable {
  /** http://127.0.0.1:PORT, the same over restarts. */
  readonly url: string;
  readonly pid: number;
  readonly log: () => string;
  /** Sends the signal and waits for the end. */
  end(signal: NodeJS.Signals): Promise<void>;
  /** After `end`: again, on the same folder and port. */
  start(): Promise<void>;
  /** SIGSTOP: it accepts connections and answers nothing, until `resume`. Resolves when every thread of it stands still. */
  pause(): Promise<void>;
  resume(): void;
  /** An InfluxQL statement, at once; throws what the server says is wrong. @returns `results[0].series` */
  query(statement: string, database?: string): Promise<InfluxSeries[]>;
  /** Lines with times in milliseconds, past Marsad. @returns the status */
  write(database: string, lines: string): Promise<number>;
  /** User and system seconds that it has used since it started. */
  cpuSeconds(): number;
}

export interface InfluxSeries {
  readonly name: string;
  readonly tags?: Readonly<Record<string, string>>;
  readonly columns: readonly string[];
  readonly values: readonly (readonly (string | number | boolean | null)[])[];
}

export interface InfluxdOptions {
  /** Data, log and configuration go below it. */
  readonly folder: string;
  /** Makes an administrator, and refuses everybody else. */
  readonly user?: { readonly name: string; readonly password: string };
  /** `max-values-per-tag`; 0: no limit. */
  readonly maxValuesPerTag?: number;
}

export async function startInfluxd(options: InfluxdOptions): Promise<Influxd> {
  const { folder, user, maxValuesPerTag = 0 } = options;
  const home = join(folder, "influxd");
  const logFile = join(home, "influxd.log");
  const config = join(home, "influxd.conf");
  mkdirSync(home, { recursive: true });
  const [port, rpcPort] = await freePorts(2);
  const url = `http://127.0.0.1:${port}`;
  writeFileSync(
    config,
    `reporting-disabled = true
bind-address = "127.0.0.1:${rpcPort}"
[meta]
  dir = "${home}/meta"
[data]
  dir = "${home}/data"
  wal-dir = "${home}/wal"
  max-values-per-tag = ${maxValuesPerTag}
[http]
  bind-address = "127.0.0.1:${port}"
  log-enabled = false
  auth-enabled = ${user !== undefined}
[monitor]
  store-enabled = false
`,
  );
  let child: ChildProcess | undefined;
  const authorization: Record<string, string> =
    user === undefined ? {} : { authorization: `Basic ${btoa(`${user.name}:${user.password}`)}` };

  const query = async (statement: string, database?: string): Promise<InfluxSeries[]> => {
    const parameters = new URLSearchParams({ q: statement, epoch: "ms" });
    if (database !== undefined) parameters.set("db", database);
    const answer = await fetch(`${url}/query`, { method: "POST", body: parameters, headers: authorization });
    const { results, error } = (await answer.json()) as {
      results?: { series?: InfluxSeries[]; error?: string }[];
      error?: string;
    };
    const wrong = error ?? results?.[0]?.error;
    if (wrong !== undefined) throw new Error(`${statement}: ${wrong}`);
    return results?.[0]?.series ?? [];
  };

  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    child.kill("SIGCONT");
    child.kill(signal);
    await exited;
  };

  const start = async (): Promise<void> => {
    const log = openSync(logFile, "a");
    const started = spawn("influxd", ["-config", config], { stdio: ["ignore", log, log] });
    closeSync(log);
    child = started;
    await poll(async () => {
      if (started.exitCode !== null) throw new Error(`influxd ended:\n${readFileSync(logFile, "utf8")}`);
      return await fetch(`${url}/ping`).then(
        ({ ok }) => ok,
        () => false,
      );
    });
  };

  try {
    await start();
    if (user !== undefined)
      await query(
        `CREATE USER "${user.name}" WITH PASSWORD '${user.password.replaceAll("'", "\\'")}' WITH ALL PRIVILEGES`,
      );
  } catch (error) {
    await end("SIGKILL");
    throw error;
  }
  return {
    url,
    get pid() {
      return child?.pid ?? 0;
    },
    log: () => readFileSync(logFile, "utf8"),
    start,
    end,
    async pause() {
      child?.kill("SIGSTOP");
      await poll(() => threadStates(child?.pid ?? 0).every((state) => state === "T"));
    },
    resume: () => void child?.kill("SIGCONT"),
    query,
    async write(database, lines) {
      const target = `${url}/write?db=${database}&precision=ms`;
      const answer = await fetch(target, { method: "POST", body: lines, headers: authorization });
      return answer.status;
    },
    cpuSeconds: () => cpuSecondsOf(child?.pid ?? 0),
    [Symbol.asyncDispose]: () => end("SIGKILL"),
  };
}

/** utime and stime of /proc/PID/stat, in seconds (100 ticks a second on every Linux). */
function cpuSecondsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** The state letter of each thread in /proc/PID/task/TID/stat. */
function threadStates(pid: number): (string | undefined)[] {
  return readdirSync(`/proc/${pid}/task`).map((thread) => {
    const stat = readFileSync(`/proc/${pid}/task/${thread}/stat`, "utf8");
    return stat[stat.lastIndexOf(")") + 2];
  });
}

/** Different ones: all are held until each is known. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, "127.0.0.1"));
  const ports: number[] = [];
  for (const server of servers) {
    if (!server.listening) await once(server, "listening");
    ports.push((server.address() as AddressInfo).port);
  }
  for (const server of servers) {
    const closed = once(server, "close");
    server.close();
    await closed;
  }
  return ports;
}
