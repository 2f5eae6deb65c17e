import * as fc from "fast-check";
import { generate, type Packet } from "mqtt-packet";
import { describe, expect, test } from "vitest";
import { type FrameSink, FrameSplitter } from "#broker/frame-splitter.ts";
import { release } from "#runtime/release.ts";
import { topicPrefixBytes, uplinkChannel } from "#telemetry/topic.ts";

const limits = { connectBytes: 1024, packetBytes: 4096 };
const own = "marsad/mobility/corniche-1/";
const prefix = topicPrefixBytes({ agency: "mobility", name: "corniche-1" });
const connect = generate({
  cmd: "connect",
  clientId: "c",
  clean: true,
  keepalive: 0,
  protocolId: "MQTT",
  protocolVersion: 4,
});

interface Found {
  readonly found: string[];
  readonly splitter: FrameSplitter;
}

/** Writes down everything as text; opens at once after the CONNECT, as if the CONNACK were there. */
function record(behaviour: { open?: boolean; after?: (splitter: FrameSplitter) => void } = {}): Found {
  const found: string[] = [];
  const sink: FrameSink = {
    connect: (frame) => {
      found.push(`connect ${hex(frame)}`);
      if (behaviour.open ?? true) splitter.open(prefix);
    },
    uplink: (channel, packetId, payload, frameBytes) => {
      found.push(`${channel} ${packetId} ${frameBytes} ${hex(payload)}`);
      behaviour.after?.(splitter);
    },
    other: (frame) => {
      found.push(`other ${hex(frame)}`);
      behaviour.after?.(splitter);
    },
    fault: (fault) => found.push(`fault ${fault}`),
  };
  const splitter = new FrameSplitter(sink, limits);
  return { found, splitter };
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

function isUplink(topic: string): boolean {
  return uplinkChannel(topic, own) !== undefined;
}

/** `bytes` in pieces that end at `cuts` (any order, out of range allowed). */
function cut(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const ends = [...new Set([...cuts.map((at) => at % bytes.length), bytes.length])].sort((a, b) => a - b);
  return ends.map((end, i) => bytes.slice(i === 0 ? 0 : ends[i - 1], end));
}

const publish = fc
  .record({
    topic: fc.constantFrom(
      `${own}up/lp`,
      `${own}up/json`,
      `${own}birth`,
      `${own}status`,
      "marsad/water/x/up/lp",
      "a",
    ),
    payload: fc.uint8Array({ maxLength: 600 }).map((bytes) => Buffer.from(bytes)),
    qos: fc.constantFrom(0 as const, 1 as const),
    messageId: fc.integer({ min: 1, max: 65_535 }),
    retain: fc.boolean(),
  })
  .map((parts): Packet => ({ cmd: "publish", dup: false, ...parts }));
const packet = fc.oneof(
  { weight: 4, arbitrary: publish },
  fc.constant<Packet>({ cmd: "pingreq" }),
  fc.constant<Packet>({ cmd: "subscribe", messageId: 9, subscriptions: [{ topic: "a/#", qos: 1 }] }),
);

describe("the frame splitter", () => {
  test("needs a chunk of nothing but readings, whole or not, no more", () => {
    const splitter = new FrameSplitter(
      {
        connect: () => splitter.open(prefix),
        uplink: () => {},
        other: () => {},
        fault: (fault) => expect.unreachable(fault),
      },
      limits,
    );
    const reading = generate({
      cmd: "publish",
      topic: `${own}up/lp`,
      payload: Buffer.alloc(50),
      qos: 0,
      dup: false,
      retain: false,
    });
    expect(splitter.push(connect)).toBe(false);
    expect(splitter.push(reading)).toBe(true);
    expect(splitter.push(reading.subarray(0, 20))).toBe(true);
    expect(splitter.push(reading.subarray(20))).toBe(true);
    expect(splitter.push(generate({ cmd: "pingreq" }))).toBe(false);
    splitter.pause();
    expect(splitter.push(reading)).toBe(false);
  });

  test("says that a chunk's memory is free only when no frame that may be kept lies in it", () => {
    fc.assert(
      fc.property(
        fc.array(packet, { maxLength: 12 }),
        fc.array(fc.nat(), { maxLength: 12 }),
        (packets, cuts) => {
          const kept: Uint8Array[] = [];
          const payloads: string[] = [];
          const keep = (frame: Uint8Array): void => void kept.push(frame);
          const sink: FrameSink = {
            connect: (frame) => {
              keep(frame);
              splitter.open(prefix);
            },
            uplink: (_, __, payload) => payloads.push(hex(payload)),
            other: keep,
            fault: (fault) => expect.unreachable(fault),
          };
          const splitter = new FrameSplitter(sink, limits);
          const frames = [connect, ...packets.map((one) => generate(one))];
          for (const piece of cut(Buffer.concat(frames), cuts)) {
            const chunk = new Uint8Array(piece);
            if (splitter.push(chunk)) release(chunk);
          }
          const uplinks = packets.map((sent) => sent.cmd === "publish" && isUplink(sent.topic));
          expect(kept.map(hex)).toEqual(frames.filter((_, i) => uplinks[i - 1] !== true).map(hex));
          expect(payloads).toHaveLength(uplinks.filter(Boolean).length);
        },
      ),
    );
  });

  test("gives readings and births to the uplink and everything else on as it is", () => {
    const { found, splitter } = record();
    const status = generate({
      cmd: "publish",
      topic: `${own}status`,
      payload: "on",
      qos: 0,
      retain: true,
      dup: false,
    });
    const ping = generate({ cmd: "pingreq" });
    splitter.push(
      Buffer.concat([
        connect,
        generate({
          cmd: "publish",
          topic: `${own}up/lp`,
          payload: "ab",
          qos: 1,
          messageId: 513,
          retain: true,
          dup: true,
        }),
        status,
        generate({ cmd: "publish", topic: `${own}birth`, payload: "", qos: 0, retain: false, dup: false }),
        ping,
      ]),
    );
    expect(found).toEqual([
      `connect ${connect.toString("hex")}`,
      `lp 513 ${2 + 2 + own.length + 5 + 2 + 2} 6162`,
      `other ${status.toString("hex")}`,
      `birth 0 ${2 + 2 + own.length + 5} `,
      `other ${ping.toString("hex")}`,
    ]);
  });

  test("finds the same frames however the bytes are cut", () => {
    fc.assert(
      fc.property(
        fc.array(packet, { maxLength: 12 }),
        fc.array(fc.nat(), { maxLength: 40 }),
        (packets, cuts) => {
          const bytes = Buffer.concat([connect, ...packets.map((each) => generate(each))]);
          const whole = record();
          whole.splitter.push(bytes);
          const pieces = record();
          for (const piece of cut(bytes, cuts)) pieces.splitter.push(piece);
          expect(pieces.found).toEqual(whole.found);
          expect(whole.found).toHaveLength(1 + packets.length);
        },
      ),
    );
  });

  test("finds the same frames byte by byte, and when it is paused after each", () => {
    fc.assert(
      fc.property(fc.array(packet, { maxLength: 6 }), (packets) => {
        const bytes = Buffer.concat([connect, ...packets.map((each) => generate(each))]);
        const whole = record();
        whole.splitter.push(bytes);
        const single = record();
        for (const byte of bytes) single.splitter.push(Uint8Array.of(byte));
        expect(single.found).toEqual(whole.found);
        const paused = record({ after: (splitter) => splitter.pause() });
        paused.splitter.push(bytes);
        for (let i = 0; i < packets.length; i++) {
          expect(paused.found).toHaveLength(Math.min(2 + i, 1 + packets.length));
          paused.splitter.resume();
        }
        expect(paused.found).toEqual(whole.found);
      }),
    );
  });

  test("never throws, whatever the bytes, and says nothing after a fault", () => {
    fc.assert(
      fc.property(
        fc.boolean(),
        fc.array(fc.uint8Array({ minLength: 1, maxLength: 200 }), { maxLength: 20 }),
        (connected, chunks) => {
          const { found, splitter } = record();
          if (connected) splitter.push(connect);
          for (const chunk of chunks) splitter.push(chunk);
          const fault = found.findIndex((each) => each.startsWith("fault"));
          expect(fault === -1 || fault === found.length - 1).toBe(true);
        },
      ),
      { numRuns: 1000 },
    );
  });

  test("never throws on bytes that are nearly right", () => {
    fc.assert(
      fc.property(
        fc.array(packet, { minLength: 1, maxLength: 5 }),
        fc.nat(),
        fc.nat(255),
        (packets, at, value) => {
          const bytes = Buffer.concat(packets.map((each) => generate(each)));
          bytes[at % bytes.length] = value;
          const { found, splitter } = record();
          splitter.push(connect);
          splitter.push(bytes);
          expect(found.length).toBeGreaterThan(0);
        },
      ),
      { numRuns: 1000 },
    );
  });

  test("stops after the CONNECT until it is opened", () => {
    const { found, splitter } = record({ open: false });
    splitter.push(Buffer.concat([connect, generate({ cmd: "pingreq" })]));
    splitter.push(generate({ cmd: "pingreq" }));
    expect(found).toHaveLength(1);
    splitter.open(prefix);
    expect(found.slice(1)).toEqual(["other c000", "other c000"]);
  });

  test.each([
    ["another packet than CONNECT first", Buffer.from([0xc0, 0]), "not-connect"],
    ["a CONNECT over its bound", Buffer.from([0x10, 0x80, 0x10]), "connect-too-large"],
    [
      "a length that never ends",
      Buffer.concat([connect, Buffer.from([0x30, 0xff, 0xff, 0xff, 0xff])]),
      "malformed",
    ],
    [
      "a packet over the bound, by its header alone",
      Buffer.concat([connect, Buffer.from([0x30, 0x80, 0x20])]),
      "too-large",
    ],
    [
      "a reading at QoS 2",
      Buffer.concat([
        connect,
        generate({
          cmd: "publish",
          topic: `${own}up/lp`,
          payload: "",
          qos: 2,
          messageId: 1,
          retain: false,
          dup: false,
        }),
      ]),
      "qos-2",
    ],
    ["a PUBLISH without a topic length", Buffer.concat([connect, Buffer.from([0x30, 1, 0])]), "malformed"],
    ["an empty PUBLISH", Buffer.concat([connect, Buffer.from([0x32, 0])]), "malformed"],
    [
      "a PUBLISH without its packet id",
      Buffer.concat([connect, Buffer.from([0x32, 4, 0, 1, 97, 0])]),
      "malformed",
    ],
  ])("faults on %s", (_what, bytes, fault) => {
    const { found, splitter } = record();
    splitter.push(bytes);
    splitter.push(generate({ cmd: "pingreq" }));
    expect(found.at(-1)).toBe(`fault ${fault}`);
  });

  test("takes a packet of exactly the bound", () => {
    const { found, splitter } = record();
    const empty = generate({
      cmd: "publish",
      topic: "a",
      payload: Buffer.alloc(200),
      qos: 0,
      retain: false,
      dup: false,
    });
    const payload = Buffer.alloc(limits.packetBytes - (empty.length - 200));
    const frame = generate({ cmd: "publish", topic: "a", payload, qos: 0, retain: false, dup: false });
    expect(frame).toHaveLength(limits.packetBytes);
    splitter.push(connect);
    for (const piece of cut(frame, [1, 2, 3, 700])) splitter.push(piece);
    expect(found[1]).toBe(`other ${frame.toString("hex")}`);
  });

  test("gives nothing once closed, also in the midst of a chunk", () => {
    const { found, splitter } = record({ after: (each) => each.close() });
    splitter.push(Buffer.concat([connect, generate({ cmd: "pingreq" }), generate({ cmd: "pingreq" })]));
    splitter.push(generate({ cmd: "pingreq" }));
    expect(found).toHaveLength(2);
  });
});
