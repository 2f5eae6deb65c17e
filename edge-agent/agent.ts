import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Registry } from "prom-client";
import { lockFolder } from "#runtime/data-lock.ts";
import { MarsadError } from "#runtime/errors.ts";
import { type Log, oncePer } from "#runtime/log.ts";
import { parseBatchHeader } from "#telemetry/batch-header.ts";
import { formatBirth } from "#telemetry/birth.ts";
import { topics } from "#telemetry/topic.ts";
import { type EdgeAgentConfig, maxBytesInFlight } from "./config.ts";
import { Downlink } from "./downlink.ts";
import { diskFree, gatewaySensor, healthLine } from "./health.ts";
import type { InputTarget } from "./inputs/input.ts";
import { type OpenInput, openInput } from "./inputs/open-input.ts";
import { LineIntake } from "./line-intake.ts";
import { type Outbox, openOutbox } from "./outbox.ts";
import { SendPlan } from "./send-plan.ts";
import { Spool } from "./spool.ts";
import { type EdgeAgentStats, reportStats } from "./stats.ts";
import { Trimmer } from "./trimmer.ts";
import { Uplink } from "./uplink.ts";
import { agentVersion } from "./version.ts";

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
   * does not wait for the backlog to be sent.
   */
  [Symbol.asyncDispose](): Promise<void>;
}

const KiB = 1024;
/** Bytes committed at once under load; also what is read at once of a backlog. */
const GROUP_BYTES = 512 * KiB;
/** Bytes that may be in memory only, because the disk is slow. */
const HELD_BYTES = 4096 * KiB;
/** Bytes of committed batches kept in memory, so that they need not be read again. */
const LIVE_BYTES = 1024 * KiB;
/** Milliseconds that the last flush may take. */
const FLUSH_GRACE = 1000;

/**
 * Opens an agent: its outbox, its inputs and its uplink. It is usable, and resolves, once it listens; it needs no platform for that.
 * @throws MarsadError `DATA_LOCKED`, `DATA_UNUSABLE`, `QUEUE_CORRUPT`, `QUEUE_UNWRITABLE`, `ADDRESS_IN_USE`
 */
export async function openEdgeAgent(config: EdgeAgentConfig, options: EdgeAgentOptions): Promise<EdgeAgent> {
  const { signal } = options;
  const { agency, gateway, sensors } = config;
  signal.throwIfAborted();
  const log = options.log.child({ part: "edge-agent", gateway });
  const oncePer10s = oncePer();
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => {}); // the holder listens, or is about to dispose
  await using opening = new AsyncDisposableStack();

  const folder = join(config.data, gateway);
  opening.use(lockFolder(folder));
  const outbox = opening.use(
    await openOutbox({
      path: join(folder, "outbox"),
      maxLiveBytes: config.outbox.max_live_bytes,
      maxFileBytes: config.outbox.max_file_bytes,
    }),
  );
  void outbox.ended.then((error) => error && failed.reject(error));

  const counts = { batched: 0, acknowledged: 0, backlog: await storedReadings(outbox), refused: 0 };
  const plan = new SendPlan(
    { window: config.window, windowBytes: maxBytesInFlight, liveBytes: LIVE_BYTES },
    outbox.state,
  );
  const trimmer = new Trimmer(outbox, plan, {
    onTrimmed: () => spool.retry(),
    onRefused: (error) => {
      const held = oncePer10s("trim");
      if (held !== undefined) log.error({ err: error, held }, "The outbox cannot be trimmed.");
    },
  });
  opening.defer(() => trimmer.trim());

  const own = topics(agency, gateway);
  const downlink = new Downlink(
    own,
    { onRebirth: () => uplink.rebirth(), onRefused: (_reason, count) => (counts.refused += count) },
    log,
  );
  const self = gatewaySensor(gateway, config.place, config.health_period_s);
  const uplink = new Uplink({
    url: config.mqtt,
    agency,
    gateway,
    password: () => password(config),
    keepaliveSeconds: config.keepalive_s,
    reconnect: { min: config.reconnect.min_ms, max: config.reconnect.max_ms },
    topics: own,
    birth: () => formatBirth({ agent: agentVersion, sensors: [...sensors, self] }),
    plan,
    read: (from) => outbox.read(from, GROUP_BYTES),
    onAcknowledged: ({ count }) => {
      counts.acknowledged += count;
      counts.backlog -= count;
      trimmer.acknowledged(spool.full);
    },
    onMessage: (topic, payload) => downlink.receive(topic, payload),
    log,
  });

  const open: OpenInput[] = [];
  const spool = new Spool(
    outbox,
    {
      batchBytes: config.batch.max_bytes,
      groupBytes: GROUP_BYTES,
      maxAge: config.batch.max_age_ms,
      heldBytes: HELD_BYTES,
    },
    {
      onCommitted: (batches) => {
        for (const batch of batches) {
          plan.addLive(batch);
          counts.batched += batch.count;
          counts.backlog += batch.count;
        }
        uplink.pump();
        if (!spool.full) for (const { input } of open) input.resume();
      },
      onRefused: (error) => {
        const held = oncePer10s("commit");
        if (held !== undefined) log.error({ err: error, held }, "The outbox takes no more; senders wait.");
        void trimmer.trim();
      },
    },
  );

  const leave = new AbortController();
  const running = uplink.run(leave.signal).catch(failed.reject);
  opening.defer(async () => {
    leave.abort();
    await running;
  });
  opening.defer(async () => {
    const lost = await spool.stop(FLUSH_GRACE);
    if (lost > 0) log.error({ readings: lost }, "The outbox did not take the last readings; they are lost.");
  });

  const target: InputTarget = {
    get full() {
      return spool.full;
    },
    taken: () => spool.touch(),
  };
  const seal = (): void => spool.seal();
  const health = new LineIntake(spool.batch, KiB, seal);
  const reporter = setInterval(() => void reportHealth(), config.health_period_s * 1000);
  opening.defer(() => clearInterval(reporter));
  const reportHealth = async (): Promise<void> => {
    const free = await diskFree(folder);
    if (spool.full || leave.signal.aborted) return;
    const facts = { backlog: counts.backlog, resent: plan.resentReadings, diskFree: free };
    const line = Buffer.from(healthLine(gateway, facts));
    health.take(line, 0, line.length, Date.now());
    spool.touch();
  };
  for (const input of config.inputs) {
    const opened = await openInput(input, spool.batch, seal, target);
    opening.use(opened.input);
    open.push(opened);
    log.info({ type: opened.input.type, address: opened.input.address }, "Listening for readings.");
  }

  const stats = (): EdgeAgentStats => ({
    received: sum(open, ({ intake }) => intake.received) + health.received,
    batched: counts.batched,
    acknowledged: counts.acknowledged,
    backlog: counts.backlog,
    backlogBytes: outbox.state.liveBytes,
    resentBatches: plan.resentBatches,
    droppedUdp: sum(open, ({ input }) => input.counts.droppedLines),
    rejectedLines: sum(open, ({ input, intake }) => input.counts.rejectedLines + intake.tooLong),
    refused: counts.refused,
    connected: uplink.connected,
  });
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

/** Readings on disk without a PUBACK, as an earlier run left them: their numbers are contiguous. */
async function storedReadings(outbox: Outbox): Promise<number> {
  const { first, next, nextNumber } = outbox.state;
  if (first === next) return 0;
  const [oldest] = await outbox.read(first, 1);
  const parsed = oldest && parseBatchHeader(oldest.payload);
  return parsed?.ok ? nextNumber - parsed.header.first : 0;
}

/** @throws MarsadError `CONFIG_INVALID` when the password file cannot be read */
async function password({ password, password_file: file }: EdgeAgentConfig): Promise<string> {
  if (file === undefined) return password ?? "";
  try {
    return (await readFile(file, "utf8")).trim();
  } catch (cause) {
    throw new MarsadError("CONFIG_INVALID", `cannot read password_file ${file}`, { cause });
  }
}

function sum<Item>(items: readonly Item[], value: (item: Item) => number): number {
  return items.reduce((total, item) => total + value(item), 0);
}
