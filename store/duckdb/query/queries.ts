import { availableParallelism } from "node:os";
import type { DuckDBConnection } from "@duckdb/node-api";
import { MarsadError } from "#runtime/errors.ts";
import { InfluxqlError } from "../../influxql/errors.ts";
import { answerRequest, pieceBytes } from "../../influxql/request.ts";
import type { StatementResult } from "../../influxql/result.ts";
import type { Statement } from "../../influxql/ast.ts";
import { type QueryBounds, type QueryRequest, queryBounds } from "../../query.ts";
import { Slots } from "../../slots.ts";
import type { Session } from "../session.ts";
import { runStatement } from "./run-statement.ts";
import type { TableSource } from "./tables.ts";

export interface QueryOptions extends QueryBounds {
  /** Statements at the same time, each on a connection of its own; one that reads many rows takes those that are free beside its own. */
  readonly connections: number;
  /** Statements that may wait for one. */
  readonly waiting: number;
}

export const queryOptions: QueryOptions = {
  connections: Math.min(4, Math.max(2, availableParallelism())),
  waiting: 32,
  ...queryBounds,
};

/** A request as it crosses threads; whoever asks gives it a number of its own. */
export interface PortableRequest extends Omit<QueryRequest, "signal"> {
  readonly query: number;
}

export interface OpenedQuery {
  readonly status: number;
  readonly contentType: string;
  readonly first: QueryPiece;
}

/** Limits that ended a statement, by name. */
export type QueryLimit = "time" | "rows" | "values" | "memory";

export interface QueryPiece {
  /** Undefined: there is no more. */
  readonly bytes: Uint8Array<ArrayBuffer> | undefined;
  /** No other comes after it. */
  readonly isLast: boolean;
  /** Met since the piece before. */
  readonly limits: readonly QueryLimit[];
}

interface OpenQuery {
  readonly ending: AbortController;
  readonly body: AsyncIterator<Uint8Array>;
  readonly met: QueryLimit[];
  /** Milliseconds that its statements may still take. */
  left_ms: number;
  rows: number;
  /** Values of the statement's answer that is being read, until the next one's. */
  held: number;
  readonly begun_ms: number;
  lastAsked_ms: number;
}

/** What they run on. */
export interface QueryPlace {
  /** Uses the session: it stays open meanwhile. @throws MarsadError */
  use<T>(work: (session: Session) => Promise<T>): Promise<T>;
  tables(session: Session): TableSource;
  now(): number;
}

/** Answers that are read at the same time: each holds what its statement came to. */
const mostOpen = 128;
/** … and all of them together so many times the values that a statement may. */
const mostHeld = 4;
/** An answer that nobody has asked for a piece of for so long is given up. */
const forgotten_ms = 120_000;
/** Reading an answer for longer is slow. */
const slow_ms = 60_000;
/** An interrupt between two of DuckDB's statements is lost: it is said again and again. */
const interruptInterval_ms = 50;

/** Requests under way. What they answer is computed when it is asked for, piece by piece. */
export class Queries {
  readonly #place: QueryPlace;
  readonly #options: QueryOptions;
  readonly #slots: Slots;
  readonly #open = new Map<number, OpenQuery>();

  constructor(place: QueryPlace, options: QueryOptions) {
    this.#place = place;
    this.#options = options;
    this.#slots = new Slots({
      most: options.connections,
      mostWaiting: options.waiting,
      words: "too many queries at the same time; ask again in a moment",
    });
  }

  /** With its first piece. @throws MarsadError REFUSED */
  async open(request: PortableRequest): Promise<OpenedQuery> {
    this.#forget();
    if (this.#open.size >= mostOpen)
      throw new MarsadError("REFUSED", "too many answers are being read; ask again in a moment");
    const { query } = request;
    const bounds = this.#boundsOf(request);
    const state: Omit<OpenQuery, "body"> = {
      ending: new AbortController(),
      met: [],
      left_ms: bounds.time_ms,
      rows: 0,
      held: 0,
      begun_ms: performance.now(),
      lastAsked_ms: performance.now(),
    };
    const { status, contentType, body } = answerRequest(request, (statement) =>
      this.#run(statement, request, bounds, state),
    );
    this.#open.set(query, Object.assign(state, { body: body[Symbol.asyncIterator]() }));
    return { status, contentType, first: await this.next(query) };
  }

  async next(query: number): Promise<QueryPiece> {
    const open = this.#open.get(query);
    if (open === undefined) throw new MarsadError("REFUSED", "the query has ended");
    open.lastAsked_ms = Number.POSITIVE_INFINITY;
    try {
      const { value, done = false } = await open.body.next();
      const bytes = done ? undefined : (value as Uint8Array<ArrayBuffer>);
      // Below a piece's size it is the last: to be asked for the end, too, would cost as much as a small answer.
      const isLast = bytes === undefined || bytes.length < pieceBytes;
      open.ending.signal.throwIfAborted();
      if (isLast) this.#open.delete(query);
      return { bytes, isLast, limits: open.met.splice(0) };
    } catch (error) {
      this.#open.delete(query);
      throw error;
    } finally {
      open.lastAsked_ms = performance.now();
    }
  }

  /** Ends it, and what it costs. */
  close(query: number): void {
    const open = this.#open.get(query);
    this.#open.delete(query);
    open?.ending.abort(new MarsadError("REFUSED", "the query was given up"));
  }

  closeAll(): void {
    for (const query of this.#open.keys()) this.close(query);
  }

  #forget(): void {
    const before = performance.now() - forgotten_ms;
    for (const [query, { lastAsked_ms }] of this.#open) if (lastAsked_ms < before) this.close(query);
  }

  /** Who reads a large answer slowly gives way when others ask, the first of them first. */
  #expectRoom(): void {
    const most = mostHeld * this.#options.values;
    let held = 0;
    for (const each of this.#open.values()) held += each.held;
    const before = performance.now() - slow_ms;
    for (const [query, each] of this.#open) {
      if (held <= most) return;
      if (each.held === 0 || each.begun_ms > before) continue;
      held -= each.held;
      this.close(query);
    }
    if (held > most)
      throw new MarsadError("REFUSED", "too many large answers are being read; ask again in a moment");
  }

  #boundsOf({ limits = {} }: PortableRequest): QueryBounds {
    const { time_ms, rows, values } = this.#options;
    return {
      time_ms: Math.min(time_ms, limits.time_ms ?? time_ms),
      rows: Math.min(rows, limits.rows ?? rows),
      values: Math.min(values, limits.values ?? values),
    };
  }

  async #run(
    statement: Statement,
    request: PortableRequest,
    bounds: QueryBounds,
    open: Omit<OpenQuery, "body">,
  ): Promise<StatementResult> {
    open.held = 0;
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(tooLate(bounds)), open.left_ms);
    const begun = performance.now();
    const signal = AbortSignal.any([open.ending.signal, late.signal]);
    try {
      const work = (): Promise<StatementResult> => this.#runOnce(statement, request, bounds, signal);
      // A table that was dropped just before its snapshot began is no longer known the second time.
      const result = await work().catch((error: unknown) =>
        isOfMissingTable(error) ? work() : Promise.reject(error),
      );
      open.rows += result.series.reduce((sum, { rows }) => sum + rows, 0);
      open.held = valuesOf(result);
      if (open.rows <= bounds.rows) return result;
      throw new LimitMet(
        "rows",
        `the answer has more than ${bounds.rows} rows (limit query_max_rows): ask for a shorter time, group by longer windows, or say LIMIT`,
      );
    } catch (error) {
      const met = limitOf(error);
      if (met !== undefined) open.met.push(met);
      throw error;
    } finally {
      clearTimeout(timer);
      open.left_ms = Math.max(1, open.left_ms - (performance.now() - begun));
    }
  }

  async #runOnce(
    statement: Statement,
    { rp }: PortableRequest,
    { values }: QueryBounds,
    signal: AbortSignal,
  ): Promise<StatementResult> {
    const outcome = await this.#slots.run(
      () =>
        this.#place.use(async (session) => {
          this.#expectRoom();
          const work = (connection: DuckDBConnection): Promise<StatementResult> =>
            interruptible(connection, signal, () =>
              runStatement(statement, {
                connection,
                tables: this.#place.tables(session),
                now: this.#place.now(),
                limits: { values, windows: values },
                policy: rp,
                signal,
                help: (part) =>
                  this.#slots.tryRun(() =>
                    session.database.lend((beside) => interruptible(beside, signal, () => part(beside))),
                  ),
              }),
            );
          try {
            return await session.database.lend(work);
          } catch (error) {
            // What is the query's own fault is no fault of the session's.
            const own = ownError(error, signal);
            if (own === undefined) throw error;
            return own;
          }
        }),
      signal,
    );
    if (outcome instanceof Error) throw outcome;
    return outcome;
  }
}

async function interruptible<T>(
  connection: DuckDBConnection,
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<T> {
  let again: NodeJS.Timeout | undefined;
  const interrupt = (): void => {
    connection.interrupt();
    again ??= setInterval(() => connection.interrupt(), interruptInterval_ms);
  };
  signal.throwIfAborted();
  signal.addEventListener("abort", interrupt, { once: true });
  try {
    return await work();
  } finally {
    signal.removeEventListener("abort", interrupt);
    clearInterval(again);
  }
}

/** Near enough: a series is an object or two, too. */
function valuesOf({ series }: StatementResult): number {
  return series.reduce((sum, { rows, columns }) => sum + 50 + rows * columns.length, 0);
}

class LimitMet extends InfluxqlError {
  readonly limit: QueryLimit;

  constructor(limit: QueryLimit, message: string, options?: ErrorOptions) {
    super("limit", message, options);
    this.limit = limit;
  }
}

function tooLate({ time_ms }: QueryBounds): LimitMet {
  return new LimitMet(
    "time",
    `the query took longer than ${time_ms / 1_000} s (limit query_max_s): ask for a shorter time or fewer series, or ask a roll-up`,
  );
}

/** What ended a statement and is no trouble of the store's; undefined: it is. */
function ownError(error: unknown, signal: AbortSignal): Error | undefined {
  if (signal.aborted)
    return signal.reason instanceof Error ? signal.reason : new Error(String(signal.reason));
  if (error instanceof InfluxqlError || isOfMissingTable(error)) return error as Error;
  const message = error instanceof Error ? error.message : String(error);
  if (!/Out of Memory Error/i.test(message)) return undefined;
  return new LimitMet(
    "memory",
    "the query needs more memory than the store has for all queries (limit memory): ask for a shorter time or fewer series, or group by longer windows",
    { cause: error },
  );
}

function limitOf(error: unknown): QueryLimit | undefined {
  if (error instanceof LimitMet) return error.limit;
  return error instanceof InfluxqlError && error.kind === "limit" ? "values" : undefined;
}

function isOfMissingTable(error: unknown): boolean {
  return error instanceof Error && /Catalog Error: Table with name .* does not exist/i.test(error.message);
}
