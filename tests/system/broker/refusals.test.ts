import { generate, type IConnectPacket, type IPublishPacket } from "mqtt-packet";
import { describe, expect, test } from "vitest";
import type { GatewayIdentity } from "#telemetry/names.ts";
import { parseNack } from "#telemetry/nack.ts";
import { poll } from "../../support/poll.ts";
import {
  type RawClient,
  type TestBroker,
  corniche,
  openTestBroker,
  pingreq,
  pumps,
  reading,
} from "./support.ts";

function connectPacket(changes: Partial<IConnectPacket> = {}): IConnectPacket {
  return {
    cmd: "connect",
    clientId: "raw",
    clean: true,
    keepalive: 0,
    protocolId: "MQTT",
    protocolVersion: 4,
    username: "corniche-1",
    password: Buffer.from("c"),
    ...changes,
  };
}

/** Why the connection was closed: the reason that was counted for the `times`th time, and logged once. */
async function refusalOf(gateways: TestBroker, client: RawClient, times = 1): Promise<string | undefined> {
  await client.closed;
  const refused = await poll(
    async () => {
      const counted = await gateways.metricValues("refused_connections_total");
      return counted.find(({ value }) => value === times);
    },
    { timeout: 5000 },
  );
  const logged = gateways.logged.filter(({ msg }) => msg === "Connection refused.");
  const reason = String(refused.labels["reason"]);
  return logged.length === 1 && logged[0]?.["reason"] === reason ? reason : `not logged once: ${reason}`;
}

/** The gateway's retained nack, as it finds it when it comes back. */
async function nackOf(gateways: TestBroker): Promise<unknown> {
  const client = await gateways.client(corniche);
  const nack = new Promise<Buffer>((resolve) => client.on("message", (_topic, payload) => resolve(payload)));
  await client.subscribeAsync("marsad/mobility/corniche-1/down/#", { qos: 1 });
  const parsed = parseNack(await nack);
  await client.endAsync();
  return parsed.ok ? parsed.message.rejections[0]?.reason : parsed.detail;
}

describe("before the CONNACK", () => {
  test.each([
    ["an unknown name", { username: "nobody" }, 4, "credentials"],
    ["a wrong password", { password: Buffer.from("x") }, 4, "credentials"],
    ["no password at all", { username: undefined, password: undefined }, 4, "credentials"],
    ["a client id that is too long", { clientId: "x".repeat(129) }, 2, "client-id"],
    [
      "a will for someone else's status",
      { will: { topic: "marsad/water/pumps-1/status", payload: Buffer.from("x"), qos: 0, retain: false } },
      5,
      "will",
    ],
    [
      "a will for readings",
      {
        will: { topic: "marsad/mobility/corniche-1/up/lp", payload: Buffer.from("x"), qos: 0, retain: false },
      },
      5,
      "will",
    ],
    [
      "a will that is too large",
      {
        will: {
          topic: "marsad/mobility/corniche-1/status",
          payload: Buffer.alloc(5000),
          qos: 0,
          retain: true,
        },
      },
      5,
      "will",
    ],
    ["MQTT 5", { protocolVersion: 5 }, 1, "protocol"],
  ] as const)("%s is answered with its return code", async (_what, changes, returnCode, reason) => {
    await using gateways = await openTestBroker();
    const client = await gateways.raw();
    client.send(connectPacket(changes as unknown as Partial<IConnectPacket>));
    expect((await client.next("connack")).returnCode).toBe(returnCode);
    expect(await refusalOf(gateways, client)).toBe(reason);
    expect(gateways.events).toEqual([]);
  });

  test("an empty client id with a session to keep is answered with its return code", async () => {
    await using gateways = await openTestBroker();
    const client = await gateways.raw();
    const frame = generate(connectPacket({ clientId: "" }));
    const cleanSession = 0x02;
    frame[9] = (frame[9] ?? 0) & ~cleanSession;
    client.send(frame);
    expect((await client.next("connack")).returnCode).toBe(2);
    expect(await refusalOf(gateways, client)).toBe("client-id");
  });

  test("credentials that cannot be checked are answered with 'server unavailable'", async () => {
    await using gateways = await openTestBroker({
      authenticate: () => Promise.reject(new Error("the identities are gone")),
    });
    const client = await gateways.raw();
    client.send(connectPacket());
    expect((await client.next("connack")).returnCode).toBe(3);
    expect(await refusalOf(gateways, client)).toBe("unavailable");
  });

  test("a password is never logged", async () => {
    await using gateways = await openTestBroker();
    const client = await gateways.raw();
    client.send(connectPacket({ password: Buffer.from("very-secret") }));
    await client.closed;
    expect(JSON.stringify(gateways.logged)).not.toContain("very-secret");
  });

  test("a CONNECT that does not come in time", async () => {
    await using gateways = await openTestBroker({ limits: { connectTimeout_ms: 100 } });
    const client = await gateways.raw();
    client.send(generate(connectPacket()).subarray(0, 10));
    expect(await refusalOf(gateways, client)).toBe("connect-timeout");
  });

  test("something else than CONNECT", async () => {
    await using gateways = await openTestBroker();
    const client = await gateways.raw();
    client.send(Buffer.from("GET / HTTP/1.1\r\n\r\n"));
    expect(await refusalOf(gateways, client)).toBe("not-connect");
  });

  test("a CONNECT over 64 KiB, refused by its header", async () => {
    await using gateways = await openTestBroker();
    const client = await gateways.raw();
    client.send(Buffer.from([0x10, 0x80, 0x80, 0x08]));
    expect(await refusalOf(gateways, client)).toBe("connect-too-large");
  });

  test("a malformed CONNECT", async () => {
    await using gateways = await openTestBroker();
    const client = await gateways.raw();
    client.send(Buffer.from([0x10, 4, 0, 9, 77, 81]));
    expect(await refusalOf(gateways, client)).toBe("malformed");
  });

  test("one connection too many", async () => {
    await using gateways = await openTestBroker({ limits: { connections: 2 } });
    await gateways.rawConnected(corniche, { clientId: "a" });
    const second = await gateways.rawConnected(corniche, { clientId: "b" });
    const client = await gateways.raw();
    expect(await refusalOf(gateways, client)).toBe("connections");
    second.send(pingreq);
    await second.next("pingresp");
  });

  test("too many connections that do not say who they are: the oldest goes", async () => {
    await using gateways = await openTestBroker({ limits: { connecting: 2 } });
    const oldest = await gateways.raw();
    await gateways.raw();
    const newest = await gateways.raw();
    expect(await refusalOf(gateways, oldest)).toBe("connecting");
    newest.send(connectPacket());
    expect((await newest.next("connack")).returnCode).toBe(0);
  });

  test("a gateway that is being let in stays, however many come after it and say nothing", async () => {
    const password = Promise.withResolvers<GatewayIdentity>();
    await using gateways = await openTestBroker({
      limits: { connecting: 2 },
      authenticate: () => password.promise,
    });
    const gateway = await gateways.raw();
    gateway.send(connectPacket());
    const silent = await Promise.all(Array.from({ length: 20 }, () => gateways.raw()));
    await Promise.all(silent.slice(0, -1).map(({ closed }) => closed));
    expect(await gateways.metric("refused_connections_total", { reason: "connecting" })).toBe(19);
    password.resolve(corniche);
    expect((await gateway.next("connack")).returnCode).toBe(0);
  });

  test("one connection of a gateway too many; the same client id makes room", async () => {
    await using gateways = await openTestBroker({ limits: { connectionsPerGateway: 2 } });
    const first = await gateways.rawConnected(corniche, { clientId: "a" });
    await gateways.rawConnected(corniche, { clientId: "b" });
    await gateways.rawConnected(corniche, { clientId: "a" });
    await first.closed;
    await gateways.rawConnected(pumps, { clientId: "a" });
    const client = await gateways.raw();
    client.send(connectPacket({ clientId: "c" }));
    expect((await client.next("connack")).returnCode).toBe(3);
    expect(await refusalOf(gateways, client)).toBe("gateway-connections");
  });
});

function publish(topic: string, changes: Partial<IPublishPacket> = {}): IPublishPacket {
  return { cmd: "publish", topic, payload: "x", qos: 0, retain: false, dup: false, ...changes };
}

describe("after the CONNACK", () => {
  test.each([
    ["another gateway's prefix", "marsad/water/pumps-1/up/lp"],
    ["an unknown format", "marsad/mobility/corniche-1/up/xml"],
    ["its own down", "marsad/mobility/corniche-1/down/nack"],
    ["any other topic", "hello"],
    ["aedes' control topics", "$SYS/broker/new/clients"],
  ])("publishing to %s closes the connection and is told in the retained nack", async (_what, topic) => {
    await using gateways = await openTestBroker();
    const client = await gateways.rawConnected(corniche);
    client.send(publish(topic, { qos: 1, messageId: 5 }));
    expect(await refusalOf(gateways, client)).toBe("wrong-topic");
    expect(client.received).toEqual([]);
    expect(gateways.offered).toEqual([]);
    expect(await nackOf(gateways)).toBe("wrong-topic");
  });

  test("a packet over 256 KiB is refused by its header and told in the retained nack", async () => {
    await using gateways = await openTestBroker();
    const client = await gateways.rawConnected(corniche);
    client.send(generate(reading(corniche, 1, Buffer.alloc(1024 * 1024))));
    expect(await refusalOf(gateways, client)).toBe("too-large");
    expect(gateways.offered).toEqual([]);
    expect(await nackOf(gateways)).toBe("too-large");
  });

  test("a packet of exactly 256 KiB is taken", async () => {
    await using gateways = await openTestBroker();
    const client = await gateways.rawConnected(corniche);
    const header = generate(reading(corniche, 1, Buffer.alloc(200_000))).length - 200_000;
    client.send(reading(corniche, 1, Buffer.alloc(256 * 1024 - header)));
    expect(await poll(() => gateways.offered.length === 1)).toBe(true);
  });

  test.each([
    [
      "a reading at QoS 2",
      () => generate(publish("marsad/mobility/corniche-1/up/lp", { qos: 2, messageId: 1 })),
      "qos-2",
    ],
    ["both QoS bits", () => Buffer.from([0x36, 5, 0, 1, 97, 0, 1]), "malformed"],
    ["a reading with packet id 0", () => setPacketId(generate(reading(corniche, 1, "x")), 0), "malformed"],
    ["a topic that is longer than the packet", () => Buffer.from([0x30, 3, 0, 9, 97]), "malformed"],
    ["a remaining length of five bytes", () => Buffer.from([0x30, 0xff, 0xff, 0xff, 0xff, 1]), "malformed"],
    ["a second CONNECT", () => generate(connectPacket()), "protocol"],
    ["reserved flags", () => Buffer.from([0x8f, 0]), "malformed"],
    ["a topic of 17 levels", () => generate(publish(Array(17).fill("a").join("/"))), "topic-levels"],
    [
      "a filter of 17 levels",
      () =>
        generate({
          cmd: "subscribe",
          messageId: 1,
          subscriptions: [{ topic: "a/".repeat(16) + "#", qos: 0 }],
        }),
      "topic-levels",
    ],
  ] as const)("%s closes the connection", async (_what, packet, reason) => {
    await using gateways = await openTestBroker();
    const client = await gateways.rawConnected(corniche);
    client.send(packet());
    expect(await refusalOf(gateways, client)).toBe(reason);
    expect(gateways.offered).toEqual([]);
  });

  test("a retained status may not be large", async () => {
    await using gateways = await openTestBroker();
    const client = await gateways.rawConnected(corniche);
    client.send(publish("marsad/mobility/corniche-1/status", { retain: true, payload: Buffer.alloc(5000) }));
    expect(await refusalOf(gateways, client)).toBe("too-large");
    expect(await nackOf(gateways)).toBe("too-large");
  });

  test("refusals of one gateway for one reason are logged once, and counted each", async () => {
    await using gateways = await openTestBroker();
    for (let i = 1; i <= 3; i++) {
      const client = await gateways.rawConnected(corniche);
      client.send(publish("elsewhere"));
      expect(await refusalOf(gateways, client, i)).toBe("wrong-topic");
    }
    expect(gateways.logged.find(({ msg }) => msg === "Connection refused.")).toMatchObject({
      gateway: "corniche-1",
      reason: "wrong-topic",
    });
  });

  test("unfinished QoS 2 publishes are bounded", async () => {
    await using gateways = await openTestBroker({ limits: { qos2InFlight: 3 } });
    const client = await gateways.rawConnected(corniche);
    for (let messageId = 1; messageId <= 4; messageId++) {
      client.send(publish("marsad/mobility/corniche-1/status", { qos: 2, messageId }));
    }
    expect(await refusalOf(gateways, client)).toBe("qos-2");
  });

  test("one gateway's refusal leaves the others alone", async () => {
    await using gateways = await openTestBroker();
    const other = await gateways.rawConnected(pumps);
    const client = await gateways.rawConnected(corniche);
    client.send(publish("elsewhere"));
    await client.closed;
    other.send(reading(pumps, 1, "a"), pingreq);
    await other.next("pingresp");
    expect(gateways.offered).toHaveLength(1);
  });
});

describe("subscriptions", () => {
  test.each([
    "#",
    "+/+",
    "$SYS/#",
    "marsad/#",
    "marsad/water/pumps-1/down/#",
    "marsad/mobility/corniche-1/#",
  ])("%s is denied with 0x80, and the connection stays", async (filter) => {
    await using gateways = await openTestBroker();
    const client = await gateways.rawConnected(corniche);
    client.send({
      cmd: "subscribe",
      messageId: 1,
      subscriptions: [
        { topic: filter, qos: 1 },
        { topic: "marsad/mobility/corniche-1/down/#", qos: 1 },
      ],
    });
    expect((await client.next("suback")).granted).toEqual([128, 1]);
  });

  test("$SYS is denied whatever else is allowed", async () => {
    await using gateways = await openTestBroker({ authorize: () => true });
    const client = await gateways.rawConnected(corniche);
    client.send({ cmd: "subscribe", messageId: 1, subscriptions: [{ topic: "$SYS/#", qos: 0 }] });
    expect((await client.next("suback")).granted).toEqual([128]);
    client.send(publish("$SYS/any/new/clients"));
    expect(await refusalOf(gateways, client)).toBe("wrong-topic");
  });

  test("a connection has at most so many filters, and none that is too long", async () => {
    await using gateways = await openTestBroker({ limits: { subscriptions: 2, filterLength: 40 } });
    const client = await gateways.rawConnected(corniche, { clean: false });
    const own = "marsad/mobility/corniche-1/down/";
    const subscriptions = ["a", "b", "c", "x".repeat(20)].map((level) => ({
      topic: own + level,
      qos: 1 as const,
    }));
    client.send({ cmd: "subscribe", messageId: 1, subscriptions });
    expect((await client.next("suback")).granted).toEqual([1, 1, 128, 128]);
    client.send({ cmd: "unsubscribe", messageId: 2, unsubscriptions: [`${own}a`] });
    await client.next("unsuback");
    client.send({ cmd: "subscribe", messageId: 3, subscriptions: [{ topic: `${own}c`, qos: 1 }] });
    expect((await client.next("suback")).granted).toEqual([1]);
    expect(await gateways.metric("subscriptions_denied_total")).toBe(2);
  });

  test("a denied filter of a kept session brings nothing when the client comes back", async () => {
    await using gateways = await openTestBroker();
    const client = await gateways.rawConnected(corniche, { clean: false });
    client.send({
      cmd: "subscribe",
      messageId: 1,
      subscriptions: [
        { topic: "marsad/water/pumps-1/down/#", qos: 1 },
        { topic: "marsad/mobility/corniche-1/down/#", qos: 1 },
      ],
    });
    await client.next("suback");
    client.socket.destroy();
    await poll(() => gateways.events.includes("-corniche-1"));
    await gateways.broker.publish("marsad/water/pumps-1/down/config", "not for you", { qos: 1 });
    await gateways.broker.publish("marsad/mobility/corniche-1/down/config", "for you", { qos: 1 });
    const back = await gateways.rawConnected(corniche, { clean: false });
    expect((await back.next("publish")).payload.toString()).toBe("for you");
    back.send(pingreq);
    await back.next("pingresp");
    expect(back.received).toEqual([]);
  });
});

function setPacketId(frame: Buffer, packetId: number): Buffer {
  frame.writeUInt16BE(packetId, frame.length - 3);
  return frame;
}
