import { type Log, oncePer } from "#runtime/log.ts";
import { parseBirth } from "#telemetry/birth.ts";
import type { Reason } from "#telemetry/rejection.ts";
import type { DeadLetters } from "./dead-letters.ts";
import type { GatewayState } from "./gateway-state.ts";
import type { Notices } from "./notices.ts";
import type { Registry } from "./registry/registry.ts";

export interface BirthsOptions {
  readonly registry: Registry;
  readonly deadLetters: DeadLetters;
  readonly notices: Notices;
  readonly sensorsPerGateway: number;
  /** The gateway's sensors changed: before its next reading is decoded. */
  readonly onChanged: (gateway: GatewayState) => void;
  readonly log: Log;
}

interface Refused {
  readonly sensor: string;
  readonly reason: Reason;
  readonly detail: string;
}

/** Takes births into the registry; what is wrong with them is told and kept like refused readings, and counts as none. */
export class Births {
  readonly #options: BirthsOptions;
  readonly #sometimes = oncePer();

  constructor(options: BirthsOptions) {
    this.#options = options;
  }

  /** @returns false when the registry's disk does not take it: it must be offered again. */
  take(gateway: GatewayState, payload: Uint8Array, now: number): boolean {
    const { registry, notices, sensorsPerGateway, onChanged, log } = this.#options;
    const parsed = parseBirth(payload, { maxSensors: sensorsPerGateway });
    if (!parsed.ok) {
      this.#refuse(gateway, parsed.reason, parsed.detail, Uint8Array.from(payload), now);
      return true;
    }
    const { name } = gateway.identity;
    let outcome: ReturnType<Registry["birth"]>;
    try {
      outcome = registry.birth(gateway.identity, parsed.birth, now);
    } catch (error) {
      const held = this.#sometimes(name);
      if (held !== undefined)
        log.error({ err: error, gateway: name, held }, "The registry cannot keep a birth; it waits.");
      setTimeout(() => gateway.held.resume(), registryRetry).unref();
      return false;
    }
    notices.birthCame(gateway);
    this.#refuseSensors(gateway, [...parsed.refused, ...outcome.refused], now);
    if (outcome.changed.length > 0) {
      log.info({ gateway: name, sensors: outcome.changed.length }, "Sensors changed by a birth.");
      onChanged(gateway);
    }
    return true;
  }

  /** One dead letter for each reason, with the sensors' names. */
  #refuseSensors(gateway: GatewayState, refused: readonly Refused[], now: number): void {
    for (const [reason, same] of Map.groupBy(refused, ({ reason }) => reason)) {
      const details = same.slice(0, detailsNamed).map(({ sensor, detail }) => `${sensor}: ${detail}`);
      if (same.length > detailsNamed) details.push(`and ${same.length - detailsNamed} more`);
      const bytes = Buffer.from(JSON.stringify({ sensors: same.map(({ sensor }) => sensor) }));
      this.#refuse(gateway, reason, details.join("; "), bytes, now);
    }
  }

  #refuse(gateway: GatewayState, reason: Reason, detail: string, bytes: Uint8Array, at: number): void {
    const { deadLetters, notices } = this.#options;
    const { agency } = gateway.identity;
    deadLetters.add(gateway, { agency, channel: "birth", reason, detail, readings: 0, at, bytes });
    notices.refused(gateway, bytes, [{ reason, detail, start: 0, end: bytes.length, ordinal: 0 }]);
  }
}

/** Milliseconds until a birth is offered again that the registry's disk did not take. */
const registryRetry = 1_000;
/** Sensors of a birth whose refusal is explained. */
const detailsNamed = 5;
