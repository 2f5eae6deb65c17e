import { connect } from "mqtt";
import type { IClientOptions, IStore } from "mqtt";
import { writeToStream } from "mqtt-packet";
import { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { MarsadError } from "#runtime/errors.ts";
import { tlsTrouble } from "#runtime/tls.ts";

// Else a buffer is made ahead for each packet identifier, 7 MB of them: gateways have little memory and send few packets.
writeToStream.cacheNumbers = false;

export interface ConnectionOptions {
  /** mqtt://host:port, or mqtts://host:port */
  readonly url: string;
  /** How the server's certificate is verified; without `ca` by the authorities that Node.js knows. */
  readonly tls?: { readonly ca?: Buffer; readonly serverName?: string } | undefined;
  readonly clientId: string;
  readonly username: string;
  readonly password: string;
  readonly keepaliveSeconds: number;
  /** Milliseconds until CONNACK. */
  readonly connectTimeout: number;
  readonly will: { readonly topic: string; readonly payload: Buffer };
  readonly onMessage: (topic: string, payload: Buffer) => void;
}

/** One connection to the broker, from CONNACK to its end; it is never reconnected. */
export interface Connection {
  /** Sends at QoS 1. `acknowledged` is called when the PUBACK has come; never once the connection has ended. */
  publish(topic: string, payload: Buffer, acknowledged: () => void, options?: { retain?: boolean }): void;
  subscribe(topicFilter: string): void;
  /** Resolves, with the reason, when the connection has ended. */
  readonly closed: Promise<MarsadError>;
  /** Waits for outstanding PUBACKs, at most `grace` milliseconds, and says DISCONNECT; beyond that the will speaks. */
  close(grace: number): Promise<void>;
}

/** CONNACK return codes that a new attempt alone does not mend [MQTT-3.2.2.3]. */
const credentialCodes = new Set<unknown>([4, 5]);

/**
 * @throws MarsadError `REFUSED` when the broker does not take the name and password, `UNREACHABLE` when it does not
 *   answer; the signal's reason when it is aborted.
 */
export async function openConnection(options: ConnectionOptions, signal: AbortSignal): Promise<Connection> {
  signal.throwIfAborted();
  const client = connect(clientOptions(options));
  const connected = Promise.withResolvers<void>();
  const closed = Promise.withResolvers<MarsadError>();
  const finish = (error: MarsadError): void => {
    connected.reject(error);
    closed.resolve(error);
    client.end(true);
  };
  const onAbort = (): void => finish(new MarsadError("UNREACHABLE", "the agent is closing"));
  signal.addEventListener("abort", onAbort, { once: true });
  client.on("error", (error) => finish(explain(error, options)));
  client.on("close", () => finish(new MarsadError("UNREACHABLE", `${options.url} closed the connection`)));
  client.on("connect", () => connected.resolve());
  client.on("message", (topic, payload) => options.onMessage(topic, payload));
  try {
    await connected.promise;
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
  return {
    closed: closed.promise,
    publish(topic, payload, acknowledged, { retain = false } = {}): void {
      client.publish(topic, payload, { qos: 1, retain }, (error) => {
        if (!error) acknowledged();
      });
    },
    subscribe(topicFilter): void {
      // A refused subscription costs nacks and rebirths, not readings.
      client.subscribe(topicFilter, { qos: 1 }, () => {});
    },
    async close(grace): Promise<void> {
      client.end(false);
      const timer = new AbortController();
      await Promise.race([closed.promise, sleep(grace, undefined, { signal: timer.signal }).catch(() => {})]);
      timer.abort();
      client.stream.destroy(); // a second end() would be ignored
    },
  };
}

function clientOptions(options: ConnectionOptions): IClientOptions {
  const { hostname, port, protocol } = new URL(options.url);
  const { ca, serverName } = options.tls ?? {};
  return {
    ...(protocol === "mqtts:"
      ? {
          protocol: "mqtts",
          minVersion: "TLSv1.2",
          rejectUnauthorized: true,
          ...(ca && { ca }),
          ...(serverName !== undefined && { servername: serverName }),
        }
      : { protocol: "mqtt" }),
    host: hostname.replace(/^\[(.*)\]$/, "$1"),
    port: Number(port),
    clientId: options.clientId,
    username: options.username,
    password: options.password,
    protocolVersion: 4,
    clean: true,
    keepalive: options.keepaliveSeconds,
    connectTimeout: options.connectTimeout,
    will: { ...options.will, qos: 1, retain: true },
    reconnectPeriod: 0, // mqtt.js would re-send one message a round trip, out of its memory
    resubscribe: false,
    queueQoSZero: false,
    outgoingStore: new ForgetfulStore(),
    incomingStore: new ForgetfulStore(),
  };
}

function explain(error: Error, { url }: ConnectionOptions): MarsadError {
  const refused = "code" in error && credentialCodes.has(error.code);
  const why = tlsTrouble(error) ?? (error.message || error.name);
  return new MarsadError(refused ? "REFUSED" : "UNREACHABLE", `${url}: ${why}`, { cause: error });
}

/** The outbox keeps the batches, so mqtt.js need not. */
class ForgetfulStore implements IStore {
  put(_packet: unknown, done: (error?: Error) => void): this {
    done();
    return this;
  }

  del(packet: Parameters<IStore["del"]>[0], done: Parameters<IStore["del"]>[1]): this {
    done(undefined, packet as Parameters<typeof done>[1]);
    return this;
  }

  get(_packet: unknown, done: (error?: Error) => void): this {
    done(new Error("not kept"));
    return this;
  }

  createStream(): ReturnType<IStore["createStream"]> {
    return Readable.from([]) as unknown as ReturnType<IStore["createStream"]>;
  }

  close(done: (error?: Error) => void): void {
    done();
  }
}
