import type { Socket } from "node:net";
import type { SecureContextOptions } from "node:tls";
import { setTimeout as sleep } from "node:timers/promises";
import { Aedes } from "aedes";
import type { Registry } from "prom-client";
import { MarsadError } from "#runtime/errors.ts";
import { type Log, oncePer } from "#runtime/log.ts";
import type { GatewayIdentity } from "#telemetry/names.ts";
import { formatNack } from "#telemetry/nack.ts";
import { topics } from "#telemetry/topic.ts";
import { type Authorize, authorizeGateway } from "./acl.ts";
import type { Authenticate } from "./admission.ts";
import { AedesHooks } from "./aedes-hooks.ts";
import { ByteBudget } from "./byte-budget.ts";
import { Connection, type ConnectionNack, type ConnectionParts } from "./connection.ts";
import { Copies } from "./copies.ts";
import { GatewayConnections } from "./gateway-connections.ts";
import { createListener, type Listener } from "./listener.ts";
import { type BrokerLimits, defaultBrokerLimits } from "./limits.ts";
import { type BrokerMetrics, registerMetrics } from "./metrics.ts";
import { PublishQueue } from "./publish-queue.ts";
import { brokerQueues } from "./queue-levels.ts";
import { Refusals } from "./refusals.ts";
import { SessionStore } from "./session-store.ts";
import type { UplinkHandler } from "./uplink.ts";

export interface BrokerOptions {
  /** Port 0 takes any free one. */
  readonly listen: { readonly host: string; readonly port: number };
  /** Speaks TLS, and shows this certificate. */
  readonly tls?: SecureContextOptions | undefined;
  readonly authenticate: Authenticate;
  readonly onUplink: UplinkHandler;
  /** What else gateways may do; `authorizeGateway` when absent. */
  readonly authorize?: Authorize;
  readonly limits?: Partial<BrokerLimits>;
  readonly log: Log;
  readonly metrics: Registry;
  /** Closes the broker. */
  readonly signal?: AbortSignal;
  /** A connection of the gateway was accepted; it may have others. */
  readonly onConnect?: (gateway: GatewayIdentity) => void;
  /** An accepted connection of the gateway has ended. */
  readonly onDisconnect?: (gateway: GatewayIdentity) => void;
  /** A gateway says its status itself, not by its will. `payload` is valid during the call only. */
  readonly onStatus?: (gateway: GatewayIdentity, payload: Uint8Array) => void;
}

export interface ConnectedGateway {
  readonly gateway: GatewayIdentity;
  /** ms since 1970. */
  readonly since: number;
  /** When bytes last came; ms since 1970. */
  readonly lastSeen: number;
}

/** An MQTT 3.1.1 broker for gateways. Disposing waits a moment for PUBACKs that are still owed, then closes everything. */
export interface Broker extends AsyncDisposable {
  /** Where it listens. */
  readonly address: { readonly host: string; readonly port: number };
  /**
   * Gives a message to whoever subscribed to `topic`; in order for each gateway. Retained messages are kept in memory.
   * @throws MarsadError REFUSED when too many messages wait for a gateway that does not read, or the topic is impossible.
   */
  publish(
    topic: string,
    payload: string | Uint8Array,
    options?: { retain?: boolean; qos?: 0 | 1 },
  ): Promise<void>;
  /** One entry for each accepted connection. */
  connected(): Iterable<ConnectedGateway>;
  /** Closes all connections of a gateway. */
  disconnect(gatewayName: string): void;
  /** New connections are shown this certificate; those that are there live on. Only for a broker that was opened with TLS. */
  setTls(options: SecureContextOptions): void;
}

/**
 * Listens for gateways.
 * @throws MarsadError ADDRESS_IN_USE
 */
export async function openBroker(options: BrokerOptions): Promise<Broker> {
  const broker = new GatewayBroker(options);
  await broker.listen();
  return broker;
}

class GatewayBroker implements Broker {
  readonly #options: BrokerOptions;
  readonly #limits: BrokerLimits;
  readonly #metrics: BrokerMetrics;
  readonly #parts: ConnectionParts;
  readonly #sessions: SessionStore;
  readonly #publishes: PublishQueue;
  readonly #aedes: Aedes;
  readonly #listener: Listener;
  readonly #connections: GatewayConnections;
  readonly #sometimes = oncePer();
  #address = { host: "", port: 0 };
  #closing: Promise<void> | undefined;

  constructor(options: BrokerOptions) {
    this.#options = options;
    const limits = { ...defaultBrokerLimits, ...options.limits };
    this.#limits = limits;
    const connections = new GatewayConnections(limits);
    this.#connections = connections;
    const heldBudget = new ByteBudget(limits.heldBytes);
    this.#metrics = registerMetrics(options.metrics, {
      retainedMessages: () => this.#sessions.retained.messages,
      retainedBytes: () => this.#sessions.retained.bytes,
      queues: brokerQueues({
        limits,
        connections,
        heldBudget,
        copies: () => this.#parts.copies,
        sessions: () => this.#sessions,
        publishes: () => this.#publishes,
      }),
    });
    const { counts } = this.#metrics;
    const copies = new Copies(limits.copyBytes, counts);
    this.#publishes = new PublishQueue(limits.publishQueue);
    const hooks = new AedesHooks({
      limits,
      counts,
      copies,
      authenticate: options.authenticate,
      authorize: options.authorize ?? authorizeGateway,
      log: options.log,
      onStatus: options.onStatus,
      admit: (connection, gateway, clientId) => connections.admit(connection, gateway, clientId),
    });
    this.#sessions = new SessionStore({
      limits,
      counts,
      connected: (clientId) => connections.has(clientId),
      maySubscribe: (client, filter) => hooks.maySubscribe(client, filter),
    });
    this.#aedes = new Aedes({
      persistence: this.#sessions,
      maxTopicLevels: limits.topicLevels,
      maxInflightInbound: limits.qos2InFlight,
      drainTimeout: limits.outputTimeout_ms,
      ...hooks.options(),
    });
    hooks.listenTo(this.#aedes);
    this.#parts = {
      limits,
      counts,
      heldBudget,
      copies,
      refusals: new Refusals(options.log, this.#metrics),
      onUplink: options.onUplink,
      attach: (port) => {
        connections.deciding(port.owner);
        this.#aedes.handle(port);
      },
      onOpen: (connection) => this.#opened(connection),
      onClose: (connection) => this.#closed(connection),
      tell: (gateway, nack) => this.#tell(gateway, nack),
    };
    this.#listener = createListener({
      tls: options.tls,
      limits,
      refusals: this.#parts.refusals,
      onSocket: (socket) => this.#onSocket(socket),
    });
  }

  get address(): { host: string; port: number } {
    return this.#address;
  }

  async listen(): Promise<void> {
    const { listen, log, signal } = this.#options;
    signal?.throwIfAborted();
    await this.#aedes.listen();
    const { host, port } = listen;
    const { server } = this.#listener;
    try {
      await new Promise<void>((resolve, reject) => {
        server.once("error", reject);
        // Who does not fit into the backlog tries again after 1 s, 3 s, 7 s, …
        server.listen({ host, port, backlog: this.#limits.connections }, resolve);
      });
    } catch (error) {
      this.#aedes.close();
      throw new MarsadError("ADDRESS_IN_USE", `cannot listen for MQTT on ${host}:${port}`, { cause: error });
    }
    server.on("error", (error: Error) => log.error({ err: error }, "Accepting a connection failed."));
    const bound = server.address();
    if (bound !== null && typeof bound !== "string")
      this.#address = { host: bound.address, port: bound.port };
    signal?.addEventListener("abort", () => void this[Symbol.asyncDispose](), { once: true });
    const { host: bindHost, port: bindPort } = this.#address;
    log.info({ host: bindHost, port: bindPort, tls: this.#options.tls !== undefined }, "Listening for MQTT.");
  }

  publish(
    topic: string,
    payload: string | Uint8Array,
    options: { retain?: boolean; qos?: 0 | 1 } = {},
  ): Promise<void> {
    const bytes = typeof payload === "string" ? Buffer.from(payload) : Buffer.from(payload);
    const { retain = false, qos = 0 } = options;
    return this.#publishes.run(topic.split("/", 3).join("/"), () => this.#publish(topic, bytes, retain, qos));
  }

  *connected(): Generator<ConnectedGateway> {
    for (const connection of this.#connections) {
      if (!connection.open || connection.gateway === undefined) continue;
      yield { gateway: connection.gateway, since: connection.since, lastSeen: connection.lastSeen };
    }
  }

  disconnect(gatewayName: string): void {
    for (const connection of this.#connections.of(gatewayName)) connection.hangUp();
  }

  setTls(options: SecureContextOptions): void {
    this.#listener.setTls(options);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const ended = this.#listener.close();
    for (const connection of this.#connections) connection.stopReading();
    const deadline = performance.now() + this.#limits.closeWait_ms;
    const owing = (): boolean => [...this.#connections].some((connection) => connection.inFlight > 0);
    while (owing() && performance.now() < deadline) await sleep(10);
    for (const connection of this.#connections) connection.hangUp();
    await ended;
    await new Promise<void>((resolve) => this.#aedes.close(resolve));
  }

  #onSocket(socket: Socket): void {
    const connection = new Connection(socket, this.#parts);
    connection.start();
    this.#connections.add(connection);
    this.#metrics.counts.connections = this.#connections.size;
  }

  #opened(connection: Connection): void {
    this.#connections.opened(connection);
    if (connection.gateway !== undefined) this.#options.onConnect?.(connection.gateway);
  }

  #closed(connection: Connection): void {
    const wasOpen = this.#connections.closed(connection);
    this.#metrics.counts.connections = this.#connections.size;
    if (wasOpen && connection.gateway !== undefined) this.#options.onDisconnect?.(connection.gateway);
  }

  #tell(gateway: GatewayIdentity, nack: ConnectionNack): void {
    const topic = topics(gateway.agency, gateway.name).down.nack;
    const payload = formatNack({ count: 1, rejections: [nack] });
    this.publish(topic, payload, { retain: true, qos: 1 }).catch((error: unknown) => {
      const held = this.#sometimes("nack");
      if (held !== undefined)
        this.#options.log.warn({ err: error, gateway: gateway.name, held }, "A nack was not sent.");
    });
  }

  #publish(topic: string, payload: Buffer, retain: boolean, qos: 0 | 1): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#aedes.publish({ cmd: "publish", topic, payload, retain, qos, dup: false }, (error) => {
        if (error) {
          reject(
            new MarsadError("REFUSED", `cannot publish to ${topic}: ${error.message}`, { cause: error }),
          );
        } else {
          resolve();
        }
      });
    });
  }
}
