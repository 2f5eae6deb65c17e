import { once } from "node:events";
import pRetry from "p-retry";
import { setTimeout as sleep } from "node:timers/promises";
import { hasCode } from "#runtime/errors.ts";
import { type Log, oncePer } from "#runtime/log.ts";
import { compress } from "#runtime/zstd.ts";
import { formatWill } from "#telemetry/status.ts";
import type { GatewayTopics } from "#telemetry/topic.ts";
import { type BackOff, backOffDelay, refusedDelay } from "./back-off.ts";
import { type Connection, type ConnectionOptions, openConnection } from "./connection.ts";
import type { SendPlan, StoredBatch } from "./send-plan.ts";

export interface UplinkOptions {
  readonly url: string;
  readonly gateway: string;
  readonly agency: string;
  /** Asked at each attempt, so that what changed on disk needs no restart. */
  readonly password: () => Promise<string>;
  readonly tls: () => Promise<ConnectionOptions["tls"]>;
  readonly keepaliveSeconds: number;
  readonly reconnect: BackOff;
  readonly topics: GatewayTopics;
  /** Whether batches go compressed; `Uplink.compress` changes it. */
  readonly compress: boolean;
  /** Asked at each birth. */
  readonly birth: () => string;
  /** The payload of a status. @param facts  `since`: when the connection was made, by the gateway's clock. */
  readonly status: (facts: { online: boolean; since: number }) => string;
  readonly plan: SendPlan;
  /** Reads the backlog from a position on. */
  readonly read: (from: number) => Promise<readonly StoredBatch[]>;
  readonly onAcknowledged: (batch: StoredBatch) => void;
  readonly onMessage: (topic: string, payload: Buffer) => void;
  readonly log: Log;
}

/** Milliseconds until CONNACK; the platform checks passwords slowly on purpose, and a thousand gateways may come at once. */
const CONNECT_TIMEOUT = 15_000;
/** A connection that lasted so many milliseconds was a good one: the next wait is short again. */
const STABLE_AFTER = 10_000;
/** Milliseconds that a last PUBACK may take when the agent ends. */
const CLOSE_GRACE = 500;
/** Bytes of the smallest batch that is compressed. */
const WORTH_COMPRESSING = 1024;
/** Milliseconds between births, however often they are asked for. */
const BIRTH_INTERVAL = 1000;

/**
 * Keeps a connection to the broker and moves the plan's batches over it. Every connection begins with the birth; then
 * whatever has no PUBACK goes, pipelined up to the window. A batch is sent again only on another connection.
 */
export class Uplink {
  compress: boolean;
  readonly #options: UplinkOptions;
  #connection: Connection | undefined;
  #reading = false;
  #leaving = false;
  readonly #oncePer10s = oncePer();
  #bornAt = -Infinity;
  #since = 0;

  constructor(options: UplinkOptions) {
    this.#options = options;
    this.compress = options.compress;
  }

  get connected(): boolean {
    return this.#connection !== undefined;
  }

  /** Resolves when `signal` is aborted and the connection closed. */
  async run(signal: AbortSignal): Promise<void> {
    const { reconnect } = this.#options;
    while (!signal.aborted) {
      try {
        await pRetry(() => this.#connectAndServe(signal), {
          retries: Infinity,
          minTimeout: 0, // the waiting is done below: p-retry's own jitter is not a full one
          signal,
          onFailedAttempt: async ({ error, attemptNumber }) => {
            const refused = hasCode(error, "REFUSED");
            const wait = refused
              ? refusedDelay(reconnect, Math.random())
              : backOffDelay(attemptNumber, reconnect, Math.random());
            if (!signal.aborted) this.#explain(error, refused, attemptNumber, wait);
            await sleep(wait, undefined, { signal });
          },
        });
        await sleep(backOffDelay(1, reconnect, Math.random()), undefined, { signal });
      } catch (error) {
        if (!signal.aborted) throw error;
      }
    }
  }

  /** Sends what the plan has to send now: to be called when it got something new. */
  pump(): void {
    const connection = this.#connection;
    if (connection === undefined || this.#leaving) return;
    const { plan, onAcknowledged } = this.#options;
    for (let batch = plan.next(); batch !== undefined; batch = plan.next()) {
      const { position } = batch;
      const { topic, payload } = this.#wrap(batch);
      connection.publish(topic, payload, () => {
        if (this.#connection !== connection) return;
        const acknowledged = plan.acknowledge(position);
        if (acknowledged !== undefined) onAcknowledged(acknowledged);
        this.pump();
      });
    }
    void this.#readBacklog();
  }

  /** A batch as it goes over the wire. Small ones go as they are: they would hardly shrink, and each frame costs the platform its set-up. */
  #wrap({ payload }: StoredBatch): { readonly topic: string; readonly payload: Buffer } {
    const { topics } = this.#options;
    if (this.compress && payload.length >= WORTH_COMPRESSING) {
      const frame = compress(payload);
      if (frame.length < payload.length) return { topic: topics.up["lp-zstd"], payload: frame };
    }
    return { topic: topics.up.lp, payload };
  }

  /** Sends the birth again, unless that was done just now. */
  rebirth(): void {
    if (this.#connection === undefined || performance.now() - this.#bornAt < BIRTH_INTERVAL) return;
    this.#sendBirth(this.#connection);
  }

  /** The birth has changed: sends it at once. */
  newBirth(): void {
    if (this.#connection !== undefined && !this.#leaving) this.#sendBirth(this.#connection);
  }

  /** Sends the status again. */
  tellStatus(): void {
    if (this.#connection !== undefined && !this.#leaving) this.#sendStatus(this.#connection, true);
  }

  /** @throws MarsadError when the connection could not be made or did not last. */
  async #connectAndServe(signal: AbortSignal): Promise<void> {
    const options = this.#options;
    const { url, gateway, topics } = options;
    const connection = await openConnection(
      {
        url,
        clientId: gateway,
        username: gateway,
        password: await options.password(),
        tls: await options.tls(),
        keepaliveSeconds: options.keepaliveSeconds,
        connectTimeout: CONNECT_TIMEOUT,
        will: { topic: topics.status, payload: Buffer.from(formatWill()) },
        onMessage: options.onMessage,
      },
      signal,
    );
    const since = performance.now();
    options.log.info({ url }, "Connected to the platform.");
    this.#since = Date.now();
    connection.subscribe(topics.downFilter); // first: the status is answered at once
    this.#sendBirth(connection);
    this.#sendStatus(connection, true);
    this.#connection = connection;
    this.pump();

    const ended = await firstOf(connection.closed, signal);
    if (ended === undefined) await this.#leave(connection);
    this.#connection = undefined;
    options.plan.connectionLost();
    if (ended === undefined) return;
    if (performance.now() - since < STABLE_AFTER) throw ended;
    options.log.warn({ err: ended }, "The connection to the platform ended; connecting again.");
  }

  async #leave(connection: Connection): Promise<void> {
    this.#leaving = true;
    this.#sendStatus(connection, false);
    await connection.close(CLOSE_GRACE);
  }

  #sendBirth(connection: Connection): void {
    this.#bornAt = performance.now();
    connection.publish(this.#options.topics.birth, Buffer.from(this.#options.birth()), () => {});
  }

  #sendStatus(connection: Connection, online: boolean): void {
    const status = this.#options.status({ online, since: this.#since });
    connection.publish(this.#options.topics.status, Buffer.from(status), () => {}, { retain: true });
  }

  async #readBacklog(): Promise<void> {
    const { plan, read, log } = this.#options;
    const from = plan.wanted;
    if (this.#reading || from === undefined) return;
    this.#reading = true;
    try {
      plan.load(from, await read(from));
    } catch (error) {
      const held = this.#oncePer10s("read");
      if (held !== undefined) log.error({ err: error, held }, "The outbox cannot be read.");
      return;
    } finally {
      this.#reading = false;
    }
    this.pump();
  }

  #explain(error: Error, refused: boolean, attempt: number, wait: number): void {
    const { log, url, gateway, agency } = this.#options;
    const held = this.#oncePer10s(refused ? "refused" : "unreachable");
    if (held === undefined) return;
    const facts = { err: error, url, attempt, next_attempt_ms: Math.round(wait), held };
    if (refused) {
      const hint = `on the platform: marsad gateway add ${gateway} --agency ${agency}; put the password it prints into this agent's password file`;
      log.error(
        { ...facts, hint },
        "The platform refuses this gateway's name or password; readings are kept in the outbox.",
      );
    } else log.warn(facts, "No connection to the platform; readings are kept in the outbox.");
  }
}

/** What `promise` resolves to, or undefined when `signal` is aborted before. */
async function firstOf<Value>(promise: Promise<Value>, signal: AbortSignal): Promise<Value | undefined> {
  if (signal.aborted) return undefined;
  const listening = new AbortController();
  const aborted = once(signal, "abort", { signal: listening.signal }).then(
    () => undefined,
    () => undefined,
  );
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    listening.abort(); // the agent's signal outlives thousands of connections
  }
}
