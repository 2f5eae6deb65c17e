import { setTimeout as sleep } from "node:timers/promises";
import type { Registry } from "prom-client";
import { MarsadError, hasCode } from "#runtime/errors.ts";
import type { Log } from "#runtime/log.ts";
import { type WorkerClient, openWorker } from "#runtime/worker.ts";
import { SeriesTable } from "#telemetry/series-table.ts";
import { StoreMetrics } from "../metrics.ts";
import type {
  GatewayTally,
  ReadingQuery,
  ReadingRows,
  Store,
  StoreBatch,
  StoreOutcome,
  StoreRefusal,
} from "../port.ts";
import { type Policy, type QueryAnswer, type QueryBounds, type QueryRequest, queryBounds } from "../query.ts";
import type { DirtyHour, ResultBatch, RowPiece, RowsQuery } from "../results.ts";
import { Serial } from "../serial.ts";
import type { EngineOptions } from "./engine.ts";
import { PassThrough } from "./pass-through.ts";
import type { SensorRef, SensorTags } from "./series-prefixes.ts";
import type { TagsOf } from "./tags.ts";
import type { InfluxThread } from "./worker.ts";

export type { TagVersion, TagsOf } from "./tags.ts";

export interface InfluxStoreOptions {
  /** The store's folder, for what InfluxDB cannot keep; made if missing. */
  readonly path: string;
  readonly url: string;
  readonly database: string;
  /** The retention policy (1.x); with 2.x and 3.x the database is then called DATABASE/POLICY. Undefined: the default one. */
  readonly policy?: string | undefined;
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  /** Days; undefined: for ever. */
  readonly retentionDays?: number | undefined;
  /** Milliseconds until a request is answered. */
  readonly timeout?: number;
  readonly linesPerRequest?: number;
  /** What a query may cost; rows are counted by their bytes. */
  readonly queries?: Pick<QueryBounds, "time_ms" | "rows">;
  readonly connections?: number;
  /** The registry's answer; without, rows have the tags agency and sensor alone. */
  readonly tagsOf?: TagsOf;
  /** Calls back after changes of the registry. @returns how to stop that. */
  readonly onTagsChanged?: (listener: (changed: readonly SensorRef[]) => void) => () => void;
  readonly log: Log;
  readonly metrics?: Registry;
}

/** Milliseconds: how often it is asked whether InfluxDB answers; how long a write under way may take when the store is closed. */
const troubleInterval = 250;
const closingGrace = 700;

/**
 * Opens a store in InfluxDB, 1.x to 3.x, in a thread of its own. InfluxDB itself need not be there: what is written waits for it.
 * @throws MarsadError STORE_LOCKED, STORE_FORMAT, STORE_FULL, STORE_UNAVAILABLE: of the local state
 */
export async function openInfluxStore(options: InfluxStoreOptions): Promise<Store> {
  const { log, metrics } = options;
  const engine: EngineOptions = {
    path: options.path,
    url: options.url,
    database: options.database,
    policy: options.policy,
    user: options.user,
    password: options.password,
    retentionDays: options.retentionDays,
    timeout: options.timeout ?? 30_000,
    linesPerRequest: options.linesPerRequest ?? 10_000,
    connections: options.connections ?? 2,
  };
  const thread = await openWorker<InfluxThread>(new URL("worker.ts", import.meta.url), engine);
  const before = await thread.call("before", undefined);
  if (before !== undefined) {
    const { url, database } = options;
    log.warn(
      { was: before, is: { url, database } },
      "Readings stored before are in another InfluxDB database.",
    );
  }
  const store = new InfluxStore(thread, options, metrics && new StoreMetrics(metrics));
  store.start();
  return store;
}

class InfluxStore implements Store {
  readonly kind = "influxdb";
  /** Ordered by series, 100,000 readings cost InfluxDB a tenth less than 20,000; in memory they are requests of 10,000, one after the other. */
  readonly batchesAtOnce = 5;
  readonly #thread: WorkerClient<InfluxThread>;
  readonly #options: InfluxStoreOptions;
  readonly #metrics: StoreMetrics | undefined;
  readonly #writes = new Serial();
  /** Not in the thread: bytes pass from one connection to another. */
  readonly #queries: PassThrough;
  #trouble: string | undefined;
  #advice: string | undefined;
  #stopListening: (() => void) | undefined;
  #timer: NodeJS.Timeout | undefined;
  #closing: Promise<void> | undefined;

  constructor(
    thread: WorkerClient<InfluxThread>,
    options: InfluxStoreOptions,
    metrics: StoreMetrics | undefined,
  ) {
    this.#thread = thread;
    this.#options = options;
    const { url, database, policy, user, password, queries: bounds = queryBounds } = options;
    this.#queries = new PassThrough({ url, database, policy, user, password, bounds });
    this.#metrics = metrics;
  }

  start(): void {
    this.#stopListening = this.#options.onTagsChanged?.((changed) => {
      this.#thread.call("forgetTags", changed).catch(() => undefined); // a lost thread, the next write tells of
    });
    this.#timer = setInterval(() => void this.#askHealth(), troubleInterval);
    void this.#askHealth();
  }

  position(journal: string): Promise<number> {
    return this.#call(() => this.#thread.call("position", journal));
  }

  async write(batch: StoreBatch): Promise<StoreOutcome> {
    const begun = performance.now();
    const outcome = await this.#call(() =>
      this.#writes.run(async () => {
        const needed = await this.#thread.call("prepare", batch, batch.blocks);
        return await this.#thread.call("write", this.#supply(needed));
      }),
    );
    this.#metrics?.wrote((performance.now() - begun) / 1_000, outcome);
    return outcome;
  }

  refusals(journal: string): Promise<StoreRefusal[]> {
    return this.#call(() => this.#thread.call("refusals", journal));
  }

  forgetRefusals(journal: string, before: number): Promise<void> {
    return this.#call(() => this.#thread.call("forgetRefusals", { journal, before }));
  }

  series(): Promise<SeriesTable> {
    return this.#call(async () => SeriesTable.of(await this.#thread.call("series", undefined)));
  }

  tallies(): Promise<GatewayTally[]> {
    return this.#call(() => this.#thread.call("tallies", undefined));
  }

  read(query: ReadingQuery): Promise<ReadingRows> {
    return this.#call(async () => {
      let supplied: SensorTags[] = [];
      for (;;) {
        const answer = await this.#thread.call("read", { query, supplied });
        if (!Array.isArray(answer)) return answer;
        supplied = this.#supply(answer);
      }
    });
  }

  count(): Promise<number> {
    return this.#call(() => this.#thread.call("count", undefined));
  }

  async query(request: QueryRequest): Promise<QueryAnswer> {
    if (this.#closing !== undefined) throw new MarsadError("STORE_UNAVAILABLE", "the store is closed");
    return await this.#queries.query(request);
  }

  writeResults(batches: readonly ResultBatch[]): Promise<void> {
    return this.#call(async () => {
      for (const batch of batches) {
        // One after the other, so that readings have their turn between them.
        await this.#writes.run(async () => {
          const write = (supplied: SensorTags[]) => this.#thread.call("writeResults", { batch, supplied });
          const needed = await write([]);
          if (needed.length > 0) await write(this.#supply(needed));
        });
      }
    });
  }

  async *rows(query: RowsQuery): AsyncGenerator<RowPiece> {
    const id = await this.#call(() => this.#thread.call("openRows", query));
    try {
      let supplied: SensorTags[] = [];
      for (;;) {
        const asked = { id, supplied };
        const next = await this.#call(() => this.#thread.call("nextRows", asked));
        if (next === undefined) return;
        supplied = Array.isArray(next) ? this.#supply(next) : [];
        if (!Array.isArray(next)) yield next;
      }
    } finally {
      await this.#thread.call("closeRows", id).catch(() => undefined); // lost, or closed: so are its rows
    }
  }

  dirty(): Promise<DirtyHour[]> {
    return this.#call(() => this.#thread.call("dirty", undefined));
  }

  clean(hours: readonly DirtyHour[]): Promise<void> {
    return this.#call(() => this.#thread.call("clean", hours));
  }

  expire(policy: Policy, before: number): Promise<string[]> {
    return this.#call(() => this.#thread.call("expire", { policy, before }));
  }

  trouble(): string | undefined {
    return this.#trouble;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    clearInterval(this.#timer);
    this.#stopListening?.();
    this.#queries[Symbol.dispose]();
    const patience = new AbortController();
    const idle = this.#writes.run(async () => {});
    await Promise.race([
      idle,
      sleep(closingGrace, undefined, { signal: patience.signal }).catch(() => undefined),
    ]);
    patience.abort();
    await this.#thread.call("abort", undefined).catch(() => undefined); // lost already
    await idle;
    await this.#thread[Symbol.asyncDispose]();
  }

  #supply(sensors: readonly SensorRef[]): SensorTags[] {
    const { tagsOf } = this.#options;
    return sensors.map(({ agency, sensor }) => ({
      agency,
      sensor,
      versions: tagsOf?.(agency, sensor) ?? [],
    }));
  }

  async #askHealth(): Promise<void> {
    try {
      const { trouble, advice } = await this.#thread.call("health", undefined);
      this.#trouble = trouble;
      if (advice !== undefined && advice !== this.#advice)
        this.#options.log.warn({ advice }, "InfluxDB does not let us make database or retention.");
      this.#advice = advice;
    } catch (error) {
      this.#trouble = explained(error).message;
    }
  }

  async #call<T>(method: () => Promise<T>): Promise<T> {
    if (this.#closing !== undefined) throw new MarsadError("STORE_UNAVAILABLE", "the store is closed");
    try {
      return await method();
    } catch (error) {
      const failure = explained(error);
      this.#metrics?.failed(failure instanceof MarsadError ? failure.code : "OTHER");
      throw failure;
    }
  }
}

function explained(error: unknown): Error {
  if (!hasCode(error, "THREAD_LOST")) return error as Error;
  return new MarsadError("STORE_UNAVAILABLE", "the store's thread is lost; restart the program", {
    cause: error,
  });
}
