import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "yaml";
import type { z } from "zod";
import type { DemoCity } from "./demo-city.ts";
import { EdgeMessage, EdgeReady, PlatformReady, SimMessage, SimReady } from "./messages.ts";
import { startProgram, type Program, type ProgramOptions } from "./program.ts";

/** Milliseconds that each program has to end; together below 5 s. */
const grace = { sim: 1_000, edge: 2_200, platform: 1_500 };

export interface RunningCityOptions {
  readonly data: string;
  readonly city: DemoCity;
  /** `HOST:PORT` */
  readonly mqtt: string;
  readonly http: string;
  /** What the platform is told of its store. */
  readonly storeArgs: readonly string[];
  /** As the user wrote it: `30d`. */
  readonly history: string;
  readonly onDeath: (program: string, how: string) => void;
}

/** The three programs of a city, in the order in which readings pass through them: what is downstream starts first and ends last. */
export class RunningCity implements AsyncDisposable {
  readonly #options: RunningCityOptions;
  /** In the order of their start. */
  readonly #programs: Program<unknown>[] = [];
  #sim: SimMessage | undefined;
  #hadHistory = false;
  #backlog = 0;
  #closing: Promise<void> | undefined;

  constructor(options: RunningCityOptions) {
    this.#options = options;
  }

  /** What the simulation last said; undefined before it did. */
  get sim(): SimMessage | undefined {
    return this.#sim;
  }

  /** Did the simulation send history since the start? */
  get hadHistory(): boolean {
    return this.#hadHistory;
  }

  /** Readings on the agents' disks without a PUBACK. */
  get backlog(): number {
    return this.#backlog;
  }

  /** Resolves when all three are ready; rejects when one cannot start, or with the signal's reason. */
  async start(signal: AbortSignal): Promise<{ mqtt: string; http: string }> {
    const { data, city, mqtt, http, storeArgs, history } = this.#options;
    const aborted = rejectionOf(signal);
    const platformArgs = ["--data", data, "--mqtt", mqtt, "--http", http, ...storeArgs];
    const platform = await Promise.race([this.#launch("platform", platformArgs, PlatformReady), aborted]);

    const configs = city.gateways.flatMap(({ config }) => ["--config", config]);
    const onBacklog = (message: unknown): void => {
      const { success, data: told } = EdgeMessage.safeParse(message);
      if (success) this.#backlog = told.agents.reduce((sum, { backlog }) => sum + backlog, 0);
    };
    const edgeArgs = [...configs, "--data", join(data, "edge")];
    await Promise.race([this.#launch("edge", edgeArgs, EdgeReady, onBacklog), aborted]);

    const simData = join(data, "sim");
    const simConfig = join(simData, "sim.yaml");
    const targets = Object.fromEntries(city.gateways.map(({ name, input }) => [name, input]));
    await mkdir(simData, { recursive: true });
    const meters = city.gateways.filter(({ modbus }) => modbus.length > 0);
    const modbus = Object.fromEntries(meters.map(({ name, modbus }) => [name, modbus]));
    await writeFile(simConfig, stringify({ targets, modbus }));
    const which = ["--sensors", String(city.sensors), "--seed", String(city.seed), "--history", history];
    const simArgs = ["--config", simConfig, "--data", simData, ...which];
    const onProgress = (message: unknown): void => {
      const told = SimMessage.safeParse(message).data;
      if (told?.kind === "history" && told.sent > 0) this.#hadHistory = true;
      this.#sim = told ?? this.#sim;
    };
    await Promise.race([this.#launch("sim", simArgs, SimReady, onProgress), aborted]);
    return platform;
  }

  /** Ends the simulation, then the agents, then the platform. */
  [Symbol.asyncDispose](): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  #launch<Ready extends z.ZodType>(
    name: keyof typeof grace,
    args: readonly string[],
    ready: Ready,
    onMessage?: (message: unknown) => void,
  ): Promise<z.output<Ready>> {
    const { data, onDeath } = this.#options;
    const options: ProgramOptions<Ready> = {
      name,
      args,
      data,
      ready,
      onDeath: (how) => onDeath(name, how),
      ...(onMessage && { onMessage }),
    };
    const program = startProgram(options);
    this.#programs.push(program);
    return program.ready;
  }

  async #close(): Promise<void> {
    for (const program of this.#programs.toReversed()) {
      await program.stop(grace[program.name as keyof typeof grace]);
    }
  }
}

/** Rejects when the signal aborts. */
function rejectionOf(signal: AbortSignal): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  promise.catch(() => undefined);
  if (signal.aborted) reject(signal.reason);
  signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  return promise;
}
