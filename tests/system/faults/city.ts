import { randomUUID } from "node:crypto";
import { coreWait } from "../../support/core-wait.ts";
import { type MqttLoad, type MqttLoadOptions, startLoad } from "../../support/mqtt-load.ts";
import { admitGateway, dataFolder, type Platform } from "../../support/platform.ts";
import { poll } from "../../support/poll.ts";
import { SteadyReadings } from "../../support/steady-readings.ts";

/** Three ways to live with a platform that goes away: with reading numbers, by the store's keys alone, and never sending again. */
export const ways = {
  numbered: { outbox: randomUUID() },
  plain: {},
  forgetful: { forgetful: true },
} as const;

/** How a gateway behaves whom no `way` describes: by name. */
export type OtherWays = Readonly<Record<string, Pick<MqttLoadOptions, "outbox" | "mayIntroduce" | "drafts">>>;

/** A gateway that keeps its own count, and what it sends. */
export interface Source {
  readonly load: MqttLoad;
  readonly readings: SteadyReadings;
}

/** Gateways under load, and the platform that they find at present. */
export interface City extends AsyncDisposable {
  readonly folder: string;
  readonly loads: ReadonlyMap<string, Source>;
  /** Where the loads find the platform; undefined: nowhere. */
  platform: Platform | undefined;
}

export interface CityOptions {
  /** The platform's, which need not run yet. */
  readonly folder: string;
  readonly gateways?: readonly (keyof typeof ways)[];
  /** Further gateways, by name. */
  readonly others?: OtherWays;
  /** Readings a second, of all together. */
  readonly rate?: number;
}

export const agency = "mobility";

/** Gateways that together send so many readings a second to whatever platform there is in `folder`. */
export async function startCity(options: CityOptions): Promise<City> {
  const { folder, gateways = ["numbered", "plain", "forgetful"], others = {}, rate = 2_000 } = options;
  await using stack = new AsyncDisposableStack();
  const loads = new Map<string, Source>();
  const city: City = {
    folder,
    loads,
    platform: undefined,
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
  const sources = [...gateways.map((name) => [name, ways[name]] as const), ...Object.entries(others)];
  for (const [name, way] of sources) {
    const identity = { name, agency };
    const password = await admitGateway(dataFolder(folder), identity);
    const readings = new SteadyReadings(name, Date.now() - 3_600_000);
    const load = startLoad({
      identity,
      password,
      readings,
      rate: rate / sources.length,
      port: () => city.platform?.mqttPort,
      ...way,
    });
    loads.set(name, { load: stack.use(load), readings });
  }
  const all = stack.move();
  return city;
}

/** Milliseconds from the start of a program. */
export interface Start {
  /** Until it said that all is usable. */
  readonly ready: number;
  /** Until a gateway had a PUBACK. */
  readonly puback: number;
  /** Of those, others had the cores. */
  readonly waited: number;
}

/** Starts the city's platform, and waits until a gateway has a PUBACK from it. */
export async function startTimed(
  city: City,
  start: () => Promise<Platform>,
): Promise<{ platform: Platform; took: Start }> {
  const acknowledged = (): number =>
    Array.from(city.loads.values()).reduce((sum, { load }) => sum + load.acknowledged.size, 0);
  const begun = performance.now();
  const platform = await start();
  const ready = performance.now() - begun;
  const before = acknowledged();
  city.platform = platform;
  try {
    await poll(() => acknowledged() > before, { interval: 5 });
  } catch (error) {
    await platform.end("SIGKILL");
    throw error;
  }
  return { platform, took: { ready, puback: performance.now() - begun, waited: coreWait(platform.pid) } };
}

/** The value that 95 of 100 do not pass; of few values the highest. */
export function p95(values: readonly number[]): number {
  return Math.round(values.toSorted((a, b) => a - b)[Math.ceil(values.length * 0.95) - 1] ?? Number.NaN);
}

/** What a fault's report says of starts. */
export function readyAgain(starts: readonly Start[]): Record<string, number> {
  return {
    "ready again, p95 ms": p95(starts.map(({ ready }) => ready)),
    "first PUBACK again, p95 ms": p95(starts.map(({ puback }) => puback)),
  };
}
