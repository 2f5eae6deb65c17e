import { formatNack, formatRebirth, nackRejectionLimit } from "#telemetry/nack.ts";
import type { Rejection } from "#telemetry/rejection.ts";
import type { GatewayState } from "./gateway-state.ts";
import type { Numbering } from "./numbering.ts";
import { RebirthRequests } from "./rebirth.ts";
import { rejectedBytes } from "./refusals.ts";
import type { Downlink } from "./source.ts";

/** Milliseconds between two nacks to one gateway: refusals in between are counted into the next. */
const nackInterval = 1_000;
/** Of a refused reading, told. */
const excerptBytes = 200;

/** What gateways are told: what was refused and why, and that a birth is wanted. */
export class Notices {
  readonly #downlink: Downlink;
  /** Milliseconds of a clock that is never set. */
  readonly #monotonic: () => number;
  readonly #rebirths = new RebirthRequests();
  readonly #untold = new Set<GatewayState>();
  #timer: NodeJS.Timeout | undefined;

  constructor(downlink: Downlink, monotonic: () => number = () => performance.now()) {
    this.#downlink = downlink;
    this.#monotonic = monotonic;
  }

  /** From now on refusals are told, every second. */
  start(): void {
    this.#timer = setInterval(() => this.flush(), nackInterval);
  }

  /** Remembers refused readings of a payload for the gateway's next nack. */
  refused(
    gateway: GatewayState,
    payload: Uint8Array,
    rejections: Iterable<Rejection>,
    numbering?: Numbering,
  ): void {
    const { nack } = gateway;
    for (const rejection of rejections) {
      nack.count += 1;
      if (nack.rejections.length >= nackRejectionLimit) continue;
      const { reason, detail, ordinal } = rejection;
      const excerpt = rejectedBytes(payload, rejection).subarray(0, excerptBytes);
      nack.rejections.push({
        reason,
        detail,
        ...(numbering && { outbox: numbering.outbox, number: numbering.first + ordinal }),
        bytes: new Uint8Array(excerpt), // a copy: the payload's memory is used again
      });
    }
    if (nack.count > 0) this.#untold.add(gateway);
  }

  askForBirth(gateway: GatewayState): void {
    if (!this.#rebirths.isDue(gateway.identity.name, this.#monotonic())) return;
    this.#downlink(gateway.identity, "rebirth", formatRebirth({ reason: "unknown-sensor" }));
  }

  birthCame(gateway: GatewayState): void {
    this.#rebirths.answered(gateway.identity.name);
  }

  /** Sends what is untold. */
  flush(): void {
    for (const gateway of this.#untold) {
      const { count, rejections } = gateway.nack;
      gateway.nack = { count: 0, rejections: [] };
      this.#downlink(gateway.identity, "nack", formatNack({ count, rejections }));
    }
    this.#untold.clear();
  }

  close(): void {
    clearInterval(this.#timer);
    this.flush();
  }
}
