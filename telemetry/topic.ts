import { hasAt } from "./bytes.ts";
import type { GatewayIdentity } from "./names.ts";

/** How readings are spelled. */
export const readingFormats = ["lp", "json", "senml"] as const;
export type ReadingFormat = (typeof readingFormats)[number];
/** What a gateway may send readings as: the last level of `up/…`. `lp-zstd` is `lp`, compressed. */
export const uplinkFormats = [...readingFormats, "lp-zstd"] as const;
export type UplinkFormat = (typeof uplinkFormats)[number];
/** The channels of the uplink fast path. */
export type UplinkChannel = UplinkFormat | "birth";
export const uplinkChannels = [...uplinkFormats, "birth"] as const satisfies readonly UplinkChannel[];

/** What the platform tells a gateway: the last level of `down/…`. */
export const downlinkKinds = ["nack", "config", "rebirth", "time"] as const;
export type DownlinkKind = (typeof downlinkKinds)[number];

/** Everything a gateway sends and hears lies below this: `marsad/{agency}/{gateway}/`. */
export function topicPrefix(gateway: GatewayIdentity): string {
  return `marsad/${gateway.agency}/${gateway.name}/`;
}

export interface GatewayTopics {
  readonly prefix: string;
  readonly birth: string;
  readonly status: string;
  readonly up: Readonly<Record<UplinkFormat, string>>;
  readonly down: Readonly<Record<DownlinkKind, string>>;
  /** What a gateway subscribes to. */
  readonly downFilter: string;
}

/** All topics of one gateway. */
export function topics(agency: string, gateway: string): GatewayTopics {
  const prefix = topicPrefix({ agency, name: gateway });
  return {
    prefix,
    birth: `${prefix}birth`,
    status: `${prefix}status`,
    up: {
      lp: `${prefix}up/lp`,
      json: `${prefix}up/json`,
      senml: `${prefix}up/senml`,
      "lp-zstd": `${prefix}up/lp-zstd`,
    },
    down: {
      nack: `${prefix}down/nack`,
      config: `${prefix}down/config`,
      rebirth: `${prefix}down/rebirth`,
      time: `${prefix}down/time`,
    },
    downFilter: `${prefix}down/#`,
  };
}

const encoder = new TextEncoder();
const suffixes = uplinkChannels.map((channel) => ({
  channel,
  bytes: encoder.encode(channel === "birth" ? "birth" : `up/${channel}`),
}));

/** `topicPrefix` as the bytes that `matchUplink` compares with; once a connection. */
export function topicPrefixBytes(gateway: GatewayIdentity): Uint8Array {
  return encoder.encode(topicPrefix(gateway));
}

/**
 * The uplink channel of the topic `buffer[start, end)`, if it is one of the connection whose prefix is `prefix`;
 * undefined for every other topic. Once per message, so: bytes, no string.
 */
export function matchUplink(
  buffer: Uint8Array,
  start: number,
  end: number,
  prefix: Uint8Array,
): UplinkChannel | undefined {
  const rest = end - start - prefix.length;
  if (rest < 0) return undefined;
  // From the end: topics of one agency differ there.
  for (let i = prefix.length - 1; i >= 0; i -= 1) {
    if (buffer[start + i] !== prefix[i]) return undefined;
  }
  const from = start + prefix.length;
  for (const { channel, bytes } of suffixes) {
    if (bytes.length === rest && hasAt(buffer, from, bytes)) return channel;
  }
  return undefined;
}

/** `matchUplink` for a whole topic, given as text or bytes. */
export function uplinkChannel(
  topic: string | Uint8Array,
  prefix: string | Uint8Array,
): UplinkChannel | undefined {
  const bytes = typeof topic === "string" ? encoder.encode(topic) : topic;
  return matchUplink(bytes, 0, bytes.length, typeof prefix === "string" ? encoder.encode(prefix) : prefix);
}

/** May `gateway` publish to `topic`? Only below its own prefix, and there only readings, its birth and its status. */
export function mayPublish(gateway: GatewayIdentity, topic: string): boolean {
  const own = topicPrefix(gateway);
  if (!topic.startsWith(own)) return false;
  const rest = topic.slice(own.length);
  return rest === "status" || rest === "birth" || uplinkFormats.some((format) => rest === `up/${format}`);
}

/** May `gateway` subscribe to `filter`? Only to what is told to it: its own `down/#` and everything below. */
export function maySubscribe(gateway: GatewayIdentity, filter: string): boolean {
  return filter.startsWith(`${topicPrefix(gateway)}down/`);
}
