import { type Answer, type Failure, readAnswer, requestFrame } from "./frame.ts";
import type { Span } from "./read-plan.ts";

/** A connection to a bus of devices, from its opening to its end; it is never opened again. */
export interface Bus extends AsyncDisposable {
  /** Asks one device; one request at a time. @param timeout  Milliseconds. */
  read(unit: number, span: Span, timeout: number): Promise<Answer>;
  /** It has ended: nothing is answered any more. */
  readonly lost: boolean;
}

export type OpenedBus =
  | { readonly ok: true; readonly bus: Bus }
  /** Nobody is there, or the line cannot be had. */
  | { readonly ok: false; readonly detail: string };

/** What carries frames to the devices and back. */
export interface Carrier {
  /** Sends a request. @returns which frame may answer it: with another number it is the late answer to an earlier request */
  send(request: Buffer): number;
  /** Milliseconds of silence that the line needs between an answer and the next request. */
  readonly pause: number;
  close(): Promise<void>;
}

interface Pending {
  readonly number: number;
  readonly unit: number;
  readonly span: Span;
  readonly settle: (answer: Answer) => void;
}

/** Requests and answers over a carrier, which calls `received` and `ended`. */
export class FrameBus implements Bus {
  lost = false;
  readonly #carrier: Carrier;
  #pending: Pending | undefined;

  constructor(carrier: Carrier) {
    this.#carrier = carrier;
  }

  async read(unit: number, span: Span, timeout: number): Promise<Answer> {
    if (this.#carrier.pause > 0) await new Promise((resolve) => setTimeout(resolve, this.#carrier.pause));
    if (this.lost) return failed("lost", "the connection ended");
    const { promise, resolve } = Promise.withResolvers<Answer>();
    const timer = setTimeout(() => resolve(failed("silent", `no answer within ${timeout} ms`)), timeout);
    const number = this.#carrier.send(requestFrame(unit, span));
    this.#pending = { number, unit, span, settle: resolve };
    try {
      return await promise;
    } finally {
      this.#pending = undefined;
      clearTimeout(timer);
    }
  }

  received(frame: Buffer, number: number): void {
    const pending = this.#pending;
    if (pending === undefined || pending.number !== number) return;
    pending.settle(readAnswer(frame, pending.unit, pending.span));
  }

  ended(detail: string): void {
    this.lost = true;
    this.#pending?.settle(failed("lost", detail));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.ended("the connection was closed");
    await this.#carrier.close();
  }
}

function failed(kind: Failure["kind"], detail: string): Answer {
  return { ok: false, failure: { kind, detail } };
}
