import { join } from "node:path";
import type { Registry } from "prom-client";
import { lockFolder } from "#runtime/data-lock.ts";
import { MarsadError } from "#runtime/errors.ts";
import type { Log } from "#runtime/log.ts";
import type { BirthSensor } from "#telemetry/birth.ts";
import type { Catalogue } from "#telemetry/catalogue.ts";
import { ClockWatch, type Clocks } from "./clock-watch.ts";
import { loadCatalogue } from "./catalogue.ts";
import type { EdgeAgentConfig } from "./config.ts";
import { ConfigKeeper } from "./config-keeper.ts";
import { type Delivery, openDelivery } from "./delivery.ts";
import { LineFilters } from "./filters/line-filters.ts";
import { ruleProblems } from "./filters/rule.ts";
import { gatewaySensor, openHealthReports } from "./health.ts";
import type { Input, InputTarget } from "./inputs/input.ts";
import { InputSet } from "./inputs/input-set.ts";
import { openInput } from "./inputs/open-input.ts";
import { planInputs } from "./inputs/plans.ts";
import { type LineStage, takeFiltered } from "./line-stage.ts";
import { isSame, mergeRemote } from "./remote-config.ts";
import { type EdgeAgentStats, reportStats } from "./stats.ts";
import { type StoredConfig, readStoredConfig } from "./stored-config.ts";

export interface EdgeAgentOptions {
  /** Aborting it disposes the agent. */
  readonly signal: AbortSignal;
  readonly log: Log;
  readonly metrics?: Registry;
  /** The system's, if not given. */
  readonly clocks?: Clocks;
}

export interface EdgeAgent extends AsyncDisposable {
  readonly gateway: string;
  /** Where the inputs really listen, or connect to, in the configuration's order. */
  readonly inputs: readonly Pick<Input, "type" | "address">[];
  stats(): EdgeAgentStats;
  /** Rejects when the agent cannot go on, for one because its outbox has stopped; it must be disposed then. */
  readonly failed: Promise<never>;
  /**
   * Makes what the gateway's own file says now hold, without touching the outbox or the inputs that stay as they were.
   * @throws MarsadError `CONFIG_INVALID`, `ADDRESS_IN_USE`; the former configuration holds then.
   */
  reconfigure(config: EdgeAgentConfig): Promise<void>;
  /**
   * Stops the inputs, brings what they took to the outbox, tells the platform, and closes: in about 2 seconds at most. It
   * does not wait for the backlog to be sent. Twice is safe.
   */
  [Symbol.asyncDispose](): Promise<void>;
}

/** Milliseconds between looks at what filters hold. */
const FILTER_INTERVAL = 1000;

/**
 * Opens an agent: its outbox, its inputs and its uplink. It is usable, and resolves, once it listens; it needs no platform for that.
 * @param own  What the gateway's own file says; what the platform said in an earlier run holds over it.
 * @throws MarsadError `CONFIG_INVALID`, `DATA_LOCKED`, `DATA_UNUSABLE`, `QUEUE_CORRUPT`, `QUEUE_UNWRITABLE`, `ADDRESS_IN_USE`
 */
export async function openEdgeAgent(own: EdgeAgentConfig, options: EdgeAgentOptions): Promise<EdgeAgent> {
  const { signal } = options;
  const { gateway } = own;
  signal.throwIfAborted();
  const catalogue = await loadCatalogue(own.catalogue);
  expectPlanned(own, catalogue);
  const log = options.log.child({ part: "edge-agent", gateway });
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => {}); // the holder listens, or is about to dispose
  await using opening = new AsyncDisposableStack();

  const folder = join(own.data, gateway);
  opening.use(lockFolder(folder));
  const stored = await storedConfig(folder, log);
  const merged = mergeRemote(own, stored?.config ?? null);
  let config = merged.ok ? merged.config : own;

  let delivery: Delivery | undefined;
  const clock = new ClockWatch(log, options.clocks);
  const clockLead = (): number => (config.correct_clock ? (clock.skew()?.skew ?? 0) : 0);
  const keeper = new ConfigKeeper({
    folder,
    own,
    stored,
    apply: (next) => apply(next),
    onReport: () => delivery?.tellStatus(),
    log,
  });
  if (!merged.ok) keeper.storedRefused(merged.problem);

  const inputs = new InputSet({
    open: (settings, next) =>
      openInput(settings, stage, target, { config: next, plans: planInputs(next, catalogue), log }),
    log,
  });
  const delivered = opening.use(
    await openDelivery(config, {
      path: join(folder, "outbox"),
      sensors: sensorsOf(config),
      onRoom: () => inputs.open.forEach(({ input }) => input.resume()),
      onFailed: failed.reject,
      onConfig: (message) => void keeper.receive(message),
      configReport: () => keeper.report,
      clock,
      log,
    }),
  );
  delivery = delivered;
  const { spool } = delivered;
  const seal = (): void => spool.seal();
  const filters = new LineFilters(config.filters, catalogue);
  const stage: LineStage = { batch: spool.batch, seal, filters, clockLead };
  const flushFilters = (): void => {
    filters.flush();
    takeFiltered(stage);
    spool.touch();
  };
  opening.defer(flushFilters);
  const ticking = setInterval(() => {
    filters.clockLead = clock.skew()?.skew ?? 0;
    if (!filters.active || spool.full) return;
    filters.tick(Date.now());
    takeFiltered(stage);
    spool.touch();
  }, FILTER_INTERVAL);
  opening.defer(() => clearInterval(ticking));

  const health = openHealthReports({
    gateway,
    folder,
    spool,
    stage: { batch: spool.batch, seal, clockLead },
    counts: () => delivered.counts,
    skew: () => clock.skew(),
    silentDevices: () => inputs.silentDevices,
  });
  opening.use(health);

  const target: InputTarget = {
    get full() {
      return spool.full;
    },
    taken: () => spool.touch(),
    committed: () => spool.committed(),
  };
  opening.use(inputs);
  opening.use(keeper);
  try {
    await inputs.change(config);
  } catch (error) {
    if (config === own) throw error;
    // Nobody could mend it from afar if it were the end.
    keeper.storedRefused(error instanceof Error ? error.message : String(error));
    await apply(own);
  }
  health.start(config.health_period_s);

  async function apply(next: EdgeAgentConfig): Promise<void> {
    expectPlanned(next, catalogue);
    const former = config;
    // An input may bring lines that only the new batches hold, as soon as it is open.
    if (next.batch.max_bytes > former.batch.max_bytes)
      spool.resize(next.batch.max_bytes, former.batch.max_age_ms);
    try {
      await inputs.change(next);
    } catch (error) {
      spool.resize(former.batch.max_bytes, former.batch.max_age_ms);
      throw error;
    }
    config = next;
    if (!isSame(former, next, "filters")) {
      flushFilters();
      filters.configure(next.filters);
    }
    delivered.reconfigure(next, sensorsOf(next));
    if (former.health_period_s !== next.health_period_s) health.start(next.health_period_s);
  }

  const stats = (): EdgeAgentStats => {
    const { batched, acknowledged, backlog, backlogBytes, resentBatches, refused, connected } =
      delivered.counts;
    const { received, droppedLines, rejectedLines, reads, readFailures } = inputs.totals;
    const { duplicates, withinBand, averaged, averages } = filters.counts;
    const skew = clock.skew()?.skew;
    return {
      received: received + health.received,
      duplicates,
      withinBand,
      averaged,
      averages,
      batched,
      acknowledged,
      backlog,
      backlogBytes,
      resentBatches,
      droppedUdp: droppedLines,
      rejectedLines,
      refused,
      connected,
      reads,
      readFailures,
      silentDevices: inputs.silentDevices,
      clockSkew: skew === undefined ? undefined : skew / 1000,
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
    get inputs() {
      return inputs.open.map(({ input: { type, address } }) => ({ type, address }));
    },
    failed: failed.promise,
    stats,
    reconfigure: (next) => keeper.reload(next),
    [Symbol.asyncDispose]: close,
  };
}

/** Can all of it be done with what the catalogue knows? @throws MarsadError CONFIG_INVALID */
function expectPlanned(config: EdgeAgentConfig, catalogue: Catalogue): void {
  planInputs(config, catalogue);
  const problems = ruleProblems(config.filters, catalogue);
  if (problems.length > 0) throw new MarsadError("CONFIG_INVALID", problems.join("\n"));
}

/** Who is behind the gateway, and the gateway itself. */
function sensorsOf(config: EdgeAgentConfig): readonly BirthSensor[] {
  return [...config.sensors, gatewaySensor(config.gateway, config.place, config.health_period_s)];
}

/** Settings that cannot be read are not worth an agent that does not start: the platform sends them again. */
async function storedConfig(folder: string, log: Log): Promise<StoredConfig | undefined> {
  try {
    return await readStoredConfig(folder);
  } catch (error) {
    log.error({ err: error }, "The platform's settings of an earlier run cannot be read; the file's hold.");
    return undefined;
  }
}
