import { connect, type Socket } from "node:net";
import { generate } from "mqtt-packet";
import { formatBirth } from "#telemetry/birth.ts";
import { topics } from "#telemetry/topic.ts";
import { MessageTemplates } from "./message-templates.ts";

/** One virtual gateway of the load: its own connection, sensors and readings. */
export interface LoadGateway {
  readonly gateway: string;
  readonly agency: string;
  readonly password: string;
}

export interface LoadOptions {
  readonly host: string;
  readonly port: number;
  readonly gateways: readonly LoadGateway[];
  /** Series of each gateway; a multiple of `batch`, or a divisor. */
  readonly seriesPerGateway: number;
  /** Readings a message. */
  readonly batch: number;
  readonly seconds: number;
  /** Readings at most, over all gateways; the run ends at whichever bound comes first. */
  readonly maxReadings: number;
  /** Event time of the first readings, milliseconds since 1970. */
  readonly startTime: number;
}

export interface LoadResult {
  readonly acknowledged: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
}

/** Bytes unacknowledged on a connection, below the platform's bound. */
const windowBytes = 640 * 1024;
const windowMessages = 4_000;
const pubackBytes = 4;

/** Publishes as fast as PUBACKs allow, then waits for the last of them. */
export async function runLoad(options: LoadOptions): Promise<LoadResult> {
  const connections = await Promise.all(
    options.gateways.map(async (gateway) => await openConnection(options, gateway)),
  );
  const cpu = process.cpuUsage();
  const start = performance.now();
  const end = start + options.seconds * 1_000;
  const share = Math.floor(options.maxReadings / options.gateways.length);
  await Promise.all(connections.map(async (connection) => await connection.publishUntil(end, share)));
  const seconds = (performance.now() - start) / 1_000;
  const { user, system } = process.cpuUsage(cpu);
  for (const connection of connections) connection.close();
  const acknowledged = connections.reduce((sum, connection) => sum + connection.acknowledged, 0);
  return { acknowledged, seconds, cpuSeconds: (user + system) / 1e6 };
}

interface LoadConnection {
  readonly acknowledged: number;
  publishUntil(end: number, maxReadings: number): Promise<void>;
  close(): void;
}

async function openConnection(
  options: LoadOptions,
  { gateway, agency, password }: LoadGateway,
): Promise<LoadConnection> {
  const { host, port, seriesPerGateway, batch, startTime } = options;
  const socket = connect({ host, port, noDelay: true });
  const { birth, up } = topics(agency, gateway);
  const ids = Array.from({ length: seriesPerGateway }, (_, index) => `${gateway}.${index}`);
  const templates = new MessageTemplates({ topic: up.lp, sensors: ids, batch, startTime });
  socket.write(
    generate({
      cmd: "connect",
      protocolId: "MQTT",
      protocolVersion: 4,
      clean: true,
      clientId: gateway,
      keepalive: 600,
      username: gateway,
      password: Buffer.from(password),
    }),
  );
  const connack = await firstBytes(socket);
  if (connack[3] !== 0) throw new Error(`the platform refused ${gateway}: CONNACK ${connack[3]}`);
  const sensors = ids.map((id) => ({ id, place: "QA-DA" }));
  const payload = formatBirth({ agent: "bench", sensors });
  socket.write(
    generate({ cmd: "publish", topic: birth, payload, qos: 1, messageId: 65_535, retain: false, dup: false }),
  );
  await firstBytes(socket);

  let acknowledged = 0;
  return {
    get acknowledged() {
      return acknowledged;
    },
    async publishUntil(end, maxReadings) {
      const maxMessages = Math.floor(maxReadings / batch);
      const window = Math.max(1, Math.min(windowMessages, Math.floor(windowBytes / templates.messageBytes)));
      let sent = 0;
      let acked = 0;
      let ackedBytes = 0;
      const done = Promise.withResolvers<void>();
      const fill = (): void => {
        const stop = performance.now() >= end;
        const room = stop ? 0 : Math.min(window - (sent - acked), maxMessages - sent);
        // Half a window at a time: fewer, larger writes.
        if (room >= window / 2 || (room > 0 && sent === acked)) {
          socket.write(templates.next(room));
          sent += room;
        }
        if (sent === acked && (stop || sent >= maxMessages)) done.resolve();
      };
      socket.on("data", (bytes) => {
        ackedBytes += bytes.length;
        acked = Math.floor(ackedBytes / pubackBytes);
        acknowledged = acked * batch;
        fill();
      });
      socket.on("close", () => done.reject(new Error(`the platform closed ${gateway}'s connection`)));
      fill();
      await done.promise;
      socket.removeAllListeners("close");
    },
    close: () => socket.destroy(),
  };
}

async function firstBytes(socket: Socket): Promise<Buffer> {
  return await new Promise((resolve, reject) => {
    socket.once("error", reject);
    socket.once("data", (bytes) => {
      socket.off("error", reject);
      resolve(Buffer.from(bytes));
    });
  });
}
