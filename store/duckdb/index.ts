import { existsSync } from "node:fs";
import { mkdir, realpath } from "node:fs/promises";
import { join } from "node:path";
import type { Registry } from "prom-client";
import { MarsadError, hasCode } from "#runtime/errors.ts";
import type { Log } from "#runtime/log.ts";
import { type WorkerClient, openWorker } from "#runtime/worker.ts";
import { SeriesTable } from "#telemetry/series-table.ts";
import { QueryMetrics, StoreMetrics } from "../metrics.ts";
import type {
  GatewayTally,
  ReadingQuery,
  ReadingRows,
  Store,
  StoreBatch,
  StoreHold,
  StoreOutcome,
  StoreRefusal,
} from "../port.ts";
import type { Policy } from "../query.ts";
import type { DirtyHour, ResultBatch, RowPiece, RowsQuery } from "../results.ts";
import type { SeriesRange } from "./job-rows.ts";
import type { QueryAnswer, QueryRequest } from "../query.ts";
import type { SensorRef, TagsOf } from "../tags.ts";
import { DayRewriter, type RewriterOptions } from "./day-rewriter.ts";
import type { EngineOptions } from "./engine.ts";
import { storeError } from "./errors.ts";
import { QueryAsker } from "./query/asker.ts";
import type { QueryOptions } from "./query/queries.ts";
import { answerTags } from "./query/tag-channel.ts";
import { WriteLoad } from "./write-load.ts";
import type { StoreThread } from "./worker.ts";

export interface DuckDbStoreOptions {
  /** The store's folder; made if missing. */
  readonly path: string;
  readonly log: Log;
  readonly metrics?: Registry;
  /** What DuckDB may use for queries and its cache, as it writes it: `1GB`. */
  readonly memoryLimit?: string;
  /** Of DuckDB. More than 1 makes large queries faster, and each write cost a quarter more. */
  readonly threads?: number;
  /** The registry's answer; without, readings have the tags agency and sensor alone. */
  readonly tagsOf?: TagsOf;
  /** Calls back after changes of the registry. @returns how to stop that. */
  readonly onTagsChanged?: (listener: (changed: readonly SensorRef[]) => void) => () => void;
  /** What queries may cost. */
  readonly queries?: Partial<QueryOptions>;
  /** Rewrites closed days in series order, now and then; without it they stay in order of arrival. */
  readonly closedDays?: RewriterOptions;
}

/** In the store's folder; DuckDB's write-ahead log is `.wal` beside it. */
export const fileName = "marsad.duckdb";

/** A checkpoint is due when the `.wal` has grown so far: a start after `kill -9` reads all of it again. */
const checkpoint_wal_bytes = 64 * 1024 * 1024;
/** … or after so many writes, since many small ones take long to read again too. */
const checkpointWrites = 2000;
/** After one that failed: on a full disk each costs reopening the database. */
const checkpointRetry_ms = 30_000;

/** Of the time writes took more than this: the store is behind, and does nothing beside them that can wait. */
const behindShare = 0.5;

/** Folders open in this process: DuckDB's own lock keeps out other processes only. */
const openFolders = new Set<string>();

/**
 * Opens the embedded store, `PATH/marsad.duckdb`, in a thread of its own.
 * @throws MarsadError STORE_LOCKED, STORE_FORMAT, STORE_FULL, STORE_UNAVAILABLE
 */
export async function openDuckDbStore(options: DuckDbStoreOptions): Promise<Store> {
  const folder = await makeFolder(options.path);
  if (existsSync(join(folder, "influxdb"))) {
    throw new MarsadError(
      "STORE_FORMAT",
      `${folder} belongs to a store in InfluxDB: say --store influxdb, or give another --data folder`,
    );
  }
  if (openFolders.has(folder))
    throw new MarsadError("STORE_LOCKED", `${folder} is already open in this process`);
  openFolders.add(folder);
  const { log, metrics, memoryLimit = "512MB", threads = 1, closedDays } = options;
  const engine: EngineOptions = {
    path: join(folder, fileName),
    memoryLimit,
    threads,
    rewrite: closedDays?.limits,
    closedDays: closedDays?.rules,
    queries: options.queries,
  };
  try {
    const counted = metrics && new StoreMetrics(metrics);
    const thread = await openWorker<StoreThread>(new URL("worker.ts", import.meta.url), engine);
    const queryMetrics = metrics && new QueryMetrics(metrics);
    const store = new DuckDbStore({ folder, thread, log, metrics: counted, queryMetrics });
    await store.answerTags(options);
    if (closedDays !== undefined) store.rewriteClosedDays(closedDays, metrics);
    return store;
  } catch (error) {
    openFolders.delete(folder);
    throw error;
  }
}

async function makeFolder(path: string): Promise<string> {
  try {
    await mkdir(path, { recursive: true });
    return await realpath(path);
  } catch (error) {
    throw storeError(error, path);
  }
}

class DuckDbStore implements Store {
  readonly kind = "duckdb";
  /**
   * Every table that a write touches costs 0.4-0.6 ms however few rows it gets, and a city's history touches a dozen. Into one table 100,000
   * rows cost 0.26 CPU-seconds per million, 20,000 cost 0.35.
   */
  readonly batchesAtOnce = 5;
  readonly #folder: string;
  readonly #thread: WorkerClient<StoreThread>;
  readonly #log: Log;
  readonly #metrics: StoreMetrics | undefined;
  readonly #load = new WriteLoad();
  readonly #asker: QueryAsker;
  #stopListening: (() => void) | undefined;
  #rewriter: DayRewriter | undefined;
  #closing: Promise<void> | undefined;
  #writesSinceCheckpoint = 0;
  #checkpointing: Promise<void> | undefined;
  #noCheckpointBefore_ms = 0;

  constructor(parts: {
    folder: string;
    thread: WorkerClient<StoreThread>;
    log: Log;
    metrics: StoreMetrics | undefined;
    queryMetrics: QueryMetrics | undefined;
  }) {
    this.#folder = parts.folder;
    this.#thread = parts.thread;
    this.#log = parts.log;
    this.#metrics = parts.metrics;
    this.#asker = new QueryAsker(parts.thread, parts.queryMetrics);
  }

  /** What readings' tags are, for queries. */
  async answerTags({
    tagsOf,
    onTagsChanged,
  }: Pick<DuckDbStoreOptions, "tagsOf" | "onTagsChanged">): Promise<void> {
    if (tagsOf !== undefined) {
      const port = answerTags(tagsOf);
      await this.#thread.call("answerTags", port, [port]);
    }
    this.#stopListening = onTagsChanged?.((changed) => {
      this.#thread.call("forgetTags", changed).catch(() => undefined); // a lost thread, the next call tells of
    });
  }

  position(journal: string): Promise<number> {
    return this.#call(() => this.#thread.call("position", journal));
  }

  async write(batch: StoreBatch): Promise<StoreOutcome> {
    const begun = performance.now();
    using _counted = this.#load.begin();
    const { wal_bytes, ...outcome } = await this.#call(() => this.#thread.call("write", batch, batch.blocks));
    this.#metrics?.wrote((performance.now() - begun) / 1000, outcome);
    this.#wrote({ wal_bytes });
    return outcome;
  }

  refusals(journal: string): Promise<StoreRefusal[]> {
    return this.#call(() => this.#thread.call("refusals", journal));
  }

  forgetRefusals(journal: string, before: number): Promise<void> {
    return this.#call(() => this.#thread.call("forgetRefusals", { journal, before }));
  }

  series(): Promise<SeriesTable> {
    return this.#call(async () => new SeriesTable(await this.#thread.call("series", undefined)));
  }

  tallies(): Promise<GatewayTally[]> {
    return this.#call(() => this.#thread.call("tallies", undefined));
  }

  read(query: ReadingQuery): Promise<ReadingRows> {
    return this.#call(() => this.#thread.call("read", query));
  }

  count(): Promise<number> {
    return this.#call(() => this.#thread.call("count", undefined));
  }

  query(request: QueryRequest): Promise<QueryAnswer> {
    return this.#call(() => this.#asker.query(request));
  }

  async writeResults(batches: readonly ResultBatch[]): Promise<void> {
    using _counted = this.#load.begin();
    this.#wrote(await this.#call(() => this.#thread.call("writeResults", batches)));
  }

  async *rows(query: RowsQuery): AsyncGenerator<RowPiece> {
    const ranges = await this.#call(() => this.#thread.call("planRows", query));
    for (const planned of ranges) {
      let range: SeriesRange | undefined = planned;
      while (range !== undefined) {
        const asked: { query: RowsQuery; range: SeriesRange } = { query, range };
        const { piece, rest } = await this.#call(() => this.#thread.call("readPiece", asked));
        if (piece.time.length > 0) yield piece;
        range = rest;
      }
    }
  }

  dirty(): Promise<DirtyHour[]> {
    return this.#call(() => this.#thread.call("dirty", undefined));
  }

  clean(hours: readonly DirtyHour[]): Promise<void> {
    return this.#call(() => this.#thread.call("clean", hours));
  }

  async expire(policy: Policy, before: number): Promise<string[]> {
    const words = await this.#call(() => this.#thread.call("expire", { policy, before }));
    if (words.length > 0) this.#checkpoint(); // which gives the room back
    return words;
  }

  trouble(): string | undefined {
    return undefined; // a file that opened; what a write meets, the write says
  }

  async hold(): Promise<StoreHold> {
    const { file_bytes, wal_bytes, rows } = await this.#call(() => this.#thread.call("hold", undefined));
    return {
      files: [
        { name: fileName, bytes: file_bytes },
        { name: `${fileName}.wal`, bytes: wal_bytes },
      ],
      rows,
      release: () => this.#call(() => this.#thread.call("letGo", undefined)),
    };
  }

  rewriteClosedDays(options: RewriterOptions, metrics: Registry | undefined): void {
    this.#rewriter = new DayRewriter({
      ...options,
      engine: {
        closedDays: (now) => this.#thread.call("closedDays", now),
        rewriteStep: (table) => this.#thread.call("rewriteStep", table),
        abandonRewrite: () => this.#thread.call("abandonRewrite", undefined),
      },
      isBehind: () => this.#load.share() > behindShare,
      onRewritten: () => this.#checkpoint(),
      log: this.#log,
      metrics,
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    try {
      this.#stopListening?.();
      await this.#rewriter?.[Symbol.asyncDispose]();
      await this.#checkpointing;
      await this.#thread
        .call("closeQueries", undefined)
        .then(() => this.#thread.call("checkpoint", undefined))
        .catch((error: unknown) =>
          this.#log.warn({ err: error }, "The store is closed without a checkpoint."),
        );
      await this.#thread[Symbol.asyncDispose]();
    } finally {
      openFolders.delete(this.#folder);
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

  #wrote({ wal_bytes }: { wal_bytes: number }): void {
    this.#writesSinceCheckpoint += 1;
    if (wal_bytes >= checkpoint_wal_bytes || this.#writesSinceCheckpoint >= checkpointWrites)
      this.#checkpoint();
  }

  #checkpoint(): void {
    if (this.#checkpointing !== undefined || performance.now() < this.#noCheckpointBefore_ms) return;
    this.#writesSinceCheckpoint = 0;
    this.#checkpointing = this.#askForCheckpoint()
      .catch((error: unknown) => {
        this.#noCheckpointBefore_ms = performance.now() + checkpointRetry_ms;
        this.#log.warn({ err: error, retry_ms: checkpointRetry_ms }, "A checkpoint of the store failed.");
      })
      .finally(() => (this.#checkpointing = undefined));
  }

  async #askForCheckpoint(): Promise<void> {
    const isDone = await this.#call(() => this.#thread.call("checkpoint", undefined));
    // Else it is asked for again with the next write.
    if (!isDone) this.#writesSinceCheckpoint = checkpointWrites;
  }
}

/** A lost thread is not begun again: nobody knows whether its DuckDB has let go of the file. */
function explained(error: unknown): unknown {
  if (!hasCode(error, "THREAD_LOST")) return error;
  return new MarsadError("STORE_UNAVAILABLE", "the store's thread is lost; restart the program", {
    cause: error,
  });
}
