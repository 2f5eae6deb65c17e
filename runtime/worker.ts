import { once } from "node:events";
import { type MessagePort, type Transferable, Worker, parentPort, workerData } from "node:worker_threads";
import { type ErrorCode, MarsadError, errorCodes } from "./errors.ts";

/** What a worker thread answers: one argument, one answer, both cloned or transferred. */
export type WorkerMethods = Record<string, (argument: never) => unknown>;

/** The calling side of a worker thread. */
export interface WorkerClient<Methods extends WorkerMethods> extends AsyncDisposable {
  /**
   * Calls are answered in the order the thread finishes them. Rejects with the thread's own error (a `MarsadError` keeps its code), and
   * when the thread ends.
   * @param transfer  Buffers that are given away with the argument.
   */
  call<Name extends keyof Methods & string>(
    name: Name,
    argument: Parameters<Methods[Name]>[0],
    transfer?: readonly Transferable[],
  ): Promise<AnswerOf<Methods[Name]>>;
}

type AnswerOf<Method extends (argument: never) => unknown> =
  Awaited<ReturnType<Method>> extends Transferred<infer Value> ? Value : Awaited<ReturnType<Method>>;

interface Call {
  readonly id: number;
  readonly name: string;
  readonly argument: unknown;
}

type Answer =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: { readonly message: string; readonly code?: ErrorCode; readonly stack?: string } };

/** The call that asks the thread to close; no method may be called so. */
const closing = "close";

/** An answer whose buffers are given away instead of copied. */
export class Transferred<Value> {
  readonly value: Value;
  readonly buffers: readonly Transferable[];

  constructor(value: Value, buffers: readonly Transferable[]) {
    this.value = value;
    this.buffers = buffers;
  }
}

/** Starts `file` as a worker thread, which calls `serveWorker`; resolves when it is ready to be called, rejects with what kept it from it. */
export async function openWorker<Methods extends WorkerMethods>(
  file: URL,
  init: unknown,
): Promise<WorkerClient<Methods>> {
  const worker = new Worker(file, { workerData: init });
  const pending = new Map<number, PromiseWithResolvers<unknown>>();
  let nextId = 1;
  let ended: Error | undefined;
  const end = (error: Error): void => {
    ended ??= error;
    for (const { reject } of pending.values()) reject(ended);
    pending.clear();
  };
  worker.on("message", (answer: Answer) => {
    const call = pending.get(answer.id);
    pending.delete(answer.id);
    if ("error" in answer) call?.reject(reviveError(answer.error));
    else call?.resolve(answer.value);
  });
  worker.on("error", (error) => end(error instanceof Error ? error : new Error(String(error))));
  worker.on("exit", (code) => end(new Error(`the thread ${file.pathname.split("/").at(-1)} has ended (${code})`)));

  const call = async (name: string, argument: unknown, transfer: readonly Transferable[] = []): Promise<unknown> => {
    if (ended) throw ended;
    const id = nextId++;
    const answer = Promise.withResolvers<unknown>();
    pending.set(id, answer);
    worker.postMessage({ id, name, argument } satisfies Call, transfer);
    return await answer.promise;
  };

  const ready = Promise.withResolvers<unknown>();
  pending.set(0, ready); // `serveWorker` answers call 0 when it has opened
  await ready.promise;

  let closed: Promise<void> | undefined;
  return {
    call: call as WorkerClient<Methods>["call"],
    [Symbol.asyncDispose]: () =>
      (closed ??= (async () => {
        if (ended) return;
        const exit = once(worker, "exit");
        await call(closing, undefined).catch(() => undefined);
        await exit;
      })()),
  };
}

/**
 * The worker thread's own side: opens what `open` opens and answers calls until the caller closes it. Methods may be asynchronous, and
 * return `Transferred` to give buffers away. `close` is called once, after the last call.
 */
export async function serveWorker<Init, Methods extends WorkerMethods>(
  open: (init: Init) => Promise<{ methods: Methods; close: () => void | Promise<void> }>,
): Promise<void> {
  const port = parentPort;
  if (!port) throw new TypeError("serveWorker is called in a worker thread only");
  try {
    const { methods, close } = await open(workerData as Init);
    port.on("message", (call: Call) => void answer(port, call, methods, close));
    port.postMessage({ id: 0, value: undefined } satisfies Answer);
  } catch (error) {
    port.postMessage({ id: 0, error: describeError(error) } satisfies Answer);
  }
}

async function answer(
  port: MessagePort,
  { id, name, argument }: Call,
  methods: WorkerMethods,
  close: () => void | Promise<void>,
): Promise<void> {
  try {
    if (name === closing) {
      await close();
      port.postMessage({ id, value: undefined } satisfies Answer);
      port.close();
      return;
    }
    const method = methods[name];
    if (!method) throw new TypeError(`the thread has no method ${name}`);
    const answered = method(argument as never);
    const value = answered instanceof Promise ? await answered : answered;
    if (value instanceof Transferred) port.postMessage({ id, value: value.value } satisfies Answer, value.buffers);
    else port.postMessage({ id, value } satisfies Answer);
  } catch (error) {
    port.postMessage({ id, error: describeError(error) } satisfies Answer);
  }
}

function describeError(error: unknown): Extract<Answer, { error: unknown }>["error"] {
  if (!(error instanceof Error)) return { message: String(error) };
  const code = "code" in error && isErrorCode(error.code) ? { code: error.code } : {};
  return { message: error.message, ...code, ...(error.stack !== undefined && { stack: error.stack }) };
}

function reviveError({ message, code, stack }: Extract<Answer, { error: unknown }>["error"]): Error {
  const cause = new Error(message);
  if (stack !== undefined) cause.stack = stack;
  return code ? new MarsadError(code, message, { cause }) : cause;
}

function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === "string" && code in errorCodes;
}
