import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { poll } from "../../support/poll.ts";
import { corniche, openTestBroker, permissive, pingreq, reading } from "./support.ts";

test("a PUBACK leaves only after the message is acknowledged", async () => {
  await using gateways = await openTestBroker();
  const client = await gateways.rawConnected(corniche);
  client.send(reading(corniche, 7, "a"), pingreq);
  await client.next("pingresp");
  expect(gateways.offered.map(({ channel, payload }) => [channel, payload])).toEqual([["lp", "a"]]);
  expect(client.received).toEqual([]);
  gateways.offered[0]?.session.acknowledge(1);
  expect((await client.next("puback")).messageId).toBe(7);
});

test("PUBACKs come in the order of the messages, several in one write, with nothing for QoS 0", async () => {
  await using gateways = await openTestBroker();
  const client = await gateways.rawConnected(corniche);
  client.send(
    reading(corniche, 3, "a"),
    reading(corniche, 0, "b", 0),
    reading(corniche, 1, "c"),
    reading(corniche, 2, "d"),
  );
  await poll(() => gateways.offered.length === 4);
  const writes: number[] = [];
  client.socket.on("data", ({ length }) => writes.push(length));
  const session = gateways.offered[0]?.session;
  session?.acknowledge(1);
  session?.acknowledge(2);
  await client.next("puback");
  await client.next("puback");
  expect(writes).toEqual([8]);
  session?.acknowledge(1);
  expect((await client.next("puback")).messageId).toBe(2);
});

test("births and both formats come through the fast path with their channel, DUP and RETAIN do not matter", async () => {
  await using gateways = await openTestBroker();
  const client = await gateways.client(corniche);
  gateways.take = (session) => {
    queueMicrotask(() => session.acknowledge(1));
    return true;
  };
  const prefix = "marsad/mobility/corniche-1/";
  await client.publishAsync(`${prefix}birth`, "{}", { qos: 1, retain: true });
  await client.publishAsync(`${prefix}up/json`, "[]", { qos: 1, dup: true });
  await client.publishAsync(`${prefix}up/lp`, "", { qos: 1 });
  expect(gateways.offered.map(({ channel, payload }) => [channel, payload])).toEqual([
    ["birth", "{}"],
    ["json", "[]"],
    ["lp", ""],
  ]);
  expect(await gateways.metric("retained_messages")).toBe(0);
});

test("messages pipelined behind the CONNECT are taken after the CONNACK, and never acknowledged by aedes", async () => {
  await using gateways = await openTestBroker();
  const client = await gateways.raw();
  client.send(
    {
      cmd: "connect",
      clientId: "pipelined",
      clean: true,
      keepalive: 0,
      protocolId: "MQTT",
      protocolVersion: 4,
      username: "corniche-1",
      password: Buffer.from("c"),
    },
    reading(corniche, 1, "a"),
    reading(corniche, 2, "b"),
    pingreq,
  );
  await client.next("pingresp");
  expect(gateways.offered.map(({ payload }) => payload)).toEqual(["a", "b"]);
  expect(client.received.map(({ cmd }) => cmd)).toEqual(["connack"]);
});

test("a message that is not taken is held and offered again in order, while pings are answered", async () => {
  await using gateways = await openTestBroker();
  const client = await gateways.rawConnected(corniche);
  gateways.take = () => false;
  client.send(reading(corniche, 1, "a"), reading(corniche, 2, "b"), reading(corniche, 3, "c"), pingreq);
  await client.next("pingresp");
  // Only the first was offered: the others wait behind it.
  expect(gateways.offered.map(({ payload }) => payload)).toEqual(["a"]);
  expect(await gateways.metric("queue_bytes", { queue: "held" })).toBeGreaterThan(0);
  const session = gateways.offered[0]?.session;
  let room = 2;
  gateways.take = () => room-- > 0;
  session?.resume();
  expect(gateways.offered.map(({ payload }) => payload)).toEqual(["a", "a", "b", "c"]);
  client.send(reading(corniche, 4, "d"), pingreq);
  await client.next("pingresp");
  expect(gateways.offered).toHaveLength(4);
  gateways.take = () => true;
  session?.resume();
  expect(gateways.offered.map(({ payload }) => payload)).toEqual(["a", "a", "b", "c", "c", "d"]);
  session?.acknowledge(4);
  const ids = [];
  for (let i = 0; i < 4; i++) ids.push((await client.next("puback")).messageId);
  expect(ids).toEqual([1, 2, 3, 4]);
  expect(await gateways.metric("queue_bytes", { queue: "held" })).toBe(0);
});

test("beyond the bound on bytes in flight the socket is paused, and goes on when messages are acknowledged", async () => {
  await using gateways = await openTestBroker({ limits: { inFlightBytes: 64 * 1024 } });
  const client = await gateways.rawConnected(corniche);
  const payload = Buffer.alloc(1000, "x");
  for (let id = 1; id <= 500; id++) client.send(reading(corniche, id, payload));
  client.send(pingreq);
  await poll(async () => (await gateways.metric("paused_sessions")) === 1);
  await sleep(50);
  const taken = gateways.offered.length;
  expect(taken * 1000).toBeLessThan(64 * 1024 + 2000);
  expect(client.received).toEqual([]);
  const session = gateways.offered[0]?.session;
  let acknowledged = 0;
  while (acknowledged < 500) {
    const due = gateways.offered.length - acknowledged;
    session?.acknowledge(due);
    acknowledged += due;
    await poll(() => gateways.offered.length > acknowledged || acknowledged === 500, { interval: 1 });
  }
  await client.next("pingresp");
  await poll(() => client.received.length === 500);
  expect(gateways.offered.map(({ payload }) => payload.length)).toEqual(
    Array.from({ length: 500 }, () => 1000),
  );
  expect(await gateways.metric("paused_sessions")).toBe(0);
});

test("held messages are bounded over all connections: beyond it one that holds is paused at once", async () => {
  await using gateways = await openTestBroker({ limits: { heldBytes: 3000 } });
  const client = await gateways.rawConnected(corniche);
  gateways.take = () => false;
  for (let id = 1; id <= 500; id++) client.send(reading(corniche, id, Buffer.alloc(1000)));
  await poll(async () => (await gateways.metric("paused_sessions")) === 1);
  expect(await gateways.metric("queue_bytes", { queue: "held" })).toBeLessThan(4000 + 200);
  gateways.take = () => true;
  const session = gateways.offered[0]?.session;
  session?.resume();
  await poll(() => gateways.offered.length === 501);
  session?.acknowledge(500);
  await poll(() => client.received.length === 500);
});

test("a session that has ended ignores acknowledgements, and counts what it owed", async () => {
  await using gateways = await openTestBroker();
  const client = await gateways.rawConnected(corniche);
  client.send(reading(corniche, 1, "a"), reading(corniche, 2, "b"));
  await poll(() => gateways.offered.length === 2);
  client.socket.destroy();
  await poll(() => gateways.events.includes("-corniche-1"));
  const session = gateways.offered[0]?.session;
  session?.acknowledge(2);
  session?.resume();
  expect(await gateways.metric("unacknowledged_messages_total")).toBe(2);
});

test("acknowledging more than was taken is an error, not a PUBACK", async () => {
  await using gateways = await openTestBroker();
  const client = await gateways.rawConnected(corniche);
  client.send(reading(corniche, 1, "a"));
  await poll(() => gateways.offered.length === 1);
  expect(() => gateways.offered[0]?.session.acknowledge(2)).toThrow(RangeError);
});

test("the packet ids of a window may be used again after their PUBACK", async () => {
  await using gateways = await openTestBroker();
  gateways.take = (session) => {
    setImmediate(() => session.acknowledge(1));
    return true;
  };
  const client = await gateways.client(corniche);
  const topic = "marsad/mobility/corniche-1/up/lp";
  await Promise.all(Array.from({ length: 2000 }, (_, i) => client.publishAsync(topic, `${i}`, { qos: 1 })));
  expect(gateways.offered.map(({ payload }) => payload)).toEqual(
    Array.from({ length: 2000 }, (_, i) => `${i}`),
  );
  expect(await gateways.metric("pubacks_total")).toBe(2000);
});

test("PUBACKs, copies and what aedes writes never mix within a packet", async () => {
  await using gateways = await openTestBroker({ authorize: permissive });
  gateways.take = (session) => {
    queueMicrotask(() => session.acknowledge(1));
    return true;
  };
  const client = await gateways.rawConnected(corniche);
  client.send({ cmd: "subscribe", messageId: 1, subscriptions: [{ topic: "marsad/#", qos: 1 }] });
  await client.next("suback");
  const published: Promise<void>[] = [];
  for (let id = 1; id <= 300; id++) {
    client.send(reading(corniche, id, `reading ${id} `.repeat(30)), pingreq);
    published.push(
      gateways.broker.publish("marsad/mobility/corniche-1/down/config", `config ${id}`.repeat(50)),
    );
    if (id % 50 === 0) await Promise.all(published);
  }
  await poll(() => client.received.length === 1200);
  const kinds = client.received.map(({ cmd }) => cmd);
  const count = (kind: string): number => kinds.filter((each) => each === kind).length;
  expect([count("puback"), count("pingresp"), count("publish")]).toEqual([300, 300, 600]);
});

test("closing the broker waits for PUBACKs that are owed", async () => {
  await using gateways = await openTestBroker();
  const client = await gateways.rawConnected(corniche);
  client.send(reading(corniche, 9, "a"));
  await poll(() => gateways.offered.length === 1);
  const closing = gateways.broker[Symbol.asyncDispose]();
  await sleep(50);
  gateways.offered[0]?.session.acknowledge(1);
  expect((await client.next("puback")).messageId).toBe(9);
  await closing;
  await client.closed;
});
