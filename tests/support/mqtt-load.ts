import { setTimeout as sleep } from "node:timers/promises";
import { formatBatchHeader } from "#telemetry/batch-header.ts";
import type { GatewayIdentity } from "#telemetry/names.ts";
import { connectGateway, type MqttGateway } from "./mqtt-gateway.ts";
import { poll } from "./poll.ts";
import type { SteadyReadings } from "./steady-readings.ts";

export interface MqttLoadOptions {
  readonly identity: GatewayIdentity;
  readonly password: string;
  readonly readings: SteadyReadings;
  /** Readings a second. */
  readonly rate: number;
  /** Where the platform is at present; undefined while it is gone. */
  readonly port: () => number | undefined;
  /** With reading numbers of this outbox; without, the store alone tells repeats. */
  readonly outbox?: string;
  /** Never sends again what had no PUBACK: then only what was acknowledged is owed. */
  readonly forgetful?: boolean;
  /** Says who is behind it only once this resolves; until then the platform knows none of its sensors. */
  readonly mayIntroduce?: Promise<void>;
  /** Each message ends with wrong values for the batch `draftsAhead` later, which that one corrects. */
  readonly drafts?: boolean;
}

/** A gateway that sends at a steady rate until disposed, over as many connections as it takes, and counts what was acknowledged. */
export interface MqttLoad extends AsyncDisposable {
  /** Batches that were ever offered. */
  readonly offered: number;
  /** Numbers of the batches that have their PUBACK. */
  readonly acknowledged: ReadonlySet<number>;
  readonly resent: number;
  /** How often the platform asked it who is behind it. */
  readonly rebirths: number;
  /** Sends nothing new, and resolves when nothing is without a PUBACK. */
  drain(): Promise<void>;
  /** After `drain`: sends on. */
  resume(): void;
}

export const readingsPerBatch = 20;
/** Batches without a PUBACK at most. */
const window = 100;
const draftsAhead = 3;

export function startLoad(options: MqttLoadOptions): MqttLoad {
  const {
    identity,
    password,
    readings,
    rate,
    port,
    outbox,
    forgetful = false,
    mayIntroduce,
    drafts = false,
  } = options;
  const acknowledged = new Set<number>();
  const pending = new Set<number>();
  const ending = new AbortController();
  const { signal } = ending;
  let offered = 0;
  /** Batches below this have a draft that is to be corrected, or are sent. */
  let drafted = 0;
  let resent = 0;
  let rebirths = 0;
  let draining = false;

  const payloadOf = (batch: number): string => {
    const first = batch * readingsPerBatch;
    const header = outbox === undefined ? "" : formatBatchHeader({ outbox, first, n: readingsPerBatch });
    return header + readings.lines(first, first + readingsPerBatch) + draftsIn(batch);
  };
  const draftsIn = (batch: number): string => {
    if (!drafts || draining) return "";
    drafted = Math.max(drafted, batch + draftsAhead + 1);
    const first = (batch + draftsAhead) * readingsPerBatch;
    // A value that is none of theirs.
    return readings.lines(first, first + readingsPerBatch).replaceAll(/vehicles=\d+/g, "vehicles=0.5");
  };
  const publish = (gateway: MqttGateway, batch: number): void => {
    pending.add(batch);
    gateway.client.publish(gateway.topics.up.lp, payloadOf(batch), { qos: 1 }, (error) => {
      if (error) return; // the connection ended: it is still pending
      pending.delete(batch);
      acknowledged.add(batch);
    });
  };
  const serve = async (gateway: MqttGateway): Promise<void> => {
    if (mayIntroduce === undefined) await gateway.birth(readings.sensors);
    else void mayIntroduce.then(() => gateway.birth(readings.sensors)).catch(() => undefined); // the connection ended
    gateway.client.on("message", (topic) => void (rebirths += Number(topic === gateway.topics.down.rebirth)));
    if (forgetful) pending.clear();
    for (const batch of pending) publish(gateway, batch);
    resent += pending.size;
    const since = performance.now();
    const before = offered;
    while (gateway.client.connected && !signal.aborted) {
      const due = before + (rate / readingsPerBatch) * ((performance.now() - since) / 1000);
      const wanted = draining ? drafted : Math.ceil(due);
      const room = Math.min(wanted - offered, window - pending.size);
      for (let batch = 0; batch < room; batch++) publish(gateway, offered++);
      await sleep(10);
    }
  };
  const run = async (): Promise<void> => {
    while (!signal.aborted) {
      const to = port();
      if (to !== undefined) {
        try {
          await using gateway = await connectGateway({ identity, password, port: to });
          const gone = new Promise<void>((resolve) => gateway.client.once("close", resolve));
          await Promise.race([gone, serve(gateway)]);
        } catch {
          // the platform is gone, or the load is ended
        }
      }
      await sleep(20);
    }
  };
  const running = run();
  return {
    acknowledged,
    get offered() {
      return offered;
    },
    get resent() {
      return resent;
    },
    get rebirths() {
      return rebirths;
    },
    resume() {
      draining = false;
    },
    async drain() {
      draining = true;
      await poll(() => pending.size === 0 && offered >= drafted);
    },
    async [Symbol.asyncDispose]() {
      ending.abort();
      await running;
    },
  };
}
