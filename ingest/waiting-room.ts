import type { GatewayState } from "./gateway-state.ts";
import type { Group } from "./group.ts";
import type { WaitingEntry, WaitingPayload } from "./journal/messages.ts";

/** What an entry takes in the journal's file beside its bytes; about. */
const entryOverhead = 256;

/** What a payload of so many bytes counts against the quota. */
export function waitingCost(bytes: number): number {
  return bytes + entryOverhead;
}

/**
 * Readings of unknown sensors, kept until a birth or an operator names the sensors: in the journal and, on its way there, in the
 * group. Here is their quota and their side of the ledger. Full means that a message with more of them is not taken.
 */
export class WaitingRoom {
  readonly #group: Group;
  readonly #bytesPerGateway: number;
  readonly #bytes: number;
  #used = 0;

  constructor(options: { group: Group; bytesPerGateway: number; bytes: number }) {
    this.#group = options.group;
    this.#bytesPerGateway = options.bytesPerGateway;
    this.#bytes = options.bytes;
  }

  /** Of all gateways. */
  get bytes(): number {
    return this.#used;
  }

  /** What the journal remembers of a gateway. */
  restore(gateway: GatewayState): void {
    this.#used += gateway.waitingBytes;
  }

  hasRoom(gateway: GatewayState, bytes: number): boolean {
    const cost = waitingCost(bytes);
    return gateway.waitingBytes + cost <= this.#bytesPerGateway && this.#used + cost <= this.#bytes;
  }

  /** @param payload  With a key: in the place of an entry just released. */
  add(gateway: GatewayState, payload: WaitingPayload): void {
    this.#change(gateway, payload.readings, waitingCost(payload.bytes.length));
    this.#group.addWaiting(payload);
  }

  release(gateway: GatewayState, entry: WaitingEntry): void {
    this.#change(gateway, -entry.readings, -waitingCost(entry.bytes.length));
    this.#group.waitingDone(entry.key);
  }

  #change(gateway: GatewayState, readings: number, bytes: number): void {
    gateway.waiting += readings;
    gateway.waitingBytes += bytes;
    this.#used += bytes;
    this.#group.touch(gateway);
  }
}
