import { type IPublishPacket, type MqttClient, connect } from "mqtt";
import { readFile } from "node:fs/promises";
import type { MqttInput } from "./config.ts";

export interface LocalClientOptions {
  readonly input: MqttInput;
  readonly clientId: string;
  /** Start anew, and leave nothing behind at the broker. */
  readonly clean: boolean;
  readonly filters: readonly string[];
  /** Takes one message; the next comes, and this one is acknowledged, when it has resolved to true. */
  readonly take: (packet: IPublishPacket) => Promise<boolean>;
}

/** One connection to the local broker, from its subscriptions' acknowledgement to its end. */
export interface LocalConnection {
  /** Resolves with the reason. */
  readonly ended: Promise<string>;
  close(): Promise<void>;
}

/** Milliseconds until CONNACK. */
const CONNECT_TIMEOUT = 10_000;
/** [MQTT-3.9.3] */
const REFUSED = 128;

/** @throws Error whose message says why there is no connection */
export async function connectLocally(
  options: LocalClientOptions,
  signal: AbortSignal,
): Promise<LocalConnection> {
  const { input, clientId, clean, filters, take } = options;
  signal.throwIfAborted();
  const { hostname, port } = new URL(input.connect);
  const password =
    input.password_file === undefined ? undefined : (await readFile(input.password_file, "utf8")).trim();
  const client: MqttClient = connect({
    protocol: "mqtt",
    host: hostname.replace(/^\[(.*)\]$/, "$1"),
    port: Number(port),
    clientId,
    clean,
    ...(input.username === undefined ? {} : { username: input.username }),
    ...(password === undefined ? {} : { password }),
    protocolVersion: 4,
    keepalive: input.keepalive_s,
    connectTimeout: CONNECT_TIMEOUT,
    reconnectPeriod: 0,
    resubscribe: false,
  });
  // mqtt.js handles one packet at a time, and sends the PUBACK after the callback.
  const handle = async (packet: IPublishPacket, done: () => void): Promise<void> => {
    if (await take(packet)) done();
  };
  client.handleMessage = (packet, done) => void handle(packet, done);
  const ended = Promise.withResolvers<string>();
  let reason = "the broker closed the connection";
  const finish = (why: string): void => {
    reason = why;
    client.end(true);
    client.stream.destroy();
  };
  const onAbort = (): void => finish("the agent is closing");
  signal.addEventListener("abort", onAbort, { once: true });
  client.on("error", (error) => finish(error.message || error.name));
  client.on("close", () => {
    signal.removeEventListener("abort", onAbort);
    ended.resolve(reason);
  });
  const subscribed = new Promise<void>((resolve, reject) => {
    void ended.promise.then((why) => reject(new Error(why)));
    client.on("connect", () => {
      client.subscribe([...filters], { qos: 1 }, (error, granted = []) => {
        const refused = granted.find(({ qos }) => (qos as number) === REFUSED);
        if (error) reject(error);
        else if (refused === undefined) resolve();
        else reject(new Error(`the broker refuses the topic ${refused.topic}`));
      });
    });
  });
  try {
    await subscribed;
  } catch (error) {
    finish(reason);
    await ended.promise;
    throw error;
  }
  return {
    ended: ended.promise,
    close: async () => {
      finish(reason);
      await ended.promise;
    },
  };
}
