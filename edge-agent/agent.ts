import { join } from "node:path";
import type { Registry } from "prom-client";
import { lockFolder } from "#runtime/data-lock.ts";
import type { Log } from "#runtime/log.ts";
import type { EdgeAgentConfig } from "./config.ts";
import { openDelivery } from "./delivery.ts";
import { diskFree, gatewaySensor, healthLine } from "./health.ts";
import type { InputTarget } from "./inputs/input.ts";
import { type OpenInput, openInput } from "./inputs/open-input.ts";
import { LineIntake } from "./line-intake.ts";
import { type EdgeAgentStats, reportStats } from "./stats.ts";

export interface EdgeAgentOptions {
  /** Aborting it disposes the agent. */
  readonly signal: AbortSignal;
  readonly log: Log;
  readonly metrics?: Registry;
}

export interface EdgeAgent extends AsyncDisposable {
  readonly gateway: string;
  /** Where the inputs really listen, in the configuration's order. */
  readonly inputs: readonly { readonly type: "tcp" | "udp"; readonly address: string }[];
  stats(): EdgeAgentStats;
  /** Rejects when the agent cannot go on, for one because its outbox has stopped; it must be disposed then. */
  readonly failed: Promise<never>;
  /**
   * Stops the inputs, brings what they took to the outbox, tells the platform, and closes: in about 2 seconds at most. It
   * does not wait for the backlog to be sent. Twice is safe.
   */
  [Symbol.asyncDispose](): Promise<void>;
}

/** The longest line that the gateway says of itself. */
const HEALTH_LINE_BYTES = 1024;

/**
 * Opens an agent: its outbox, its inputs and its uplink. It is usable, and resolves, once it listens; it needs no platform for that.
 * @throws MarsadError `DATA_LOCKED`, `DATA_UNUSABLE`, `QUEUE_CORRUPT`, `QUEUE_UNWRITABLE`, `ADDRESS_IN_USE`
 */
export async function openEdgeAgent(config: EdgeAgentConfig, options: EdgeAgentOptions): Promise<EdgeAgent> {
  const { signal } = options;
  const { gateway } = config;
  signal.throwIfAborted();
  const log = options.log.child({ part: "edge-agent", gateway });
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => {}); // the holder listens, or is about to dispose
  await using opening = new AsyncDisposableStack();

  const folder = join(config.data, gateway);
  opening.use(lockFolder(folder));
  const open: OpenInput[] = [];
  const delivery = opening.use(
    await openDelivery(config, {
      path: join(folder, "outbox"),
      sensors: [...config.sensors, gatewaySensor(gateway, config.place, config.health_period_s)],
      onRoom: () => open.forEach(({ input }) => input.resume()),
      onFailed: failed.reject,
      log,
    }),
  );
  const { spool } = delivery;
  const seal = (): void => spool.seal();

  const health = new LineIntake(spool.batch, HEALTH_LINE_BYTES, seal);
  const reportHealth = async (): Promise<void> => {
    const free = await diskFree(folder);
    if (spool.full) return;
    const { backlog, resentReadings: resent } = delivery.counts;
    const line = Buffer.from(healthLine(gateway, { backlog, resent, diskFree: free }));
    health.take(line, 0, line.length, Date.now());
    spool.touch();
  };
  const reporter = setInterval(() => void reportHealth(), config.health_period_s * 1000);
  opening.defer(() => clearInterval(reporter));

  const target: InputTarget = {
    get full() {
      return spool.full;
    },
    taken: () => spool.touch(),
  };
  for (const input of config.inputs) {
    const opened = await openInput(input, spool.batch, seal, target);
    opening.use(opened.input);
    open.push(opened);
    log.info({ type: opened.input.type, address: opened.input.address }, "Listening for readings.");
  }

  const stats = (): EdgeAgentStats => {
    const { batched, acknowledged, backlog, backlogBytes, resentBatches, refused, connected } =
      delivery.counts;
    return {
      received: sum(open, ({ intake }) => intake.received) + health.received,
      batched,
      acknowledged,
      backlog,
      backlogBytes,
      resentBatches,
      droppedUdp: sum(open, ({ input }) => input.counts.droppedLines),
      rejectedLines: sum(open, ({ input, intake }) => input.counts.rejectedLines + intake.tooLong),
      refused,
      connected,
    };
  };
  if (options.metrics !== undefined) opening.defer(reportStats(options.metrics, gateway, stats));

  const resources = opening.move();
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => (closing ??= resources.disposeAsync());
  const onAbort = (): void => void close().catch(failed.reject);
  signal.addEventListener("abort", onAbort, { once: true });
  resources.defer(() => signal.removeEventListener("abort", onAbort));
  return {
    gateway,
    inputs: open.map(({ input: { type, address } }) => ({ type, address })),
    failed: failed.promise,
    stats,
    [Symbol.asyncDispose]: close,
  };
}

function sum<Item>(items: readonly Item[], value: (item: Item) => number): number {
  return items.reduce((total, item) => total + value(item), 0);
}
