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

export interface LoadConnectionOptions {
  readonly host: string;
  readonly port: number;
  readonly gateway: LoadGateway;
  readonly series: number;
  /** Readings a message. */
  readonly batch: number;
  /** Event time of the first readings, milliseconds since 1970. */
  readonly startTime: number;
}

/** Bytes unacknowledged on a connection, below the platform's bound. */
const windowBytes = 640 * 1024;
const windowMessages = 4_000;
/** There are so many packet identifiers. */
const mostUnacknowledged = 65_000;
const pubackBytes = 4;
/** Of one birth message: it must stay below the broker's largest packet. */
const sensorsPerBirth = 4_000;

/** Where all sensors are. */
export const place = "QA-DA";

export function sensorsOf(gateway: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${gateway}.${index}`);
}

/** A gateway's connection that sends QoS 1 messages and counts their PUBACKs, which come in order. */
export class LoadConnection {
  readonly #socket: Socket;
  readonly #gateway: LoadGateway;
  readonly #sensors: readonly string[];
  readonly #templates: MessageTemplates;
  readonly #lost = Promise.withResolvers<never>();
  readonly #window: number;
  #sent = 0;
  #acknowledgedBytes = 0;
  #onAcknowledged: () => void = () => {};

  private constructor(socket: Socket, { gateway, series, batch, startTime }: LoadConnectionOptions) {
    this.#socket = socket;
    this.#gateway = gateway;
    this.#sensors = sensorsOf(gateway.gateway, series);
    const { up } = topics(gateway.agency, gateway.gateway);
    this.#templates = new MessageTemplates({ topic: up.lp, sensors: this.#sensors, batch, startTime });
    this.#window = Math.max(
      1,
      Math.min(windowMessages, Math.floor(windowBytes / this.#templates.messageBytes)),
    );
    this.#lost.promise.catch(() => undefined); // whoever publishes awaits it
  }

  static async open(options: LoadConnectionOptions): Promise<LoadConnection> {
    const { host, port, gateway } = options;
    const socket = connect({ host, port, noDelay: true });
    const connection = new LoadConnection(socket, options);
    socket.write(
      generate({
        cmd: "connect",
        protocolId: "MQTT",
        protocolVersion: 4,
        clean: true,
        clientId: gateway.gateway,
        keepalive: 600,
        username: gateway.gateway,
        password: Buffer.from(gateway.password),
      }),
    );
    const connack = await firstBytes(socket);
    if (connack[3] !== 0) throw new Error(`the platform refused ${gateway.gateway}: CONNACK ${connack[3]}`);
    socket.on("data", ({ length }) => {
      connection.#acknowledgedBytes += length;
      connection.#onAcknowledged();
    });
    socket.on("error", connection.#lost.reject);
    socket.on("close", () =>
      connection.#lost.reject(new Error(`the platform closed ${gateway.gateway}'s connection`)),
    );
    return connection;
  }

  /** Messages that have their PUBACK. */
  get acknowledged(): number {
    return Math.floor(this.#acknowledgedBytes / pubackBytes);
  }

  /** Messages that hold one reading of each series. */
  get messagesPerRound(): number {
    return this.#templates.count;
  }

  /** Tells of the sensors, piece by piece. @returns how many messages that took */
  async register(): Promise<number> {
    const { agency, gateway } = this.#gateway;
    const { birth: topic } = topics(agency, gateway);
    let births = 0;
    for (let first = 0; first < this.#sensors.length; first += sensorsPerBirth) {
      const ids = this.#sensors.slice(first, first + sensorsPerBirth);
      const payload = formatBirth({ agent: "bench", sensors: ids.map((id) => ({ id, place })) });
      this.#socket.write(
        generate({ cmd: "publish", topic, payload, qos: 1, messageId: 65_535, retain: false, dup: false }),
      );
      this.#sent += 1;
      births += 1;
      await this.#until(() => this.acknowledged === this.#sent);
    }
    return births;
  }

  /** Publishes as fast as PUBACKs allow, until `end` (of `performance.now`) or for so many messages, and waits for the last PUBACK. */
  async publishUntil(end: number, maxMessages: number): Promise<void> {
    const before = this.#sent;
    await this.#until(() => {
      const underWay = this.#sent - this.acknowledged;
      const isOver = performance.now() >= end;
      const room = isOver ? 0 : Math.min(this.#window - underWay, maxMessages - (this.#sent - before));
      // Half a window at a time: fewer, larger writes.
      if (room >= this.#window / 2 || (room > 0 && underWay === 0)) this.#send(room);
      return this.#sent === this.acknowledged;
    });
  }

  /**
   * Publishes by the clock, however slow PUBACKs come: message n is due at `start + n * interval` (milliseconds of `performance.now`).
   * @param latencies  Gets, for each message, the milliseconds from when it was due until its PUBACK came.
   */
  async publishAtRate(
    { start, interval, messages }: { start: number; interval: number; messages: number },
    latencies: number[],
  ): Promise<void> {
    const before = this.#sent;
    let due = 0;
    let answered = 0;
    const timer = setInterval(() => {
      due = Math.min(messages, Math.floor((performance.now() - start) / interval) + 1);
      const room = Math.min(
        due - (this.#sent - before),
        mostUnacknowledged - (this.#sent - this.acknowledged),
      );
      if (room > 0) this.#send(room);
    }, 1);
    try {
      await this.#until(() => {
        const now = performance.now();
        for (; answered < this.acknowledged - before; answered++)
          latencies.push(now - (start + answered * interval));
        return answered === messages;
      });
    } finally {
      clearInterval(timer);
    }
  }

  close(): void {
    this.#socket.destroy();
  }

  #send(messages: number): void {
    this.#socket.write(this.#templates.next(messages));
    this.#sent += messages;
  }

  /** Asks now and after each PUBACK. */
  async #until(isDone: () => boolean): Promise<void> {
    if (isDone()) return;
    const done = Promise.withResolvers<void>();
    this.#onAcknowledged = () => {
      if (isDone()) done.resolve();
    };
    try {
      await Promise.race([done.promise, this.#lost.promise]);
    } finally {
      this.#onAcknowledged = () => {};
    }
  }
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
