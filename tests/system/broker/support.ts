import { once } from "node:events";
import { type Socket, connect as connectTcp } from "node:net";
import { connect as connectTls } from "node:tls";
import { type IClientOptions, type MqttClient, connectAsync } from "mqtt";
import { type Packet, generate, parser } from "mqtt-packet";
import { pino } from "pino";
import { Registry } from "prom-client";
import type { Authorize } from "#broker/acl.ts";
import { type Broker, type BrokerOptions, openBroker } from "#broker/broker.ts";
import type { UplinkHandler, UplinkSession } from "#broker/uplink.ts";
import type { GatewayIdentity } from "#telemetry/names.ts";
import type { UplinkChannel } from "#telemetry/topic.ts";
import { poll } from "../../support/poll.ts";

export const corniche: GatewayIdentity = { name: "corniche-1", agency: "mobility" };
export const pumps: GatewayIdentity = { name: "pumps-1", agency: "water" };
const passwords = new Map([
  ["corniche-1", { password: "c", gateway: corniche }],
  ["pumps-1", { password: "p", gateway: pumps }],
]);

interface MetricValue {
  readonly value: number;
  readonly labels: Readonly<Partial<Record<string, string | number>>>;
}

/** What was offered to the uplink handler. */
export interface Offered {
  readonly session: UplinkSession;
  readonly channel: UplinkChannel;
  readonly payload: string;
}

export interface TestBroker extends AsyncDisposable {
  readonly broker: Broker;
  readonly port: number;
  /** Everything the handler was offered, also what it did not take. */
  readonly offered: Offered[];
  /** Set it to decide what is taken; takes everything at first. */
  take: UplinkHandler;
  readonly events: string[];
  readonly logged: Record<string, unknown>[];
  metricValues(name: string): Promise<MetricValue[]>;
  metric(name: string, labels?: Record<string, string>): Promise<number>;
  client(gateway: GatewayIdentity, options?: IClientOptions): Promise<MqttClient>;
  raw(): Promise<RawClient>;
  /** A raw client with its CONNACK behind it. */
  rawConnected(
    gateway: GatewayIdentity,
    options?: { keepalive?: number; clientId?: string; clean?: boolean },
  ): Promise<RawClient>;
}

/** A broker on a free port with two gateways, `corniche` and `pumps`. @param ca  What its clients trust: with `tls`. */
export async function openTestBroker({
  ca,
  ...options
}: Partial<Pick<BrokerOptions, "limits" | "authorize" | "authenticate" | "signal" | "tls">> & {
  ca?: Buffer;
} = {}): Promise<TestBroker> {
  const metrics = new Registry();
  const logged: Record<string, unknown>[] = [];
  const log = pino({ level: "info" }, { write: (line: string) => void logged.push(JSON.parse(line)) });
  const offered: Offered[] = [];
  const events: string[] = [];
  const clients: MqttClient[] = [];
  const raws: RawClient[] = [];
  const broker = await openBroker({
    listen: { host: "127.0.0.1", port: 0 },
    authenticate: async (name, password) => {
      const known = passwords.get(name);
      return known !== undefined && known.password === Buffer.from(password).toString()
        ? known.gateway
        : undefined;
    },
    onUplink: (session, channel, payload) => {
      offered.push({ session, channel, payload: Buffer.from(payload).toString() });
      return test.take(session, channel, payload);
    },
    onConnect: ({ name }) => events.push(`+${name}`),
    onDisconnect: ({ name }) => events.push(`-${name}`),
    log,
    metrics,
    ...options,
  });
  const { port } = broker.address;
  const test: TestBroker = {
    broker,
    port,
    offered,
    take: () => true,
    events,
    logged,
    async metricValues(name) {
      return (await metrics.getSingleMetric(`marsad_broker_${name}`)?.get())?.values ?? [];
    },
    async metric(name, labels = {}) {
      const values = await test.metricValues(name);
      const found = values.find((value) =>
        Object.entries(labels).every(([key, label]) => value.labels[key] === label),
      );
      return found?.value ?? 0;
    },
    async client(gateway, clientOptions = {}) {
      const client = await connectAsync(`${ca ? "mqtts" : "mqtt"}://127.0.0.1:${port}`, {
        ...(ca && { ca }),
        username: gateway.name,
        password: passwords.get(gateway.name)?.password ?? "",
        reconnectPeriod: 0,
        ...clientOptions,
      });
      client.on("error", () => {});
      clients.push(client);
      return client;
    },
    async raw() {
      const raw = await openRawClient(port, ca);
      raws.push(raw);
      return raw;
    },
    async rawConnected(gateway, { keepalive = 0, clientId = "raw", clean = true } = {}) {
      const raw = await test.raw();
      raw.send({
        cmd: "connect",
        clientId,
        clean,
        keepalive,
        protocolId: "MQTT",
        protocolVersion: 4,
        username: gateway.name,
        password: Buffer.from(passwords.get(gateway.name)?.password ?? ""),
      });
      await raw.next("connack");
      return raw;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(clients.map((client) => client.endAsync(true)));
      for (const raw of raws) raw.socket.destroy();
      await broker[Symbol.asyncDispose]();
    },
  };
  return test;
}

/** A socket that speaks MQTT packet by packet, also wrongly. */
export interface RawClient {
  readonly socket: Socket;
  /** Packets received and not asked for yet. */
  readonly received: Packet[];
  readonly closed: Promise<void>;
  send(...packets: (Packet | Uint8Array)[]): void;
  /** Takes the next packet of this kind out of `received`; waits for it. */
  next<Cmd extends Packet["cmd"]>(cmd: Cmd): Promise<Extract<Packet, { cmd: Cmd }>>;
}

async function openRawClient(port: number, ca: Buffer | undefined): Promise<RawClient> {
  const socket = ca ? connectTls({ port, host: "127.0.0.1", ca }) : connectTcp(port, "127.0.0.1");
  const received: Packet[] = [];
  const reader = parser();
  reader.on("packet", (packet) => received.push(packet));
  socket.on("data", (chunk) => reader.parse(chunk));
  socket.on("error", () => {});
  let ended = false;
  const closed = new Promise<void>((resolve) =>
    socket.once("close", () => {
      ended = true;
      resolve();
    }),
  );
  await once(socket, ca ? "secureConnect" : "connect");
  return {
    socket,
    received,
    closed,
    send(...packets) {
      socket.write(
        Buffer.concat(packets.map((packet) => (packet instanceof Uint8Array ? packet : generate(packet)))),
      );
    },
    async next(cmd) {
      return await poll(
        () => {
          const at = received.findIndex((packet) => packet.cmd === cmd);
          if (at !== -1) return received.splice(at, 1)[0] as Extract<Packet, { cmd: typeof cmd }>;
          if (ended) throw new Error(`closed while waiting for ${cmd}`);
          return undefined;
        },
        { interval: 5, timeout: 20_000 },
      );
    },
  };
}

/** A PUBLISH of readings. */
export function reading(
  gateway: GatewayIdentity,
  messageId: number,
  payload: string | Buffer,
  qos: 0 | 1 = 1,
): Packet {
  return {
    cmd: "publish",
    topic: `marsad/${gateway.agency}/${gateway.name}/up/lp`,
    payload,
    qos,
    retain: false,
    dup: false,
    ...(qos > 0 && { messageId }),
  };
}

/** Is the client still connected, and is its ping answered? */
export async function answersPing(client: RawClient): Promise<boolean> {
  client.send(pingreq);
  return (await client.next("pingresp")).cmd === "pingresp";
}

export const pingreq: Packet = { cmd: "pingreq" };

/** Everything but `$SYS` is allowed. */
export const permissive: Authorize = () => true;
