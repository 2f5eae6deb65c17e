import { readFile } from "node:fs/promises";
import { MarsadError } from "#runtime/errors.ts";
import { type Log, oncePer } from "#runtime/log.ts";
import { type BirthSensor, formatBirth } from "#telemetry/birth.ts";
import type { ConfigMessage, ConfigReport } from "#telemetry/config-message.ts";
import { formatStatus } from "#telemetry/status.ts";
import { topics } from "#telemetry/topic.ts";
import type { ClockWatch } from "./clock-watch.ts";
import { type EdgeAgentConfig, maxBytesInFlight } from "./config.ts";
import type { ConnectionOptions } from "./connection.ts";
import { Downlink } from "./downlink.ts";
import { openOutbox } from "./outbox.ts";
import { SendPlan } from "./send-plan.ts";
import { Spool } from "./spool.ts";
import { Trimmer } from "./trimmer.ts";
import { Uplink } from "./uplink.ts";
import { agentVersion } from "./version.ts";

const KiB = 1024;
/** Bytes committed at once under load; also what is read at once of a backlog. */
const GROUP_BYTES = 512 * KiB;
/** Bytes that may be in memory only, because the disk is slow. */
const HELD_BYTES = 4096 * KiB;
/** Bytes of committed batches kept in memory, so that they need not be read again. Those beyond it go when older ones have gone: a platform that pauses must not make live readings late. */
const LIVE_BYTES = 2048 * KiB;
/** Milliseconds that the last flush may take. */
const FLUSH_GRACE = 1000;

export interface DeliveryOptions {
  /** Folder of the outbox. */
  readonly path: string;
  /** Who is behind the gateway, as the birth tells it. */
  readonly sensors: readonly BirthSensor[];
  /** The spool may have room again. */
  readonly onRoom: () => void;
  /** It cannot go on: the outbox has stopped. */
  readonly onFailed: (error: unknown) => void;
  /** The platform sent a configuration. */
  readonly onConfig: (message: ConfigMessage) => void;
  /** What statuses say of it. */
  readonly configReport: () => ConfigReport | undefined;
  readonly clock: ClockWatch;
  readonly log: Log;
}

/** Readings, where nothing else is said; as in `EdgeAgentStats`. */
export interface DeliveryCounts {
  readonly batched: number;
  readonly acknowledged: number;
  readonly backlog: number;
  readonly backlogBytes: number;
  readonly resentBatches: number;
  readonly resentReadings: number;
  readonly refused: number;
  readonly connected: boolean;
}

/** The way of readings from the open batch over the disk to the platform's PUBACK. */
export interface Delivery extends AsyncDisposable {
  /** Where lines go in. */
  readonly spool: Spool;
  readonly counts: DeliveryCounts;
  /** Says the status again, if connected. */
  tellStatus(): void;
  /** Takes over the bounds of batches, their window, and whether they are compressed; says the birth again when the sensors are others than before. */
  reconfigure(
    config: Pick<EdgeAgentConfig, "batch" | "window" | "compress">,
    sensors: readonly BirthSensor[],
  ): void;
  /** Commits what is in memory, says goodbye to the platform, and closes: in about 2 seconds at most. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** @throws MarsadError `DATA_LOCKED`, `DATA_UNUSABLE`, `QUEUE_CORRUPT`, `QUEUE_UNWRITABLE` */
export async function openDelivery(config: EdgeAgentConfig, options: DeliveryOptions): Promise<Delivery> {
  const { log, onFailed } = options;
  const { agency, gateway } = config;
  const oncePer10s = oncePer();
  await using opening = new AsyncDisposableStack();

  const outbox = opening.use(
    await openOutbox({
      path: options.path,
      maxLiveBytes: config.outbox.max_live_bytes,
      maxFileBytes: config.outbox.max_file_bytes,
    }),
  );
  void outbox.ended.then((error) => error && onFailed(error));

  const stored = await outbox.backlog();
  const counts = { batched: 0, acknowledged: 0, backlog: stored.readings, refused: 0 };
  const plan = new SendPlan(
    { window: config.window, windowBytes: maxBytesInFlight, liveBytes: LIVE_BYTES },
    stored.ranges,
  );
  const trimmer = new Trimmer(outbox, {
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
    {
      onRebirth: () => uplink.rebirth(),
      onRefused: (count) => (counts.refused += count),
      onTime: (message) => options.clock.receive(message) && uplink.tellStatus(),
      onConfig: options.onConfig,
    },
    log,
  );
  let birth = birthOf(options.sensors);
  const uplink = new Uplink({
    url: config.mqtt,
    agency,
    gateway,
    password: () => passwordOf(config),
    tls: () => tlsOf(config),
    keepaliveSeconds: config.keepalive_s,
    reconnect: { min: config.reconnect.min_ms, max: config.reconnect.max_ms },
    topics: own,
    compress: config.compress,
    birth: () => birth,
    status: ({ online, since }) => {
      const config = options.configReport();
      const facts = { online, agent: agentVersion, since, ...(config && { config }) };
      return formatStatus(online ? { ...facts, sent: options.clock.ask() } : facts);
    },
    plan,
    read: (from) => outbox.read(from, GROUP_BYTES),
    onAcknowledged: ({ position, count }) => {
      counts.acknowledged += count;
      counts.backlog -= count;
      trimmer.acknowledged(position, spool.full);
    },
    onMessage: (topic, payload) => downlink.receive(topic, payload),
    log,
  });
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
        if (!spool.full) options.onRoom();
      },
      onRefused: (error) => {
        const held = oncePer10s("commit");
        if (held !== undefined) log.error({ err: error, held }, "The outbox takes no more; senders wait.");
        void trimmer.trim();
      },
    },
  );

  const leaving = new AbortController();
  const running = uplink.run(leaving.signal).catch(onFailed);
  opening.defer(async () => {
    leaving.abort();
    await running;
  });
  opening.defer(async () => {
    const lost = await spool.stop(FLUSH_GRACE);
    if (lost > 0) log.error({ readings: lost }, "The outbox did not take the last readings; they are lost.");
  });

  const resources = opening.move();
  return {
    spool,
    get counts(): DeliveryCounts {
      return {
        ...counts,
        backlogBytes: outbox.state.liveBytes,
        resentBatches: plan.resentBatches,
        resentReadings: plan.resentReadings,
        connected: uplink.connected,
      };
    },
    tellStatus: () => uplink.tellStatus(),
    reconfigure({ batch, window, compress }, sensors): void {
      spool.resize(batch.max_bytes, batch.max_age_ms);
      plan.window = window;
      uplink.compress = compress;
      uplink.pump();
      const next = birthOf(sensors);
      if (next === birth) return;
      birth = next;
      uplink.newBirth();
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

function birthOf(sensors: readonly BirthSensor[]): string {
  return formatBirth({ agent: agentVersion, sensors: [...sensors] });
}

/** @throws MarsadError `CONFIG_INVALID` when the password file cannot be read */
async function passwordOf({ password, password_file: file }: EdgeAgentConfig): Promise<string> {
  if (file === undefined) return password ?? "";
  try {
    return (await readFile(file, "utf8")).trim();
  } catch (cause) {
    throw new MarsadError("CONFIG_INVALID", `cannot read password_file ${file}`, { cause });
  }
}

/** @throws MarsadError `CONFIG_INVALID` when the authority's file cannot be read */
async function tlsOf({ tls }: EdgeAgentConfig): Promise<ConnectionOptions["tls"]> {
  if (tls === undefined) return undefined;
  const { ca_file: file, server_name: serverName } = tls;
  const named = serverName === undefined ? {} : { serverName };
  if (file === undefined) return named;
  try {
    return { ...named, ca: await readFile(file) };
  } catch (cause) {
    throw new MarsadError("CONFIG_INVALID", `cannot read tls.ca_file ${file}`, { cause });
  }
}
