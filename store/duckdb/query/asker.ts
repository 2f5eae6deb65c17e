import { hasCode } from "#runtime/errors.ts";
import type { WorkerClient } from "#runtime/worker.ts";
import type { QueryMetrics, QueryOutcome } from "../../metrics.ts";
import type { QueryAnswer, QueryRequest } from "../../query.ts";
import type { StoreThread } from "../worker.ts";
import type { OpenedQuery, QueryPiece } from "./queries.ts";

/** Asks the store thread for answers, a piece when it is wanted: nothing is computed that nobody reads. */
export class QueryAsker {
  readonly #thread: Pick<WorkerClient<StoreThread>, "call">;
  readonly #metrics: QueryMetrics | undefined;
  #last = 0;

  constructor(thread: Pick<WorkerClient<StoreThread>, "call">, metrics: QueryMetrics | undefined) {
    this.#thread = thread;
    this.#metrics = metrics;
  }

  /** With the first piece at hand: what goes wrong before, it throws. */
  async query({ signal, ...request }: QueryRequest): Promise<QueryAnswer> {
    signal.throwIfAborted();
    const asking = new Asking(this.#thread, this.#metrics, signal, ++this.#last);
    const { status, contentType, first } = await asking.open(request);
    return { status, contentType, body: asking.body(first) };
  }
}

class Asking {
  readonly #thread: Pick<WorkerClient<StoreThread>, "call">;
  readonly #metrics: QueryMetrics | undefined;
  readonly #signal: AbortSignal;
  readonly #begun = performance.now();
  readonly #query: number;
  #hasEnded = false;
  readonly #giveUp = (): void => this.#end("given up");

  constructor(
    thread: Pick<WorkerClient<StoreThread>, "call">,
    metrics: QueryMetrics | undefined,
    signal: AbortSignal,
    query: number,
  ) {
    this.#thread = thread;
    this.#metrics = metrics;
    this.#signal = signal;
    this.#query = query;
  }

  async open(request: Omit<QueryRequest, "signal">): Promise<OpenedQuery> {
    return await this.#watched(async () => {
      this.#signal.addEventListener("abort", this.#giveUp, { once: true });
      const opened = await this.#thread.call("openQuery", { ...request, query: this.#query });
      this.#took(opened.first);
      return opened;
    });
  }

  async *body(first: QueryPiece): AsyncGenerator<Uint8Array> {
    try {
      for (let piece = first; ; piece = await this.#next()) {
        if (piece.bytes !== undefined) yield piece.bytes;
        if (piece.isLast) return;
      }
    } finally {
      this.#end("given up");
    }
  }

  async #next(): Promise<QueryPiece> {
    return await this.#watched(async () => {
      this.#signal.throwIfAborted();
      const piece = await this.#thread.call("nextPiece", this.#query);
      this.#took(piece);
      return piece;
    });
  }

  #took({ isLast, limits }: QueryPiece): void {
    this.#metrics?.met(limits);
    if (isLast) this.#end("answered");
  }

  async #watched<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      const isGivenUp = this.#signal.aborted;
      this.#end(isGivenUp ? "given up" : hasCode(error, "REFUSED") ? "refused" : "failed");
      if (isGivenUp) throw this.#signal.reason;
      throw error;
    }
  }

  #end(outcome: QueryOutcome): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#signal.removeEventListener("abort", this.#giveUp);
    this.#metrics?.ended(outcome, (performance.now() - this.#begun) / 1_000);
    if (outcome === "given up") this.#thread.call("closeQuery", this.#query).catch(() => undefined); // a lost thread has nothing to end
  }
}
