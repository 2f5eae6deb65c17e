import { formatNack, formatRebirth, nackRejectionLimit } from "#telemetry/nack.ts";
import type { Rejection } from "#telemetry/rejection.ts";
import type { Numbering } from "./decoder.ts";
import type { GatewayState } from "./gateway-state.ts";
import { RebirthRequests } from "./rebirth.ts";
import { rejectedBytes } from "./refusals.ts";
import type { Downlink } from "./source.ts";

/** Milliseconds between two nacks to one gateway: refusals in between are counted into the next. */
const nackInterval = 1_000;

/** What gateways are told: what was refused and why, and that a birth is wanted. */
export class Notices {
  readonly #downlink: Downlink;
  readonly #rebirths = new RebirthRequests();
  readonly #untold = new Set<GatewayState>();
  readonly #timer: NodeJS.Timeout;

  constructor(downlink: Downlink) {
    this.#downlink = downlink;
    this.#timer = setInterval(() => this.flush(), nackInterval);
    this.#timer.unref();
  }

  /** Remembers refusals for the gateway's next nack. Unknown sensors are told by a rebirth request instead. */
  refused(
    gateway: GatewayState,
    payload: Uint8Array,
    rejections: readonly Rejection[],
    numbering: Numbering | undefined,
  ): void {
    const { nack } = gateway;
    for (const rejection of rejections) {
      if (rejection.reason === "unknown-sensor") continue;
      nack.count += 1;
      if (nack.rejections.length >= nackRejectionLimit) continue;
      const bytes = rejectedBytes(payload, rejection);
      nack.rejections.push({
        reason: rejection.reason,
        detail: rejection.detail,
        ...(numbering && { outbox: numbering.outbox, number: numbering.first + rejection.ordinal }),
        bytes: bytes.slice(0, excerptBytes),
      });
    }
    if (nack.count > 0) this.#untold.add(gateway);
  }

  askForBirth(gateway: GatewayState, now: number): void {
    if (!this.#rebirths.isDue(gateway.identity.name, now)) return;
    this.#downlink(gateway.identity, "rebirth", formatRebirth({ reason: "unknown-sensor" }));
  }

  bornAt(gateway: GatewayState, now: number): void {
    this.#rebirths.forget(gateway.identity.name, now);
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

const excerptBytes = 200;
