import type { EndPhase } from "./child.ts";
import { type LatencySummary, summariseLatencies } from "./latencies.ts";
import { LoadConnection, type LoadGateway } from "./load-connection.ts";

export interface LoadOptions {
  readonly host: string;
  readonly port: number;
  readonly gateways: readonly LoadGateway[];
  /** Series of each gateway; a multiple of `batch`. */
  readonly seriesPerGateway: number;
  /** Readings a message. */
  readonly batch: number;
  readonly seconds: number;
  /** Readings at most, over all gateways; the run ends at whichever bound comes first. */
  readonly maxReadings: number;
  /** Readings a second by the clock, over all gateways; undefined: as fast as PUBACKs allow. */
  readonly rate?: number | undefined;
  /** Event time of the first readings, milliseconds since 1970. */
  readonly startTime: number;
}

/** `registered`: the platform knows all sensors. `met`: it has had a reading of each series. */
export type LoadPhase = "registered" | "met";

export interface LoadResult {
  /** Readings published and acknowledged after the phase `met`; and before, one of each series. */
  readonly acknowledged: number;
  readonly met: number;
  readonly births: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
  /** At a fixed rate: from when a message was due until its PUBACK. */
  readonly latency_ms: LatencySummary | undefined;
}

/** Registers sensors, sends one reading of each series, and then publishes; ends when the last PUBACK has come. */
export async function runLoad(options: LoadOptions, endPhase: EndPhase): Promise<LoadResult> {
  const { gateways, seriesPerGateway: series, batch, host, port, startTime } = options;
  const connections = await Promise.all(
    gateways.map(
      async (gateway) => await LoadConnection.open({ host, port, gateway, series, batch, startTime }),
    ),
  );
  const ofAll = async <T>(work: (connection: LoadConnection, index: number) => Promise<T>): Promise<T[]> =>
    await Promise.all(connections.map(work));

  const births = (await ofAll(async (connection) => await connection.register())).reduce((a, b) => a + b);
  await endPhase("registered" satisfies LoadPhase);
  await ofAll(async (connection) => await connection.publishUntil(Infinity, connection.messagesPerRound));
  const met = sum(connections) - births;
  await endPhase("met" satisfies LoadPhase);

  const cpu = process.cpuUsage();
  const start = performance.now();
  const latencies: number[] = [];
  if (options.rate === undefined) {
    const share = Math.max(1, Math.floor(options.maxReadings / gateways.length / batch));
    const end = start + options.seconds * 1_000;
    await ofAll(async (connection) => await connection.publishUntil(end, share));
  } else {
    const schedule = scheduleOf(options, options.rate);
    // Connections take turns: message by message, not all at once.
    await ofAll(
      async (connection, index) =>
        await connection.publishAtRate(
          { ...schedule, start: start + (index * schedule.interval) / gateways.length },
          latencies,
        ),
    );
  }
  const seconds = (performance.now() - start) / 1_000;
  const { user, system } = process.cpuUsage(cpu);
  for (const connection of connections) connection.close();
  return {
    acknowledged: (sum(connections) - births - met) * batch,
    met: met * batch,
    births,
    seconds,
    cpuSeconds: (user + system) / 1e6,
    latency_ms: summariseLatencies(latencies),
  };
}

/** Of one connection, interval in milliseconds. */
function scheduleOf(
  { batch, gateways, maxReadings, seconds }: LoadOptions,
  rate: number,
): { interval: number; messages: number } {
  const interval = (1_000 * batch * gateways.length) / rate;
  const readings = Math.min(rate * seconds, maxReadings);
  return { interval, messages: Math.max(1, Math.floor(readings / batch / gateways.length)) };
}

function sum(connections: readonly LoadConnection[]): number {
  return connections.reduce((total, { acknowledged }) => total + acknowledged, 0);
}
