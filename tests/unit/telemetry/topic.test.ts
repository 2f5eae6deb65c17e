import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  matchUplink,
  maySubscribe,
  mayPublish,
  topicPrefix,
  topicPrefixBytes,
  topics,
  uplinkChannel,
} from "#telemetry/topic.ts";
import type { UplinkChannel } from "#telemetry/topic.ts";
import { bytesOf } from "./support.ts";

const gateway = { agency: "water", name: "gw-1" };

test("a gateway's topics lie below its prefix", () => {
  const own = topics("water", "gw-1");
  expect(own).toMatchObject({
    prefix: "marsad/water/gw-1/",
    birth: "marsad/water/gw-1/birth",
    status: "marsad/water/gw-1/status",
    up: { lp: "marsad/water/gw-1/up/lp", json: "marsad/water/gw-1/up/json" },
    down: { nack: "marsad/water/gw-1/down/nack" },
    downFilter: "marsad/water/gw-1/down/#",
  });
});

const publishable: Record<string, UplinkChannel | undefined> = {
  "marsad/water/gw-1/up/lp": "lp",
  "marsad/water/gw-1/up/json": "json",
  "marsad/water/gw-1/up/senml": "senml",
  "marsad/water/gw-1/up/lp-zstd": "lp-zstd",
  "marsad/water/gw-1/birth": "birth",
  "marsad/water/gw-1/status": undefined,
};
const refused = [
  "",
  "marsad/water/gw-1/",
  "marsad/water/gw-1/up",
  "marsad/water/gw-1/up/",
  "marsad/water/gw-1/up/lp/",
  "marsad/water/gw-1/up/lp/x",
  "marsad/water/gw-1/up/LP",
  "marsad/water/gw-1/up/lp-zst",
  "marsad/water/gw-1/up/zstd",
  "marsad/water/gw-1/up/+",
  "marsad/water/gw-1/births",
  "marsad/water/gw-1/down/nack",
  "marsad/water/gw-2/up/lp",
  "marsad/water/gw-11/up/lp",
  "marsad/energy/gw-1/up/lp",
  "/marsad/water/gw-1/up/lp",
  "$SYS/up/lp",
];

describe("a gateway publishes", () => {
  test.each(Object.entries(publishable))("to %s, as channel %s", (topic, channel) => {
    expect(mayPublish(gateway, topic)).toBe(true);
    expect(uplinkChannel(topic, topicPrefix(gateway))).toBe(channel);
    expect(uplinkChannel(bytesOf(topic), topicPrefixBytes(gateway))).toBe(channel);
  });

  test.each(refused)("not to %j", (topic) => {
    expect(mayPublish(gateway, topic)).toBe(false);
    expect(uplinkChannel(topic, topicPrefix(gateway))).toBeUndefined();
  });
});

test("the uplink's check looks at the topic's bytes alone", () => {
  const prefix = topicPrefixBytes(gateway);
  const topic = fc.oneof(fc.constantFrom(...Object.keys(publishable), ...refused), fc.string());
  fc.assert(
    fc.property(fc.uint8Array(), topic, fc.uint8Array(), (before, text, after) => {
      const bytes = bytesOf(text);
      const buffer = Uint8Array.from([...before, ...bytes, ...after]);
      const channel = matchUplink(buffer, before.length, before.length + bytes.length, prefix);
      expect(channel).toBe(Object.hasOwn(publishable, text) ? publishable[text] : undefined);
    }),
  );
});

test.each([
  ["marsad/water/gw-1/down/#", true],
  ["marsad/water/gw-1/down/+", true],
  ["marsad/water/gw-1/down/nack", true],
  ["marsad/water/gw-1/down", false],
  ["marsad/water/gw-1/#", false],
  ["marsad/water/+/down/#", false],
  ["marsad/water/gw-2/down/#", false],
  ["#", false],
  ["$SYS/#", false],
])("may it subscribe to %s? %s", (filter, allowed) => {
  expect(maySubscribe(gateway, filter)).toBe(allowed);
});
