import { hasCode } from "#runtime/errors.ts";
import type { WorkerClient } from "#runtime/worker.ts";
import type { QueryMetrics, QueryOutcome } from "../../metrics.ts";
import type { QueryAnswer, QueryRequest } from "../../query.ts";
import type { StoreThread } from "../worker.ts";
import type { QueryPiece } from "./queries.ts";

/** Asks the store thread for answers, a piece when it is wanted: nothing is computed that nobody reads. */
export class QueryAsker {
  readonly #thread: Pick<WorkerClient<StoreThread>, "call">;
  readonly #metrics: QueryMetrics | undefined;

  constructor(thread: Pick<WorkerClient<StoreThread>, "call">, metrics: QueryMetrics | undefined) {
    this.#thread = thread;
    this.#metrics = metrics;
  }

  /** With the first piece at hand: what goes wrong before, it throws. */
  async query({ signal, ...request }: QueryRequest): Promise<QueryAnswer> {
    signal.throwIfAborted();
    const asking = new Asking(this.#thread, this.#metrics, signal);
    const { status, contentType } = await asking.open(request);
    const first = await asking.next();
    return { status, contentType, body: asking.body(first) };
  }
}

class Asking {
  readonly #thread: Pick<WorkerClient<StoreThread>, "call">;
  readonly #metrics: QueryMetrics | undefined;
  readonly #signal: AbortSignal;
  readonly #begun = performance.now();
  #query: number | undefined;
  #hasEnded = false;
  readonly #giveUp = (): void => this.#end("given up");

  constructor(
    thread: Pick<WorkerClient<StoreThread>, "call">,
    metrics: QueryMetrics | undefined,
    signal: AbortSignal,
  ) {
    this.#thread = thread;
    this.#metrics = metrics;
    this.#signal = signal;
  }

  async open(request: Omit<QueryRequest, "signal">): Promise<{ status: number; contentType: string }> {
    return await this.#watched(async () => {
      const opened = await this.#thread.call("openQuery", request);
      this.#query = opened.query;
      this.#signal.addEventListener("abort", this.#giveUp, { once: true });
      return opened;
    });
  }

  /** Undefined: there is no more. */
  async next(): Promise<QueryPiece["bytes"]> {
    return await this.#watched(async () => {
      this.#signal.throwIfAborted();
      const { bytes, limits } = await this.#thread.call("nextPiece", this.#query!);
      this.#metrics?.met(limits);
      if (bytes === undefined) this.#end("answered");
      return bytes;
    });
  }

  async *body(first: QueryPiece["bytes"]): AsyncGenerator<Uint8Array> {
    try {
      for (let piece = first; piece !== undefined; piece = await this.next()) yield piece;
    } finally {
      this.#end("given up");
    }
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
    if (outcome === "given up" && this.#query !== undefined)
      this.#thread.call("closeQuery", this.#query).catch(() => undefined); // a lost thread has nothing to end
  }
}
