import { setTimeout as sleep } from "node:timers/promises";
import type { Registry as MetricsRegistry } from "prom-client";
import type { Log } from "#runtime/log.ts";
import { MarsadError } from "#runtime/errors.ts";
import type { Store } from "#store/port.ts";
import type { GatewayAccount } from "#telemetry/account.ts";
import type { Catalogue } from "#telemetry/catalogue.ts";
import type { ResolveSeries } from "#telemetry/decode.ts";
import type { SeriesEntry } from "#telemetry/series.ts";
import { accountOf, Tallies } from "./account.ts";
import { Committer } from "./committer.ts";
import { Decoder } from "./decoder.ts";
import { Gateways } from "./gateways.ts";
import { Group } from "./group.ts";
import { recoverInFlight } from "./in-flight.ts";
import { Intake } from "./intake.ts";
import type { DeadLetterFilter, Journal, StoredDeadLetter } from "./journal/journal.ts";
import { openJournal } from "./journal/open.ts";
import type { IngestLimits } from "./limits.ts";
import { observeIngest } from "./metrics.ts";
import { Notices } from "./notices.ts";
import type { Registry } from "./registry/registry.ts";
import { Replay, type ReplayCount } from "./replay.ts";
import { SeriesDictionary } from "./series-dictionary.ts";
import type { Accept, Downlink } from "./source.ts";
import { StoreWriter } from "./writer.ts";

export interface IngestOptions {
  /** The journal's folder. */
  readonly path: string;
  readonly catalogue: Catalogue;
  readonly registry: Registry;
  readonly store: Store;
  readonly limits: IngestLimits;
  readonly downlink: Downlink;
  readonly log: Log;
  readonly metrics: MetricsRegistry;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

/** Everything between a source of messages and the store. Disposing stops taking, commits what was taken, and closes the journal. */
export interface Ingest extends AsyncDisposable {
  /** The journal's UUID, made with its folder. */
  readonly journal: string;
  readonly accept: Accept;
  series(): Iterable<SeriesEntry>;
  account(gateway: string, presence: { connected: boolean; sensors: number }): GatewayAccount | undefined;
  gateways(): readonly { readonly name: string; readonly agency: string }[];
  /** Readings since the process began; `waiting`, `journal` and `missing` are how many there are now. */
  totals(): IngestTotals;
  deadLetters(filter: DeadLetterFilter): Promise<StoredDeadLetter[]>;
  replayDeadLetters(filter: Omit<DeadLetterFilter, "limit" | "after">): Promise<ReplayCount>;
  /** Why journal or store do not take anything at present. */
  trouble(): { journal: string | undefined; store: string | undefined };
  /** Rejects when ingest cannot go on: its journal thread died, or a bug. */
  readonly failed: Promise<never>;
}

export interface IngestTotals {
  readonly received: number;
  readonly stored: number;
  readonly duplicate: number;
  readonly refused: number;
  readonly waiting: number;
  readonly journal: number;
  readonly missing: number;
}

/** Opens journal and writer; resolves when messages can be taken. Throws `MarsadError` (`QUEUE_CORRUPT`, `STORE_FORMAT`, …). */
export async function openIngest(options: IngestOptions): Promise<Ingest> {
  const journal = await openJournal(options.path, options.limits);
  try {
    return await startIngest(options, journal);
  } catch (error) {
    await journal[Symbol.asyncDispose]();
    throw error;
  }
}

async function startIngest(options: IngestOptions, journal: Journal): Promise<Ingest> {
  const { catalogue, registry, store, limits, log, now = Date.now } = options;
  const stored = await store.position(journal.snapshot.uuid);
  if (stored > journal.snapshot.next) throw storeIsAhead(stored, journal.snapshot.next);
  const dictionary = await restoreDictionary(journal, store);
  const inFlight = await recoverInFlight(journal, stored);
  const tallies = new Tallies(await store.tallies());
  const gateways = new Gateways();
  gateways.restore(journal.snapshot);
  const before = sums(gateways, tallies);

  const failure = Promise.withResolvers<never>();
  failure.promise.catch(() => undefined); // whoever opened it awaits `failed`
  const stop = new AbortController();
  const group = new Group(catalogue);
  const resolve =
    (agency: string): ResolveSeries =>
    (measurement, sensor) => {
      const known = registry.lookup(agency, sensor);
      if (!known) return "unknown-sensor";
      if (known.retired) return "sensor-retired";
      let series = dictionary.get(agency, measurement, sensor);
      if (series === undefined) {
        const entry = dictionary.add(agency, measurement, sensor);
        group.addSeries(entry);
        series = entry.series;
      }
      return { series, gateway: gateways.of({ name: known.gateway, agency }).number };
    };
  const decoder = new Decoder({
    catalogue,
    tables: group.tables,
    maxAge: limits.max_age_days * 86_400_000,
    maxFuture: limits.max_future_seconds * 1_000,
    resolve,
  });
  const writer = new StoreWriter(
    {
      journal,
      store,
      inFlight,
      batchReadings: limits.batch_readings,
      batchMaxAge: limits.batch_max_age,
      log,
      signal: stop.signal,
      onStored: (outcome) => tallies.add(outcome.tallies),
      onRecovered: async () => tallies.replace(await store.tallies()),
    },
    inFlight.next - inFlight.length,
  );
  const committer = new Committer({
    journal,
    group,
    inFlight,
    groupBytes: limits.group_bytes,
    gatewayName: gateways.nameOf,
    onCommitted: (next) => writer.committedTo(next),
    onFailure: failure.reject,
  });
  const notices = new Notices(options.downlink);
  const { waiting_bytes_per_gateway: waitingBytesPerGateway, sensors_per_gateway: sensorsPerGateway } = limits;
  const parts = { group, decoder, committer, gateways, now, log };
  const intake = new Intake({ ...parts, registry, notices, waitingBytesPerGateway, sensorsPerGateway });
  const replay = new Replay({ ...parts, journal });
  const replayWaiting = (): void => void replay.waiting().catch(failure.reject);
  const stopWatching = registry.onChange(() => {
    decoder.forgetSeries();
    replayWaiting();
  });
  replayWaiting();
  const writing = writer.run().catch(failure.reject);

  const totals = (): IngestTotals => {
    const sum = sums(gateways, tallies);
    return {
      received: sum.received - before.received,
      stored: sum.stored - before.stored,
      duplicate: sum.duplicate - before.duplicate,
      refused: sum.refused - before.refused,
      waiting: sum.waiting,
      journal: inFlight.readings + group.readings,
      missing: sum.missing,
    };
  };
  const blocked = watchJournal(journal, stop.signal, failure.reject);
  observeIngest(options.metrics, {
    totals,
    refusedByReason: () => refusedByReason(gateways),
    journalStatus: async () => await journal.status(),
  });

  let closing: Promise<void> | undefined;
  return {
    journal: journal.snapshot.uuid,
    accept: intake.accept,
    series: () => dictionary.entries(),
    gateways: () => gateways.all().map(({ identity }) => identity),
    account(name, presence) {
      const gateway = gateways.named(name);
      if (!gateway) return undefined;
      const onItsWay = inFlight.of(name) + group.readingsOf(gateway.number);
      return accountOf(gateway, tallies.of(name), onItsWay, presence);
    },
    totals,
    deadLetters: async (filter) => await journal.deadLetters(filter),
    replayDeadLetters: async (filter) => await replay.deadLetters(filter),
    trouble: () => ({ journal: blocked(), store: writer.failure }),
    failed: failure.promise,
    async [Symbol.asyncDispose]() {
      closing ??= (async () => {
        stopWatching();
        notices.close();
        await Promise.race([committer.drain(), blockedForLong(blocked)]);
        stop.abort();
        await writing;
        await journal[Symbol.asyncDispose]();
      })();
      await closing;
    },
  };
}

/** Numbers of journal and store must mean the same series; a new journal beside an old store takes the store's. */
async function restoreDictionary(journal: Journal, store: Store): Promise<SeriesDictionary> {
  const dictionary = new SeriesDictionary();
  for (const entry of [...journal.snapshot.series, ...(await store.series())]) {
    if (dictionary.restore(entry)) continue;
    const { series, agency, measurement, sensor } = entry;
    throw new MarsadError(
      "STORE_FORMAT",
      `series ${series} is ${measurement} of ${agency}/${sensor} in the store, and another one in the journal: they do not belong to one data folder`,
    );
  }
  return dictionary;
}

function storeIsAhead(stored: number, next: number): MarsadError {
  return new MarsadError(
    "STORE_FORMAT",
    `the store has blocks up to ${stored} of this journal, which ends at ${next}: the journal was put back to an older state`,
  );
}

interface Sums {
  received: number;
  stored: number;
  duplicate: number;
  refused: number;
  waiting: number;
  missing: number;
}

function sums(gateways: Gateways, tallies: Tallies): Sums {
  const sum: Sums = { received: 0, stored: 0, duplicate: 0, refused: 0, waiting: 0, missing: 0 };
  for (const gateway of gateways.all()) {
    sum.received += gateway.received;
    sum.duplicate += gateway.duplicate;
    sum.refused += gateway.refusedTotal();
    sum.waiting += gateway.waiting;
    sum.missing += gateway.missing();
  }
  for (const { stored, duplicate } of tallies.all()) {
    sum.stored += stored;
    sum.duplicate += duplicate;
  }
  return sum;
}

function refusedByReason(gateways: Gateways): Map<string, number> {
  const byReason = new Map<string, number>();
  for (const { refused } of gateways.all()) {
    for (const [reason, readings] of Object.entries(refused)) byReason.set(reason, (byReason.get(reason) ?? 0) + readings);
  }
  return byReason;
}

/** Asks the journal thread once a second whether commits go through. */
function watchJournal(journal: Journal, signal: AbortSignal, onFailure: (error: unknown) => void): () => string | undefined {
  let message: string | undefined;
  const timer = setInterval(() => {
    journal.status().then(({ blocked }) => {
      message = blocked?.message;
    }, onFailure);
  }, 1_000);
  signal.addEventListener("abort", () => clearInterval(timer), { once: true });
  return () => message;
}

/** Resolves when the journal has been blocked: what it holds back was not acknowledged and will be sent again. */
async function blockedForLong(blocked: () => string | undefined): Promise<void> {
  for (;;) {
    await sleep(500, undefined, { ref: false });
    if (blocked() !== undefined) return;
  }
}
