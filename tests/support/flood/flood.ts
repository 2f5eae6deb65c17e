import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { admitGateway } from "../platform.ts";
import type { FloodGatewayOptions } from "./gateway.ts";
import type { FloodOrder, FloodPhase } from "./process.ts";

export type { FloodPhase } from "./process.ts";

export interface FloodOptions {
  readonly data: string;
  readonly port: number;
  readonly gateways: number;
  /** Of each gateway; a multiple of `batch`. */
  readonly sensors: number;
  /** Readings a message. */
  readonly batch: number;
  readonly ca?: string;
}

/** Gateways in a process of their own that send more than they hear: each keeps its own count. One order at a time. */
export interface Flood extends AsyncDisposable {
  readonly gateways: readonly FloodGatewayOptions[];
  readonly pid: number;
  saturate(seconds: number): Promise<FloodPhase>;
  /** @param readingsPerSecond  Of all gateways together. */
  offer(readingsPerSecond: number, seconds: number): Promise<FloodPhase>;
  drain(): Promise<FloodPhase>;
}

/** Connects the gateways, which say who is behind them. */
export async function startFlood(options: FloodOptions): Promise<Flood> {
  const { data, port, ca, sensors, batch } = options;
  const agency = "mobility";
  const start = Date.now() - 3_600_000;
  const gateways: FloodGatewayOptions[] = [];
  for (let number = 1; number <= options.gateways; number++) {
    const name = `flood-${number}`;
    const password = await admitGateway(data, { name, agency });
    gateways.push({ name, agency, password, port, ca, sensors, batch, start });
  }
  const child = fork(fileURLToPath(new URL("./process.ts", import.meta.url)), { stdio: "inherit" });
  const exit = once(child, "exit");
  const order = async (wanted: FloodOrder): Promise<FloodPhase> => {
    const answer = once(child, "message");
    child.send(wanted);
    const ended = exit.then(() => [{ error: "the flood's process ended" }]);
    const [message] = (await Promise.race([answer, ended])) as [{ phase: FloodPhase } | { error: string }];
    if ("error" in message) throw new Error(message.error);
    return message.phase;
  };
  const flood: Flood = {
    gateways,
    pid: child.pid ?? 0,
    saturate: (seconds) => order({ do: "saturate", seconds }),
    offer: (readingsPerSecond, seconds) =>
      order({ do: "offer", messagesPerSecond: readingsPerSecond / batch, seconds }),
    drain: () => order({ do: "drain" }),
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await exit;
    },
  };
  try {
    await order({ do: "open", gateways });
  } catch (error) {
    await flood[Symbol.asyncDispose]();
    throw error;
  }
  return flood;
}

/** Offers so many readings a second while `work` is done, half a second at a time. @returns those phases. */
export async function floodDuring(
  flood: Flood,
  readingsPerSecond: number,
  work: () => Promise<void>,
): Promise<FloodPhase[]> {
  const phases: FloodPhase[] = [];
  const done = new AbortController();
  const loading = (async () => {
    while (!done.signal.aborted) phases.push(await flood.offer(readingsPerSecond, 0.5));
  })();
  try {
    await work();
  } finally {
    done.abort();
    await loading;
  }
  return phases;
}

/** All of several phases, sorted. */
export function merged(phases: readonly FloodPhase[], of: "latencies" | "pings"): number[] {
  return phases.flatMap((phase) => phase[of]).sort((a, b) => a - b);
}

/** A quantile of sorted numbers; NaN of none. */
export function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
