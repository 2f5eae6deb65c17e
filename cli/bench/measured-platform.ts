import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Totals } from "#api/schemas.ts";
import { MarsadError } from "#runtime/errors.ts";
import { type Client, openClient } from "../client.ts";

/** A platform in a process of its own, and what it uses. */
export interface MeasuredPlatform {
  readonly pid: number;
  /** HOST and PORT of its broker. */
  readonly mqtt: { readonly host: string; readonly port: number };
  readonly client: Client;
  /** From its start until all was usable. */
  readonly readySeconds: number;
  /** User and system seconds since its start. */
  cpuSeconds(): Promise<number>;
  /** Undefined where the system does not say. */
  memory(): MemoryUse | undefined;
  /** Resolves when the store has all that was acknowledged. */
  allStored(signal: AbortSignal): Promise<void>;
  /** Sends the signal, if it still runs, and waits for its end. */
  end(signal: "SIGTERM" | "SIGKILL"): Promise<void>;
}

/** Resident bytes: what the process made, and all, mapped files too. */
export interface MemoryUse {
  readonly rss_anon_bytes: number;
  readonly rss_bytes: number;
}

/**
 * Starts `marsad platform` on free ports, and waits until it is ready.
 * @param folder  Its data are in `FOLDER/data`.
 * @throws MarsadError UNREACHABLE
 */
export async function startPlatform(folder: string, options: readonly string[]): Promise<MeasuredPlatform> {
  const readyFile = join(folder, "ready.json");
  rmSync(readyFile, { force: true });
  const marsad = new URL("../../marsad.ts", import.meta.url).pathname;
  const args = ["platform", "--data", join(folder, "data"), "--mqtt", "127.0.0.1:0", "--http", "127.0.0.1:0"];
  const begun = performance.now();
  const platform = spawn(
    process.execPath,
    [marsad, ...args, "--ready-file", readyFile, "--log-level", "warn", ...options],
    { stdio: ["ignore", "ignore", "inherit"] },
  );
  while (!existsSync(readyFile)) {
    if (hasEnded(platform)) throw new MarsadError("UNREACHABLE", "the platform to be measured did not start");
    await sleep(10);
  }
  const readySeconds = (performance.now() - begun) / 1_000;
  const { mqtt, http } = JSON.parse(readFileSync(readyFile, "utf8")) as { mqtt: string; http: string };
  const [host = "", port = ""] = mqtt.split(":");
  const client = openClient(http);
  const pid = platform.pid!;
  return {
    pid,
    mqtt: { host, port: Number(port) },
    client,
    readySeconds,
    cpuSeconds: async () => await cpuSeconds(client),
    memory: () => memoryOf(pid),
    allStored: async (signal) => {
      while ((await client.get("/api/v1/totals", Totals)).journal > 0)
        await sleep(100, undefined, { signal });
    },
    end: async (signal) => {
      if (hasEnded(platform)) return;
      const exit = once(platform, "exit");
      platform.kill(signal);
      await exit;
    },
  };
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}

async function cpuSeconds(client: Client): Promise<number> {
  const metrics = await (await fetch(`${client.url}/metrics`)).text();
  const line = /^process_cpu_seconds_total (\S+)/m.exec(metrics);
  return Number(line?.[1]);
}

function memoryOf(pid: number): MemoryUse | undefined {
  const file = `/proc/${pid}/status`;
  if (!existsSync(file)) return undefined;
  const status = readFileSync(file, "utf8");
  const bytes = (name: string): number =>
    1024 * Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(status)?.[1]);
  return { rss_anon_bytes: bytes("RssAnon"), rss_bytes: bytes("VmRSS") };
}
