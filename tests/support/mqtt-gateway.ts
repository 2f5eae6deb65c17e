import { setTimeout as sleep } from "node:timers/promises";
import { type MqttClient, connectAsync, type IClientOptions } from "mqtt";
import { formatBirth } from "#telemetry/birth.ts";
import type { GatewayIdentity } from "#telemetry/names.ts";
import { type Nack, parseNack, parseRebirth, type Rebirth } from "#telemetry/nack.ts";
import { type GatewayTopics, topics, type UplinkFormat } from "#telemetry/topic.ts";
import { poll } from "./poll.ts";

/** Somebody else's device as a gateway: mqtt.js, connected, listening to its own `down/#`. */
export interface MqttGateway extends AsyncDisposable {
  readonly client: MqttClient;
  readonly identity: GatewayIdentity;
  readonly topics: GatewayTopics;
  readonly nacks: readonly Nack[];
  readonly rebirths: readonly Rebirth[];
  /** QoS 1; resolves with the PUBACK. */
  publish(topic: string, payload: string | Uint8Array): Promise<void>;
  send(payload: string | Uint8Array, format?: UplinkFormat): Promise<void>;
  /** Says who is behind it; resolves with the PUBACK. */
  birth(sensors: readonly string[]): Promise<void>;
  /** What the platform told about a reading refused for `reason`. */
  refusal(reason: Nack["rejections"][number]["reason"]): Promise<Nack["rejections"][number]>;
}

export interface MqttGatewayOptions {
  readonly identity: GatewayIdentity;
  readonly password: string;
  readonly port: number;
  readonly client?: IClientOptions;
}

/** Milliseconds, which is no measurement: what waits longer has failed. */
const pubackWithin = 60_000;

export async function connectGateway(options: MqttGatewayOptions): Promise<MqttGateway> {
  const { identity, password, port, client: clientOptions } = options;
  const own = topics(identity.agency, identity.name);
  const client = await connectAsync(`mqtt://127.0.0.1:${port}`, {
    username: identity.name,
    password,
    clientId: identity.name,
    reconnectPeriod: 0,
    ...clientOptions,
  });
  client.on("error", () => {}); // "close" follows
  const nacks: Nack[] = [];
  const rebirths: Rebirth[] = [];
  client.on("message", (topic, payload) => {
    if (topic === own.down.nack) nacks.push(expectOk(parseNack(payload)));
    if (topic === own.down.rebirth) rebirths.push(expectOk(parseRebirth(payload)));
  });
  await client.subscribeAsync(own.downFilter, { qos: 1 });
  const publish = async (topic: string, payload: string | Uint8Array): Promise<void> => {
    const puback = client.publishAsync(topic, Buffer.from(payload), { qos: 1 });
    const patience = new AbortController();
    const tooLong = sleep(pubackWithin, undefined, { signal: patience.signal }).then(() => {
      throw new Error(`no PUBACK for ${topic} within ${pubackWithin} ms`);
    });
    try {
      await Promise.race([puback, tooLong]);
    } finally {
      patience.abort();
    }
  };
  return {
    client,
    identity,
    topics: own,
    publish,
    nacks,
    rebirths,
    send: (payload, format = "lp") => publish(own.up[format], payload),
    birth: (sensors) =>
      publish(
        own.birth,
        formatBirth({ agent: "test", sensors: sensors.map((id) => ({ id, place: "QA-DA" })) }),
      ),
    refusal: (reason) =>
      poll(() => nacks.flatMap(({ rejections }) => rejections).find((one) => one.reason === reason)),
    [Symbol.asyncDispose]: () => client.endAsync(true),
  };
}

function expectOk<Message>(parsed: { ok: true; message: Message } | { ok: false; detail: string }): Message {
  if (!parsed.ok)
    throw new Error(`the platform told something that its own schema refuses: ${parsed.detail}`);
  return parsed.message;
}
