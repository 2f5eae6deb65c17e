import { setImmediate as turn } from "node:timers/promises";
import type { Broker } from "#broker/broker.ts";
import {
  type GatewayConfig,
  listGatewayConfigs,
  noteConfigReports,
  watchGatewayConfigs,
} from "#broker/gateway-config.ts";
import { expectGateway } from "#broker/identities.ts";
import { type Log, oncePer } from "#runtime/log.ts";
import type { RecordStore } from "#runtime/record-store.ts";
import { type ConfigReport, formatConfig } from "#telemetry/config-message.ts";
import type { GatewayIdentity } from "#telemetry/names.ts";
import { parseStatus } from "#telemetry/status.ts";
import { formatTime } from "#telemetry/time-message.ts";
import { topics } from "#telemetry/topic.ts";

export interface GatewayTalkOptions {
  readonly broker: Pick<Broker, "connected" | "publish">;
  /** Identities and configurations. */
  readonly records: RecordStore;
  /** Between two `down/time`. */
  readonly interval_ms: number;
  readonly log: Log;
}

/** What the platform tells gateways by itself: its time, and their configurations. */
export interface GatewayTalk extends Disposable {
  /** A gateway's status: one that says when it was sent is answered with the time; what it says of its configuration is kept. */
  heard(gateway: GatewayIdentity, payload: Uint8Array): void;
}

/** Milliseconds that reports are gathered before they are written: each write is an fsync, and gateways come back all at once. */
const reportInterval = 1000;
/** Gateways that are told the time in one turn. */
const atOnce = 50;

export function openGatewayTalk({ broker, records, interval_ms, log }: GatewayTalkOptions): GatewayTalk {
  const ending = new AbortController();
  const { signal } = ending;
  const sometimes = oncePer();
  const said = new Map<string, ConfigReport>();
  /** Where each gateway's configuration is retained. */
  const configTopics = new Map<string, string>();
  let writing: NodeJS.Timeout | undefined;
  let lastId = 0;

  const publish = (topic: string, payload: string, options?: { retain: boolean; qos: 0 | 1 }): void => {
    broker.publish(topic, payload, options).catch((error: unknown) => {
      const held = sometimes(topic);
      if (held !== undefined && !signal.aborted)
        log.warn({ err: error, topic, held }, "A gateway could not be told.");
    });
  };
  const tellTime = ({ agency, name }: GatewayIdentity, echo?: { sent: number; received: number }): void => {
    const message = { id: (lastId += 1), time: Date.now(), ...(echo && { echo }) };
    publish(topics(agency, name).down.time, formatTime(message));
  };
  const tellAllTheTime = async (): Promise<void> => {
    let told = 0;
    for (const { gateway } of broker.connected()) {
      if ((told += 1) % atOnce === 0) await turn();
      if (signal.aborted) return;
      tellTime(gateway);
    }
  };
  const tellConfig = ({ gateway, revision, config }: GatewayConfig): void => {
    const { agency } = expectGateway(records, gateway); // both go together
    log.info({ gateway, revision }, "The gateway's configuration is sent.");
    const topic = topics(agency, gateway).down.config;
    if (configTopics.get(gateway) !== topic) forgetConfig(gateway);
    configTopics.set(gateway, topic);
    publish(topic, formatConfig({ revision, config }), { retain: true, qos: 1 });
  };
  /** Whoever gets the name later is another gateway. */
  const forgetConfig = (gateway: string): void => {
    const topic = configTopics.get(gateway);
    if (topic !== undefined) publish(topic, "", { retain: true, qos: 0 });
    configTopics.delete(gateway);
    said.delete(gateway);
  };
  const writeReports = (): void => {
    writing = undefined;
    try {
      noteConfigReports(records, said);
      said.clear();
    } catch (error) {
      const held = sometimes("reports");
      if (held !== undefined)
        log.error({ err: error, held }, "What gateways say of their configurations cannot be kept.");
    }
  };

  // The broker's retained messages do not survive a restart.
  listGatewayConfigs(records).forEach(tellConfig);
  watchGatewayConfigs(records, { onChange: tellConfig, onGone: forgetConfig }, { signal });
  const timer = setInterval(() => void tellAllTheTime(), interval_ms);
  return {
    heard(gateway, payload): void {
      if (signal.aborted) return; // the broker closes after this
      const received = Date.now();
      const parsed = parseStatus(payload);
      if (!parsed.ok) return;
      const { sent, config } = parsed.status;
      if (sent !== undefined) tellTime(gateway, { sent, received });
      if (config === undefined) return;
      said.set(gateway.name, config);
      writing ??= setTimeout(writeReports, reportInterval);
    },
    [Symbol.dispose](): void {
      ending.abort();
      clearInterval(timer);
      clearTimeout(writing);
      if (said.size > 0) writeReports();
    },
  };
}
