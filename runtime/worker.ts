import { type Transferable, Worker, parentPort, workerData } from "node:worker_threads";
import { MarsadError } from "./errors.ts";
import { type PortableError, fromPortable, toPortable } from "./portable-error.ts";

/**
 * What a worker thread offers, as its client sees it: an interface whose methods take at most one argument. The worker
 * may answer each at once, by a promise, or `transferred`.
 */
export type Methods<M> = { readonly [K in keyof M]: (argument: never) => unknown };
type Argument<M extends Methods<M>, K extends keyof M> =
  Parameters<M[K]> extends [] ? undefined : Parameters<M[K]>[0];
type Answer<M extends Methods<M>, K extends keyof M> = Awaited<ReturnType<M[K]>>;
type Implementation<M extends Methods<M>> = {
  readonly [K in keyof M]: (argument: Argument<M, K>) => Sent<Answer<M, K>> | Promise<Sent<Answer<M, K>>>;
};
type Sent<T> = T | Transferred<T>;

/** A worker thread, seen from the thread that opened it. */
export interface WorkerClient<M extends Methods<M>> extends AsyncDisposable {
  /**
   * Calls begin in the order they were made. An error that the method throws is thrown here, a `MarsadError` as one.
   * @param transfer  Buffers in `argument` that are moved, not copied.
   * @throws MarsadError THREAD_LOST: the worker has ended, or was closed.
   */
  call<K extends keyof M & string>(
    method: K,
    argument: Argument<M, K>,
    transfer?: readonly Transferable[],
  ): Promise<Answer<M, K>>;
  /** Resolves when the thread is gone: with why when it ended by itself, with undefined when it was closed. */
  readonly ended: Promise<MarsadError | undefined>;
}

/** What `serveWorker`'s function hands over. */
export interface Served<M extends Methods<M>> {
  readonly methods: Implementation<M>;
  /** Called once, after the last call has been answered; what it throws, the client's disposal throws. */
  close?(): void | Promise<void>;
}

/** An answer whose `buffers` are moved to the caller, not copied. */
export function transferred<T>(value: T, buffers: readonly Transferable[]): Transferred<T> {
  return new Transferred(value, buffers);
}

export class Transferred<T> {
  readonly value: T;
  readonly buffers: readonly Transferable[];

  constructor(value: T, buffers: readonly Transferable[]) {
    this.value = value;
    this.buffers = buffers;
  }
}

type Request = [id: number, method: string, argument: unknown] | "close";
type Response = [id: number, answer: unknown] | [id: number, undefined, error: PortableError];
/** Opening and closing are answered like calls with these numbers. */
const openingId = 0;
const closingId = -1;

/** How long a closed worker may take to leave its event loop before it is ended. */
const exitGrace_ms = 2_000;

/**
 * Starts `file` (which calls `serveWorker`) in a thread of its own, and resolves when that has opened what it serves.
 * @param init  Handed to the worker's opening function, by structured clone.
 * @throws what the opening function threw; MarsadError THREAD_LOST when the thread died before.
 */
export async function openWorker<M extends Methods<M>>(file: URL, init: unknown): Promise<WorkerClient<M>> {
  const worker = new Worker(file, { workerData: init });
  const client = new ThreadClient<M>(worker, file.pathname.split("/").at(-1) ?? "");
  try {
    await client.opened;
    return client;
  } catch (error) {
    await worker.terminate();
    throw error;
  }
}

interface Waiting {
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: unknown) => void;
}

class ThreadClient<M extends Methods<M>> implements WorkerClient<M> {
  readonly opened: Promise<unknown>;
  readonly ended: Promise<MarsadError | undefined>;
  readonly #worker: Worker;
  readonly #name: string;
  readonly #waiting = new Map<number, Waiting>();
  #lastId = openingId;
  /** Why calls are refused now. */
  #refusal: MarsadError | undefined;
  #closing: Promise<void> | undefined;

  constructor(worker: Worker, name: string) {
    this.#worker = worker;
    this.#name = name;
    this.opened = this.#answerTo(openingId);
    const ended = Promise.withResolvers<MarsadError | undefined>();
    this.ended = ended.promise;
    worker.on("message", (response: Response) => this.#take(response));
    worker.on("messageerror", (error) => this.#lose("an answer could not be read", error));
    worker.on("error", (error) => this.#lose("it threw outside of any call", error));
    worker.on("exit", () => {
      this.#lose("it exited");
      ended.resolve(this.#closing === undefined ? this.#refusal : undefined);
    });
  }

  async call<K extends keyof M & string>(
    method: K,
    argument: Argument<M, K>,
    transfer: readonly Transferable[] = [],
  ): Promise<Answer<M, K>> {
    if (this.#refusal !== undefined) throw this.#refusal;
    const id = ++this.#lastId;
    this.#worker.postMessage([id, method, argument] satisfies Request, transfer);
    return (await this.#answerTo(id)) as Answer<M, K>;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    if (this.#refusal === undefined) {
      this.#refusal = new MarsadError("THREAD_LOST", `the thread ${this.#name} is closed`);
      this.#worker.postMessage("close" satisfies Request, []);
      await this.#answerTo(closingId);
      const impatience = setTimeout(() => void this.#worker.terminate(), exitGrace_ms);
      void this.ended.then(() => clearTimeout(impatience));
    }
    await this.ended;
  }

  #answerTo(id: number): Promise<unknown> {
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
  }

  #take([id, answer, error]: Response): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error === undefined) waiting?.resolve(answer);
    else waiting?.reject(fromPortable(error));
  }

  #lose(why: string, cause?: unknown): void {
    const loss = new MarsadError("THREAD_LOST", `the thread ${this.#name} is lost: ${why}`, { cause });
    this.#refusal ??= loss;
    for (const waiting of this.#waiting.values()) waiting.reject(loss);
    this.#waiting.clear();
    void this.#worker.terminate();
  }
}

/**
 * The worker's side: opens what it serves, then answers calls until it is closed. Call it once, at the end of the file.
 * Methods that answer at once run one after the other; those that return a promise overlap.
 */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- says at the call what `init` was sent as
export async function serveWorker<M extends Methods<M>, Init = never>(
  open: (init: Init) => Served<M> | Promise<Served<M>>,
): Promise<void> {
  const port = parentPort;
  if (port === null) throw new TypeError("serveWorker runs in a worker thread only");
  const succeed = (id: number, answer: unknown): void => {
    const [value, buffers] =
      answer instanceof Transferred ? [answer.value as unknown, answer.buffers] : [answer, []];
    port.postMessage([id, value] satisfies Response, buffers);
  };
  const fail = (id: number, error: unknown): void => {
    port.postMessage([id, undefined, toPortable(error)] satisfies Response, []);
  };

  let served: Served<M>;
  try {
    served = await open(workerData as Init);
  } catch (error) {
    return fail(openingId, error);
  }

  const running = new Set<Promise<void>>();
  const run = (id: number, method: string, argument: unknown): void => {
    try {
      const answer = served.methods[method as keyof M](argument as never);
      if (!(answer instanceof Promise)) return succeed(id, answer);
      const settled = answer
        .then((value: unknown) => succeed(id, value))
        .catch((error: unknown) => fail(id, error))
        .finally(() => running.delete(settled));
      running.add(settled);
    } catch (error) {
      fail(id, error);
    }
  };
  const close = async (): Promise<void> => {
    await Promise.all(running);
    try {
      await served.close?.();
      succeed(closingId, undefined);
    } catch (error) {
      fail(closingId, error);
    }
    port.close();
  };
  port.on("message", (request: Request) => (request === "close" ? void close() : run(...request)));
  succeed(openingId, undefined);
}
