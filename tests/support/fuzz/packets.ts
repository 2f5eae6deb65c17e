import { generate, type Packet } from "mqtt-packet";
import type { GatewayIdentity } from "#telemetry/names.ts";
import { topics } from "#telemetry/topic.ts";
import type { Chance } from "./chance.ts";
import { mutate } from "./mutate.ts";
import type { Payloads } from "./payloads.ts";

/** Frames of one gateway, good ones and damaged ones. */
export class Packets {
  readonly #chance: Chance;
  readonly #payloads: Payloads;
  readonly #identity: GatewayIdentity;
  readonly #password: string;
  #id = 0;

  constructor(chance: Chance, payloads: Payloads, identity: GatewayIdentity, password: string) {
    this.#chance = chance;
    this.#payloads = payloads;
    this.#identity = identity;
    this.#password = password;
  }

  connect(): Buffer {
    const { agency, name } = this.#identity;
    return generate({
      cmd: "connect",
      clientId: `fuzz-${this.#chance.below(1000)}`,
      clean: this.#chance.below(8) > 0,
      keepalive: this.#chance.pick([0, 60, 65_535]),
      protocolId: "MQTT",
      protocolVersion: 4,
      username: name,
      password: Buffer.from(this.#password),
      ...(this.#chance.oneIn(3) && {
        will: { topic: topics(agency, name).status, payload: Buffer.from("gone"), qos: 1, retain: true },
      }),
    });
  }

  /** Any frame, as a gateway may send it. */
  good(): Buffer {
    const { agency, name } = this.#identity;
    const { up, birth, status, downFilter } = topics(agency, name);
    const format = this.#chance.pick(["lp", "lp", "json", "senml", "lp-zstd"] as const);
    this.#id = (this.#id % 65_535) + 1;
    const messageId = this.#id;
    const publish = { cmd: "publish", dup: false, retain: false, messageId } as const;
    const packets: (() => Packet)[] = [
      () => ({ ...publish, topic: up[format], qos: 1, payload: Buffer.from(this.#payloads.next(format)) }),
      () => ({ ...publish, topic: up[format], qos: 1, payload: Buffer.from(this.#payloads.next(format)) }),
      () => ({ ...publish, topic: up[format], qos: 0, payload: Buffer.from(this.#payloads.next(format)) }),
      () => ({ ...publish, topic: birth, qos: 1, payload: Buffer.from(this.#payloads.birth(name)) }),
      () => ({
        ...publish,
        topic: status,
        qos: this.#chance.pick([0, 1, 2] as const),
        retain: true,
        payload: "up",
      }),
      () => ({ cmd: "subscribe", messageId, subscriptions: [{ topic: downFilter, qos: 2 }] }),
      () => ({ cmd: "unsubscribe", messageId, unsubscriptions: [downFilter] }),
      () => ({ cmd: "pubrel", messageId }),
      () => ({ cmd: "pubrec", messageId }),
      () => ({ cmd: "puback", messageId }),
      () => ({ cmd: "pingreq" }),
    ];
    return generate(this.#chance.pick(packets)());
  }

  /** A frame that is wrong in one of the ways in which frames are. */
  bad(): Buffer {
    const frame = this.good();
    switch (this.#chance.below(10)) {
      case 0: // other flags: DUP, QoS 2 and 3, RETAIN
        frame[0] = (frame[0]! & 0xf0) | this.#chance.below(16);
        return frame;
      case 1: // another type, CONNECT again among them
        frame[0] = (frame[0]! & 0x0f) | (this.#chance.below(16) << 4);
        return frame;
      case 2: // a length that is not its own
        frame[1] = this.#chance.below(256);
        return frame;
      case 3: // a length of five bytes, or of 256 MB
        return Buffer.concat([
          frame.subarray(0, 1),
          Buffer.of(0xff, 0xff, 0xff, this.#chance.pick([0xff, 0x7f])),
          frame.subarray(1),
        ]);
      case 4: // half of it
        return frame.subarray(0, this.#chance.below(frame.length));
      case 5: // what a server sends
        return generate(
          this.#chance.pick<Packet>([
            { cmd: "connack", returnCode: 0, sessionPresent: false },
            { cmd: "suback", messageId: 4, granted: [0] },
            { cmd: "unsuback", messageId: 4, granted: [] },
            { cmd: "pingresp" },
          ]),
        );
      case 6:
        return this.connect();
      case 7: // noise
        return this.#chance.bytes(1 + this.#chance.below(60));
      default:
        return mutate(frame, this.#chance);
    }
  }
}
