import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { type AddressInfo, type Socket, connect as connectTcp, createServer } from "node:net";
import { join } from "node:path";
import { Aedes } from "aedes";
import { type MqttClient, connect } from "mqtt";
import { poll } from "./poll.ts";

export interface Message {
  readonly topic: string;
  readonly payload: Buffer;
  readonly retain: boolean;
}

/** A real MQTT broker of the test's own, on loopback. */
export interface Broker extends AsyncDisposable {
  readonly port: number;
  /** Hears everything below `marsad/`, from the moment that the broker is open; also while nobody else is connected. */
  onMessage: (message: Message) => void;
  /** Publishes at QoS 1. */
  publish(topic: string, payload: string): Promise<void>;
  /** Ends it and its connections. */
  stop(): Promise<void>;
  /** After `stop`: again, on the same port. */
  start(): Promise<void>;
}

export interface AedesOptions {
  /** Passwords by user name; without, everybody may connect. */
  readonly passwords?: Readonly<Record<string, string>>;
}

export async function openAedes({ passwords }: AedesOptions = {}): Promise<Broker> {
  let port = 0;
  let stopServer: () => Promise<void> = nothing;
  const aedes = await Aedes.createBroker({
    authenticate: (_client, username, password, done) =>
      done(null, passwords === undefined || passwords[username ?? ""] === password?.toString()),
  });
  aedes.on("publish", ({ topic, payload, retain }) => {
    if (topic.startsWith("marsad/")) broker.onMessage({ topic, payload: Buffer.from(payload), retain });
  });
  const broker: Broker = {
    get port() {
      return port;
    },
    onMessage: () => {},
    publish: (topic, payload) =>
      new Promise((resolve, reject) => {
        const packet = {
          cmd: "publish",
          topic,
          payload: Buffer.from(payload),
          qos: 1,
          retain: false,
          dup: false,
        } as const;
        aedes.publish(packet, (error) => (error ? reject(error) : resolve()));
      }),
    async start(): Promise<void> {
      const sockets = new Set<Socket>();
      const server = createServer((socket) => {
        sockets.add(socket);
        socket.on("close", () => sockets.delete(socket));
        aedes.handle(socket);
      });
      server.listen(port, "127.0.0.1");
      await once(server, "listening");
      ({ port } = server.address() as AddressInfo);
      stopServer = async () => {
        stopServer = nothing;
        const closed = once(server, "close");
        server.close();
        for (const socket of sockets) socket.destroy();
        await closed;
      };
    },
    stop: () => stopServer(),
    async [Symbol.asyncDispose](): Promise<void> {
      await stopServer();
      await new Promise<void>((resolve) => aedes.close(resolve));
    },
  };
  await broker.start();
  return broker;
}

/** Debian's mosquitto: `requireDebian("mosquitto")` first. @param folder  For its configuration and its memory. */
export async function openMosquitto(folder: string): Promise<Broker> {
  const port = await freePort();
  const home = join(folder, "mosquitto");
  await mkdir(home, { recursive: true });
  const config = join(home, "mosquitto.conf");
  const settings = [
    `listener ${port} 127.0.0.1`,
    "allow_anonymous true",
    "user root",
    "persistence true",
    `persistence_location ${home}/`,
    "max_queued_messages 0",
    "max_inflight_messages 0",
    `log_dest file ${home}/mosquitto.log`,
  ];
  await writeFile(config, `${settings.join("\n")}\n`);
  let stopServer: () => Promise<void> = nothing;
  let observer: MqttClient | undefined;
  const broker: Broker = {
    port,
    onMessage: () => {},
    publish: async (topic, payload) => void (await observer?.publishAsync(topic, payload, { qos: 1 })),
    async start(): Promise<void> {
      const server = spawn("mosquitto", ["-c", config], { stdio: "ignore" });
      const exited = once(server, "exit");
      stopServer = async () => {
        stopServer = nothing;
        await observer?.endAsync(true);
        server.kill("SIGTERM");
        await exited;
      };
      await poll(() => answers(port));
      // A session that outlives the broker, so that nothing is missed while the agent is quicker to return.
      observer = connect(`mqtt://127.0.0.1:${port}`, {
        clientId: "observer",
        clean: false,
        reconnectPeriod: 0,
      });
      observer.on("error", () => {});
      // Before it is connected: what the broker kept for the session comes right behind CONNACK.
      observer.on("message", (topic, payload, { retain }) => broker.onMessage({ topic, payload, retain }));
      await new Promise((resolve) => observer?.once("connect", resolve));
      await observer.subscribeAsync("marsad/#", { qos: 1 });
    },
    stop: () => stopServer(),
    [Symbol.asyncDispose]: () => stopServer(),
  };
  try {
    await broker.start();
  } catch (error) {
    await stopServer();
    throw error;
  }
  return broker;
}

/** Stopping what has stopped. */
async function nothing(): Promise<void> {}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connectTcp(port, "127.0.0.1");
    socket.on("connect", () => resolve(true));
    socket.on("error", () => resolve(false));
    socket.on("close", () => socket.destroy());
    socket.on("connect", () => socket.destroy());
  });
}
