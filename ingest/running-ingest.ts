import type { GatewayAccount } from "#telemetry/account.ts";
import type { Measurement } from "#telemetry/catalogue.ts";
import type { SeriesEntry } from "#telemetry/series.ts";
import { accountOf } from "./account.ts";
import type { ReplayCount } from "./dead-letter-replay.ts";
import type { Ingest, IngestOptions } from "./ingest.ts";
import type { DeadLetterFilter, Journal, StoredDeadLetter } from "./journal/journal.ts";
import { JournalWatch } from "./journal-watch.ts";
import { CommitWatch } from "./commit-watch.ts";
import { observeIngest } from "./metrics.ts";
import { observeIngestQueues } from "./queue-levels.ts";
import { makeParts, type Parts } from "./parts.ts";
import type { SensorRef } from "./registry/sensor-record.ts";
import type { Restored } from "./restore.ts";
import type { Accept } from "./source.ts";
import { type IngestTotals, totalsOf } from "./totals.ts";

/** Milliseconds: held sessions resumed without a reason; readings looked for that have waited too long. */
const resumeInterval = 30_000;
const expiryInterval = 3_600_000;

/** Ingest from its opening to its end. */
export class RunningIngest implements Ingest {
  readonly totals: () => IngestTotals;
  readonly #options: IngestOptions;
  readonly #journal: Journal;
  readonly #restored: Restored;
  readonly #parts: Parts;
  readonly #watch: JournalWatch;
  readonly #commits: CommitWatch;
  readonly #failure = Promise.withResolvers<never>();
  readonly #stop = new AbortController();
  #timers: readonly NodeJS.Timeout[] = [];
  #stopWatching: (() => void) | undefined;
  #writing: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  /** @param opened  `end`: the journal's, when it was opened. */
  constructor(options: IngestOptions, opened: { journal: Journal; end: number; restored: Restored }) {
    const onFailure = this.#failure.reject;
    this.#options = options;
    this.#journal = opened.journal;
    this.#restored = opened.restored;
    this.#commits = new CommitWatch(options.metrics);
    const watched = { ...opened, journal: this.#commits.watch(opened.journal) };
    this.#parts = makeParts(options, watched, { signal: this.#stop.signal, onFailure });
    this.#watch = new JournalWatch(opened.journal, options.log, onFailure);
    this.totals = totalsOf({ ...this.#restored, ...this.#parts });
  }

  start(): void {
    const { metrics, registry } = this.#options;
    const { deadLetters, notices, waitingReplay, writer } = this.#parts;
    const onFailure = this.#failure.reject;
    this.failed.catch(() => undefined); // whoever opened it awaits it
    this.#stopWatching = registry.onChange((changed, came) => this.#sensorsChanged(changed, came));
    this.#timers = [
      setInterval(() => this.#resumeHeld(), resumeInterval),
      setInterval(() => void waitingReplay.expire().catch(onFailure), expiryInterval),
    ];
    this.#watch.start();
    notices.start();
    this.#writing = writer.run().catch(onFailure);
    waitingReplay.all();
    observeIngest(metrics, {
      totals: this.totals,
      refusals: () => deadLetters.counts,
      journalStatus: () => this.#journal.status(),
      trouble: () => this.trouble(),
      heldSessions: () => this.#heldSessions(),
    });
    observeIngestQueues(metrics, {
      ...this.#restored,
      ...this.#parts,
      journal: this.#journal,
      limits: this.#options.limits,
      commits: () => this.#commits.level(),
      now: this.#options.now ?? Date.now,
    });
  }

  get journal(): string {
    return this.#journal.uuid;
  }

  get failed(): Promise<never> {
    return this.#failure.promise;
  }

  get accept(): Accept {
    return this.#parts.intake.accept;
  }

  addMeasurements(measurements: readonly Measurement[]): void {
    const { decoder, group } = this.#parts;
    group.addMeasurements(measurements);
    decoder.addMeasurements(measurements);
  }

  series(sensors?: readonly string[]): Iterable<SeriesEntry> {
    const { dictionary } = this.#restored;
    return sensors?.flatMap((sensor) => dictionary.ofSensor(sensor)) ?? dictionary.entries();
  }

  seriesNumbered(series: number): SeriesEntry | undefined {
    return this.#restored.dictionary.entry(series);
  }

  gateways(): { name: string; agency: string }[] {
    return Array.from(this.#restored.gateways.all(), ({ identity: { name, agency } }) => ({ name, agency }));
  }

  account(name: string, presence: { connected: boolean; sensors: number }): GatewayAccount | undefined {
    const { gateways, inFlight, tallies } = this.#restored;
    const gateway = gateways.named(name);
    if (!gateway) return undefined;
    const onItsWay = inFlight.of(gateway.number) + this.#parts.group.readingsOf(gateway.number);
    return accountOf(gateway, tallies.of(name), onItsWay, presence);
  }

  async deadLetters(filter: DeadLetterFilter): Promise<StoredDeadLetter[]> {
    return await this.#journal.deadLetters(filter);
  }

  async replayDeadLetters(filter: Omit<DeadLetterFilter, "limit" | "after">): Promise<ReplayCount> {
    return await this.#parts.deadLetterReplay.run(filter);
  }

  async holdJournal(): Promise<AsyncDisposable> {
    const { writer } = this.#parts;
    await this.#journal.hold();
    writer.holdRefusals();
    return {
      [Symbol.asyncDispose]: async () => {
        writer.releaseRefusals();
        await this.#journal.letGo().catch(() => undefined); // a journal that is closed meanwhile lets go by itself
      },
    };
  }

  trouble(): { journal: string | undefined; store: string | undefined } {
    return { journal: this.#watch.trouble, store: this.#parts.writer.failure };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    const { committer, intake, notices, waitingReplay } = this.#parts;
    intake.close();
    this.#stopWatching?.();
    for (const timer of this.#timers) clearInterval(timer);
    this.#stop.abort();
    const settled = waitingReplay.idle().then(() => committer.settled());
    const patience = new AbortController();
    await Promise.race([settled, this.#watch.refuses(patience.signal)]).catch(() => undefined); // the thread is lost
    patience.abort();
    this.#watch.close();
    notices.close();
    await this.#writing;
    await this.#journal[Symbol.asyncDispose]();
  }

  #sensorsChanged(changed: readonly SensorRef[], came: ReadonlySet<SensorRef>): void {
    const { decoder, waitingReplay } = this.#parts;
    for (const [agency, sensors] of Map.groupBy(changed, (sensor) => sensor.agency))
      decoder.forgetSeries(
        agency,
        sensors.every((sensor) => came.has(sensor)),
      );
    for (const { agency, sensor } of changed) {
      const owner = this.#options.registry.lookup(agency, sensor)?.gateway;
      const gateway = owner === undefined ? undefined : this.#restored.gateways.named(owner);
      if (gateway) waitingReplay.sensorsChanged(gateway);
    }
  }

  #resumeHeld(): void {
    this.#parts.committer.stalled.resume();
    for (const gateway of this.#restored.gateways.all()) gateway.held.resume();
  }

  #heldSessions(): number {
    let held = this.#parts.committer.stalled.size;
    for (const gateway of this.#restored.gateways.all()) held += gateway.held.size;
    return held;
  }
}
