import type { Registry as MetricsRegistry } from "prom-client";
import type { Log } from "#runtime/log.ts";
import type { Store } from "#store/port.ts";
import type { GatewayAccount } from "#telemetry/account.ts";
import type { Catalogue, Measurement } from "#telemetry/catalogue.ts";
import type { SeriesEntry } from "#telemetry/series.ts";
import type { ReplayCount } from "./dead-letter-replay.ts";
import type { DeadLetterFilter, StoredDeadLetter } from "./journal/journal.ts";
import { openJournal } from "./journal/open.ts";
import type { IngestLimits } from "./limits.ts";
import type { Registry } from "./registry/registry.ts";
import { restore } from "./restore.ts";
import { RunningIngest } from "./running-ingest.ts";
import type { Accept, Downlink } from "./source.ts";
import type { IngestTotals } from "./totals.ts";

export type { IngestTotals } from "./totals.ts";
export type { ReplayCount } from "./dead-letter-replay.ts";

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
  /** The same, but for what the clock was set by since this program started: how long a reading has waited. */
  readonly steadyNow?: () => number;
}

/**
 * Everything between a source of messages and the store. Disposing stops taking, commits what was taken, and closes the journal; what the
 * journal's disk does not take then is given up, unacknowledged. Registry and store must outlive it.
 */
export interface Ingest extends AsyncDisposable {
  /** The journal's UUID, made with its folder. */
  readonly journal: string;
  readonly accept: Accept;
  /** Takes readings of further measurements from now on: those that were put behind the catalogue's. */
  addMeasurements(measurements: readonly Measurement[]): void;
  series(sensors?: readonly string[]): Iterable<SeriesEntry>;
  seriesNumbered(series: number): SeriesEntry | undefined;
  account(gateway: string, presence: { connected: boolean; sensors: number }): GatewayAccount | undefined;
  gateways(): readonly { readonly name: string; readonly agency: string }[];
  totals(): IngestTotals;
  deadLetters(filter: DeadLetterFilter): Promise<StoredDeadLetter[]>;
  /** Resolves when what was taken is on disk. */
  replayDeadLetters(filter: Omit<DeadLetterFilter, "limit" | "after">): Promise<ReplayCount>;
  /** While it is held, nothing is trimmed from the journal, which grows to its bound: for as long as it takes to copy it. */
  holdJournal(): Promise<AsyncDisposable>;
  /** Why journal or store do not take anything at present. */
  trouble(): { journal: string | undefined; store: string | undefined };
  /** Rejects when ingest cannot go on: its journal thread died, journal and store contradict each other, or a bug. */
  readonly failed: Promise<never>;
}

/**
 * Opens journal and writer; resolves when messages can be taken.
 * @throws MarsadError DATA_LOCKED, QUEUE_CORRUPT, QUEUE_UNWRITABLE, STORE_FORMAT, STORE_UNAVAILABLE
 */
export async function openIngest(options: IngestOptions): Promise<Ingest> {
  const { journal, snapshot } = await openJournal(options.path, options.limits);
  try {
    const restored = await restore(journal, snapshot, options.store);
    const ingest = new RunningIngest(options, { journal, end: snapshot.next, restored });
    ingest.start();
    return ingest;
  } catch (error) {
    await journal[Symbol.asyncDispose]();
    throw error;
  }
}
