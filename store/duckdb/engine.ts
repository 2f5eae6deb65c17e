import { stat } from "node:fs/promises";
import type { SeriesContent } from "#telemetry/series-table.ts";
import type {
  GatewayTally,
  ReadingQuery,
  ReadingRows,
  StoreBatch,
  StoreOutcome,
  StoreRefusal,
} from "../port.ts";
import type { Policy } from "../query.ts";
import type { DirtyHour, ResultBatch, RowsQuery } from "../results.ts";
import { checkpoint } from "./checkpoint.ts";
import { type ClosedDayRules, ClosedDays, closedDayRules } from "./closed-days.ts";
import type { DatabaseOptions } from "./database.ts";
import { isFatal, storeError } from "./errors.ts";
import { readDirty } from "./dirty.ts";
import { dropTables, expired, inWords } from "./expire.ts";
import {
  type OpenedQuery,
  type PortableRequest,
  Queries,
  type QueryOptions,
  type QueryPiece,
  queryOptions,
} from "./query/queries.ts";
import { type AskTags, ReadingTags } from "./query/reading-tags.ts";
import { SessionTables } from "./query/session-tables.ts";
import { type SeriesRange, planRows, readPiece } from "./job-rows.ts";
import { idOf } from "./partition.ts";
import type { Partitions } from "./partitions.ts";
import { countRows, readRows } from "./read-rows.ts";
import { type RewriteLimits, rewriteLimits } from "./rewrite.ts";
import { type RewriteStep, Rewriting } from "./rewriting.ts";
import { deleteRefusals, readRefusals, readTallies } from "./schema.ts";
import { Gate } from "../gate.ts";
import { Serial } from "../serial.ts";
import type { SensorRef } from "../tags.ts";
import { type Session, allPartitions, openSession } from "./session.ts";
import { UncertainCommit } from "./transaction.ts";
import { writeBatch } from "./write-batch.ts";
import { groupsOf, writeResults } from "./write-results.ts";

export interface EngineOptions extends DatabaseOptions {
  readonly rewrite?: Partial<RewriteLimits> | undefined;
  readonly closedDays?: Partial<ClosedDayRules> | undefined;
  readonly queries?: Partial<QueryOptions> | undefined;
}

/** Beyond this, a checkpoint does not wait for a moment without queries: after `kill -9` all of it is read again. */
const urgentWal_bytes = 256 * 1024 * 1024;

/** A roll-up's tables, or those of readings: other results have no numbers that a job could know. */
function tablesFor({ partitions, results }: Session, { policy }: RowsQuery): Partitions {
  return policy === "autogen" ? partitions : results.tables(policy);
}

/** The outcome of a write, and how much the next checkpoint has to do. */
export interface EngineOutcome extends StoreOutcome {
  readonly wal_bytes: number;
}

/** The files of a store that is held. */
export interface HeldFiles {
  readonly file_bytes: number;
  readonly wal_bytes: number;
  readonly rows: number;
}

/** A session in use: closed by its last user once it is broken. */
interface Open {
  readonly session: Session;
  users: number;
  readonly closed: PromiseWithResolvers<void>;
}

/**
 * The store itself, in whatever thread it is made. One writes and one reads at a time, side by side. After a FATAL
 * error of DuckDB the database is closed, and opened again by the next call; all errors are `MarsadError`s.
 */
export class DuckDbEngine {
  readonly #options: DatabaseOptions;
  readonly #writes = new Serial();
  readonly #reads = new Serial();
  readonly #jobs = new Serial();
  /** Shared by all that read: tables are put in each other's place, or dropped, while nobody does. */
  readonly #gate = new Gate();
  /** Shared by queries, each as long as its snapshot lasts, which may be long. */
  readonly #snapshots = new Gate();
  /**
   * Steps of a rewrite, and what must not happen beside one. Who waits in here may go on to wait in the other two, as a user of its session:
   * until that breaks, since those before it there may be waiting for its last user.
   */
  readonly #steps = new Serial();
  readonly #closedDays: ClosedDays;
  readonly #rewriting: Rewriting;
  readonly #queries: Queries;
  /** What queries are doing. */
  readonly #querying = new Set<Promise<unknown>>();
  readonly #tables = new WeakMap<
    Session,
    { readonly tables: SessionTables; readonly readingTags: ReadingTags }
  >();
  /** Without a registry, readings have the tags agency and sensor alone. */
  #askTags: AskTags = (sensors) => Promise.resolve(sensors.map(() => []));
  #open: Open | undefined;
  #opening: Promise<Open> | undefined;
  /** Whose files are being copied. */
  #held: Session | undefined;

  constructor(options: EngineOptions) {
    this.#options = options;
    this.#closedDays = new ClosedDays({ ...closedDayRules, ...options.closedDays });
    this.#rewriting = new Rewriting({
      path: options.path,
      limits: { ...rewriteLimits, ...options.rewrite },
      writes: this.#writes,
      reads: this.#gate,
    });
    const place = {
      use: <T>(work: (session: Session) => Promise<T>): Promise<T> => this.#useForQuery(work),
      tables: (session: Session) => this.#tablesIn(session),
      now: Date.now,
    };
    this.#queries = new Queries(place, { ...queryOptions, ...options.queries });
  }

  /** Opens the file, which the first call would do otherwise. */
  open(): Promise<void> {
    return this.#use(this.#writes, async () => {});
  }

  position(journal: string): Promise<number> {
    return this.#use(this.#writes, async ({ positions }) => positions.get(journal) ?? 0);
  }

  write(batch: StoreBatch): Promise<EngineOutcome> {
    return this.#use(this.#writes, async (session) => {
      const outcome = await writeBatch(session, batch);
      return { ...outcome, wal_bytes: await this.#walBytes() };
    });
  }

  /** @returns how much the next checkpoint has to do. */
  async writeResults(batches: readonly ResultBatch[]): Promise<Pick<EngineOutcome, "wal_bytes">> {
    // One after the other, so that readings have their turn between them.
    for (const group of groupsOf(batches))
      await this.#use(this.#writes, (session) => writeResults(session, group));
    return { wal_bytes: await this.#walBytes() };
  }

  dirty(): Promise<DirtyHour[]> {
    return this.#use(this.#jobs, async ({ database, dirty, broken }) => {
      const mark = await this.#writes.run(async () => dirty.begin(), broken.signal);
      return await readDirty(database.jobs, mark);
    });
  }

  clean(hours: readonly DirtyHour[]): Promise<void> {
    return this.#use(this.#writes, ({ database, dirty }) => dirty.clean(database.writer, hours));
  }

  planRows(query: RowsQuery): Promise<SeriesRange[]> {
    return this.#use(this.#jobs, (session) =>
      this.#gate.share(() => planRows(session.database.jobs, tablesFor(session, query), query)),
    );
  }

  readPiece(query: RowsQuery, range: SeriesRange): ReturnType<typeof readPiece> {
    return this.#use(this.#jobs, (session) =>
      this.#gate.share(() => readPiece(session.database.jobs, tablesFor(session, query), query, range)),
    );
  }

  /** @returns what went, in words. */
  expire(policy: Policy, before: number): Promise<string[]> {
    return this.#use(this.#steps, async (session) => {
      const tables = expired(session, policy, before);
      if (tables.length === 0) return [];
      const { rewrite, broken } = session;
      if (rewrite !== undefined && tables.some((table) => idOf(table) === idOf(rewrite.partition)))
        await this.#rewriting.abandon(session);
      const drop = (): Promise<void> => dropTables(session, tables);
      await this.#gate.alone(() => this.#writes.run(drop, broken.signal), broken.signal);
      return inWords(tables);
    });
  }

  refusals(journal: string): Promise<StoreRefusal[]> {
    return this.#read(({ database }) => readRefusals(database.reader, journal));
  }

  forgetRefusals(journal: string, before: number): Promise<void> {
    return this.#use(this.#writes, ({ database }) => deleteRefusals(database.writer, journal, before));
  }

  series(): Promise<SeriesContent> {
    return this.#use(this.#writes, async ({ dictionary }) => dictionary.copy());
  }

  tallies(): Promise<GatewayTally[]> {
    return this.#read(({ database }) => readTallies(database.reader));
  }

  read(query: ReadingQuery): Promise<ReadingRows> {
    return this.#read(({ database, partitions }) => readRows(database.reader, partitions, query));
  }

  count(): Promise<number> {
    return this.#read(({ database, partitions }) => countRows(database.reader, partitions));
  }

  /** @param ask  the registry's answer */
  answerTagsWith(ask: AskTags): void {
    this.#askTags = ask;
  }

  /** The registry has changed its mind about these. */
  forgetTags(sensors: readonly SensorRef[]): void {
    if (this.#open !== undefined) this.#tables.get(this.#open.session)?.readingTags.forget(sensors);
  }

  openQuery(request: PortableRequest): Promise<OpenedQuery> {
    return this.#queries.open(request);
  }

  nextPiece(query: number): Promise<QueryPiece> {
    return this.#queries.next(query);
  }

  closeQuery(query: number): void {
    this.#queries.close(query);
  }

  /** Ends the queries under way. */
  async closeQueries(): Promise<void> {
    this.#queries.closeAll();
    await Promise.allSettled(this.#querying);
  }

  /**
   * Moves what is in the `.wal` into the file. DuckDB refuses that as long as anybody reads from a snapshot older than the last change: it is put off while queries
   * run, until it is urgent, and then the next ones wait for it. While the files are held it does nothing.
   * @returns whether it took place, or need not
   */
  checkpoint(): Promise<boolean> {
    return this.#use(this.#steps, async ({ database, broken: { signal } }) => {
      if (this.#snapshots.isShared && (await this.#walBytes()) < urgentWal_bytes) return false;
      const work = async (): Promise<void> => {
        if (this.#held === undefined) await checkpoint(database.writer);
      };
      const write = (): Promise<void> => this.#writes.run(work, signal);
      await this.#gate.alone(() => this.#snapshots.alone(write, signal), signal);
      return true;
    });
  }

  /** Tables that are to be rewritten in series order now, the first first. @param now  ms since 1970 */
  closedDays(now: number): Promise<string[]> {
    return this.#read(async (session) =>
      this.#closedDays.due(allPartitions(session), session.sorted, now).map(idOf),
    );
  }

  /** Rewrites the table a step further. While the files are held it does nothing, so that they stay as they are. */
  rewriteStep(table: string): Promise<RewriteStep> {
    return this.#use(this.#steps, async (session) =>
      this.#held === undefined ? await this.#rewriting.step(session, table) : { state: "held", rows: 0 },
    );
  }

  /** Gives up the rewrite under way, in the middle of a step if need be. */
  async abandonRewrite(): Promise<void> {
    if (this.#open === undefined) return; // whoever opens it again drops what is left
    this.#open.session.database.builder.interrupt();
    await this.#use(this.#steps, (session) => this.#rewriting.abandon(session));
  }

  /**
   * Between two checkpoints DuckDB changes no block that it uses and only appends to the `.wal`: with checkpoints held off, the file
   * and the first `wal_bytes` of the `.wal` are the store as it is now, whatever is written meanwhile.
   */
  hold(): Promise<HeldFiles> {
    return this.#use(this.#steps, (session) =>
      this.#writes.run(async () => {
        const [file, wal] = await Promise.all([
          stat(this.#options.path),
          stat(`${this.#options.path}.wal`).catch(() => undefined),
        ]);
        const rows = await countRows(session.database.writer, session.partitions);
        this.#held = session; // last: a hold that fails holds nothing
        return { file_bytes: file.size, wal_bytes: wal?.size ?? 0, rows };
      }, session.broken.signal),
    );
  }

  /** @returns whether the file stayed open all the while: a reopening after an error may have begun with a checkpoint. */
  async letGo(): Promise<boolean> {
    const held = this.#held;
    this.#held = undefined;
    return held !== undefined && this.#open?.session === held && !held.broken.signal.aborted;
  }

  /** Closes the file; a call after this opens it again. What is in the `.wal` stays there. */
  async close(): Promise<void> {
    await this.closeQueries();
    await this.#steps.run(() =>
      Promise.all([this.#writes, this.#reads, this.#jobs].map((queue) => queue.run(async () => {}))),
    );
    this.#open?.session.database.close();
    this.#open = undefined;
  }

  #read<T>(work: (session: Session) => Promise<T>): Promise<T> {
    return this.#use(this.#reads, (session) => this.#gate.share(() => work(session)));
  }

  async #walBytes(): Promise<number> {
    const wal = await stat(`${this.#options.path}.wal`).catch(() => undefined);
    return wal?.size ?? 0;
  }

  #useForQuery<T>(work: (session: Session) => Promise<T>): Promise<T> {
    const using = this.#use({ run: (use) => this.#snapshots.share(use) }, work);
    const done = using.catch(() => undefined).finally(() => this.#querying.delete(done));
    this.#querying.add(done);
    return using;
  }

  /** What queries know of a session, the same for all of them. */
  #tablesIn(session: Session): SessionTables {
    let known = this.#tables.get(session);
    if (known === undefined) {
      const readingTags = new ReadingTags(session.dictionary, (sensors) => this.#askTags(sensors));
      known = { tables: new SessionTables(session, readingTags), readingTags };
      this.#tables.set(session, known);
    }
    return known.tables;
  }

  #use<T>(queue: Pick<Serial, "run">, work: (session: Session) => Promise<T>): Promise<T> {
    return queue.run(async () => {
      try {
        const open = await this.#usable();
        open.users += 1;
        try {
          return await work(open.session);
        } catch (error) {
          if (isFatal(error) || error instanceof UncertainCommit) open.session.broken.abort(error);
          throw error;
        } finally {
          open.users -= 1;
          if (open.session.broken.signal.aborted && open.users === 0) this.#abandon(open);
        }
      } catch (error) {
        throw storeError(error, this.#options.path);
      }
    });
  }

  async #usable(): Promise<Open> {
    while (this.#open?.session.broken.signal.aborted) await this.#open.closed.promise;
    if (this.#open !== undefined) return this.#open;
    this.#opening ??= openSession(this.#options)
      .then((session) => (this.#open = { session, users: 0, closed: Promise.withResolvers() }))
      .finally(() => (this.#opening = undefined));
    return this.#opening;
  }

  #abandon(open: Open): void {
    this.#open = undefined;
    try {
      open.session.database.close();
    } finally {
      open.closed.resolve();
    }
  }
}
