import { setImmediate as turn } from "node:timers/promises";
import type { GatewayIdentity } from "#telemetry/names.ts";
import type { Accept, IngestSession, SetAside } from "./source.ts";

/**
 * One request of a gateway that is answered: its pieces are messages, taken one after another as ingest has room, with a turn for everybody else
 * between two.
 * @param pieces  Lines; each is used before the next is asked for.
 * @returns what was set aside, once all of it is on disk
 * @throws the signal's reason: it was not taken whole, or is not on disk yet; the same readings may come again.
 */
export async function takeRequest(
  accept: Accept,
  gateway: GatewayIdentity,
  pieces: Iterable<Uint8Array>,
  signal: AbortSignal,
): Promise<readonly SetAside[]> {
  const session = new RequestSession(gateway);
  for (const piece of pieces) {
    signal.throwIfAborted();
    while (!session.offer(accept, piece)) await session.moved(signal);
    await turn();
  }
  while (!session.isOnDisk) await session.moved(signal);
  return session.aside;
}

class RequestSession implements IngestSession {
  readonly gateway: GatewayIdentity;
  readonly #aside = new Map<string, { -readonly [Key in keyof SetAside]: SetAside[Key] }>();
  #unacknowledged = 0;
  #moved = Promise.withResolvers<void>();

  constructor(gateway: GatewayIdentity) {
    this.gateway = gateway;
  }

  /** By reason, in the order in which each first came up. */
  get aside(): readonly SetAside[] {
    return Array.from(this.#aside.values());
  }

  get isOnDisk(): boolean {
    return this.#unacknowledged === 0;
  }

  offer(accept: Accept, piece: Uint8Array): boolean {
    if (!accept(this, "lp", piece)) return false;
    this.#unacknowledged += 1;
    return true;
  }

  /** Something was acknowledged, or may be offered again. */
  async moved(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const aborted = Promise.withResolvers<never>();
    const abort = (): void => aborted.reject(signal.reason as Error);
    signal.addEventListener("abort", abort, { once: true });
    try {
      await Promise.race([this.#moved.promise, aborted.promise]);
    } finally {
      signal.removeEventListener("abort", abort);
    }
  }

  acknowledge(count: number): void {
    this.#unacknowledged -= count;
    this.#move();
  }

  resume(): void {
    this.#move();
  }

  setAside(part: SetAside): void {
    const known = this.#aside.get(part.reason);
    if (known) known.readings += part.readings;
    else this.#aside.set(part.reason, { ...part });
  }

  #move(): void {
    this.#moved.resolve();
    this.#moved = Promise.withResolvers();
  }
}
