import { type Log, oncePer } from "#runtime/log.ts";
import { type ConfigMessage, parseConfig } from "#telemetry/config-message.ts";
import { parseNack, parseRebirth } from "#telemetry/nack.ts";
import { type TimeMessage, parseTime } from "#telemetry/time-message.ts";
import type { GatewayTopics } from "#telemetry/topic.ts";

/** What to do with what the platform says. */
export interface DownlinkEvents {
  readonly onRebirth: () => void;
  /** @param count  Readings refused since the last nack. */
  readonly onRefused: (count: number) => void;
  readonly onTime: (message: TimeMessage) => void;
  readonly onConfig: (message: ConfigMessage) => void;
}

/** Hears `down/#`: a nack is logged and counted, a rebirth asks for the birth, times and configurations are handed on. */
export class Downlink {
  readonly #topics: GatewayTopics;
  readonly #events: DownlinkEvents;
  readonly #log: Log;
  readonly #oncePer10s = oncePer();

  constructor(topics: GatewayTopics, events: DownlinkEvents, log: Log) {
    this.#topics = topics;
    this.#events = events;
    this.#log = log;
  }

  receive(topic: string, payload: Uint8Array): void {
    if (topic === this.#topics.down.nack) this.#nack(payload);
    else if (topic === this.#topics.down.rebirth) this.#rebirth(payload);
    else if (topic === this.#topics.down.time) this.#time(payload);
    else if (topic === this.#topics.down.config) this.#config(payload);
  }

  #nack(payload: Uint8Array): void {
    const parsed = parseNack(payload);
    if (!parsed.ok) return this.#unreadable("nack", parsed.detail);
    const { count, rejections } = parsed.message;
    const [first] = rejections;
    if (first === undefined || count === 0) return; // a retained nack that was cleared
    this.#events.onRefused(count);
    const held = this.#oncePer10s(`nack ${first.reason}`);
    if (held === undefined) return;
    const { reason, detail, excerpt } = first;
    this.#log.warn(
      { count, reason, detail, excerpt, held },
      "The platform refused readings; its dead letters have them.",
    );
  }

  #rebirth(payload: Uint8Array): void {
    const parsed = parseRebirth(payload);
    if (!parsed.ok) return this.#unreadable("rebirth", parsed.detail);
    this.#log.info({ reason: parsed.message.reason }, "The platform asks for the birth.");
    this.#events.onRebirth();
  }

  #time(payload: Uint8Array): void {
    const parsed = parseTime(payload);
    if (parsed.ok) this.#events.onTime(parsed.message);
    else this.#unreadable("time", parsed.detail);
  }

  #config(payload: Uint8Array): void {
    if (payload.length === 0) return; // a retained one that was cleared
    const parsed = parseConfig(payload);
    if (parsed.ok) this.#events.onConfig(parsed.message);
    else this.#unreadable("config", parsed.detail);
  }

  #unreadable(kind: string, detail: string): void {
    const held = this.#oncePer10s(`unreadable ${kind}`);
    if (held !== undefined)
      this.#log.warn({ kind, detail, held }, "A message of the platform is unreadable.");
  }
}
