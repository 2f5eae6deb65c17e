import { setTimeout as sleep } from "node:timers/promises";
import type { MqttClient } from "mqtt";
import { expect, test } from "vitest";
import { poll } from "../../support/poll.ts";
import {
  type RawClient,
  type TestBroker,
  answersPing,
  corniche,
  openTestBroker,
  permissive,
  pingreq,
  pumps,
} from "./support.ts";

// What Eclipse Paho's interoperability suite checks of an MQTT 3.1.1 broker (client_test.py), in our own words, on our broker
// with everything allowed but $SYS.

const topics = ["TopicA", "TopicA/B", "Topic/C", "TopicA/C", "/TopicA"] as const;

interface Heard {
  readonly topic: string;
  readonly payload: string;
  readonly qos: number;
  readonly retain: boolean;
  readonly dup: boolean;
}

/** What `client` receives from now on, and what it received before this was called and after its connection. */
function listen(client: MqttClient): Heard[] {
  const heard: Heard[] = [];
  client.on("message", (topic, payload, { qos, retain, dup }) => {
    heard.push({ topic, payload: payload.toString(), qos, retain, dup });
  });
  return heard;
}

function open(): Promise<TestBroker> {
  return openTestBroker({ authorize: permissive });
}

/** Everything sent so far has come: a message of the client's own has gone round. */
async function settle(client: MqttClient, heard: Heard[]): Promise<void> {
  const topic = "settled";
  await client.subscribeAsync(topic, { qos: 2 });
  await client.publishAsync(topic, "", { qos: 2 });
  await poll(() => heard.some((each) => each.topic === topic), { interval: 5 });
  heard.splice(
    heard.findIndex((each) => each.topic === topic),
    1,
  );
}

test("basic: connect, subscribe, publish and receive at each QoS, connect again", async () => {
  await using gateways = await open();
  for (let round = 0; round < 2; round++) {
    const client = await gateways.client(corniche, { clientId: "basic" });
    const heard = listen(client);
    await client.subscribeAsync(topics[0], { qos: 2 });
    for (const qos of [0, 1, 2] as const) await client.publishAsync(topics[0], `qos ${qos}`, { qos });
    await settle(client, heard);
    expect(heard.map(({ payload, qos }) => [payload, qos])).toEqual([
      ["qos 0", 0],
      ["qos 1", 1],
      ["qos 2", 2],
    ]);
    await client.endAsync();
  }
});

test("basic: a second CONNECT on a connection closes it", async () => {
  await using gateways = await open();
  const client = await gateways.rawConnected(corniche);
  client.send({
    cmd: "connect",
    clientId: "raw",
    clean: true,
    keepalive: 0,
    protocolId: "MQTT",
    protocolVersion: 4,
  });
  await expect(client.closed).resolves.toBeUndefined();
});

test("basic: another protocol than MQTT is closed", async () => {
  await using gateways = await open();
  const client = await gateways.raw();
  client.send(Buffer.from([0x10, 14, 0, 4, ...Buffer.from("hj89"), 4, 2, 0, 0, 0, 2, ...Buffer.from("id")]));
  await expect(client.closed).resolves.toBeUndefined();
});

test("retained messages: one for each topic and QoS is kept and sent on SUBSCRIBE; an empty one clears it", async () => {
  await using gateways = await open();
  const publisher = await gateways.client(corniche);
  const names = [topics[1], topics[2], topics[3]] as const;
  for (const [qos, topic] of names.entries()) {
    await publisher.publishAsync(topic, `qos ${qos}`, { qos: qos as 0 | 1 | 2, retain: true });
  }
  const first = await gateways.client(corniche);
  const heard = listen(first);
  await first.subscribeAsync("+/+", { qos: 2 });
  await poll(() => heard.length === 3);
  await settle(first, heard);
  expect(heard.every(({ retain }) => retain)).toBe(true);
  expect(heard.map(({ topic, payload }) => `${topic} ${payload}`).sort()).toEqual([
    "Topic/C qos 1",
    "TopicA/B qos 0",
    "TopicA/C qos 2",
  ]);
  for (const [qos, topic] of names.entries()) {
    await publisher.publishAsync(topic, "", { qos: qos as 0 | 1 | 2, retain: true });
  }
  const second = await gateways.client(corniche);
  const nothing = listen(second);
  await second.subscribeAsync("+/+", { qos: 2 });
  await settle(second, nothing);
  expect(nothing).toEqual([]);
});

test("offline message queueing: QoS 1 and 2 wait for a kept session", async () => {
  await using gateways = await open();
  const options = { clientId: "absent", clean: false };
  const absent = await gateways.client(corniche, options);
  await absent.subscribeAsync("+/+", { qos: 2 });
  await absent.endAsync();
  await poll(() => gateways.events.includes("-corniche-1"));
  const publisher = await gateways.client(pumps);
  await publisher.publishAsync(topics[1], "qos 0", { qos: 0 });
  await publisher.publishAsync(topics[2], "qos 1", { qos: 1 });
  await publisher.publishAsync(topics[3], "qos 2", { qos: 2 });
  const back = await gateways.rawConnected(corniche, options);
  const [one, two] = [await back.next("publish"), await back.next("publish")];
  expect([one, two].map(({ payload, qos, dup }) => [payload.toString(), qos, dup])).toEqual([
    ["qos 1", 1, false],
    ["qos 2", 2, false],
  ]);
  await expectNothing(back);
});

test("will message: sent when the connection breaks, not after DISCONNECT", async () => {
  await using gateways = await open();
  const observer = await gateways.client(pumps);
  const heard = listen(observer);
  await observer.subscribeAsync(topics[2], { qos: 2 });
  const will = {
    topic: topics[2],
    payload: Buffer.from("client not disconnected"),
    qos: 1 as const,
    retain: false,
  };
  const orderly = await gateways.client(corniche, { will });
  await orderly.endAsync();
  await settle(observer, heard);
  expect(heard).toEqual([]);
  const broken = await gateways.client(corniche, { will });
  broken.stream.destroy();
  await poll(() => heard.length === 1);
  expect(heard[0]).toMatchObject({ payload: "client not disconnected", qos: 1, retain: false });
});

test("overlapping subscriptions: a message comes once, at the highest QoS, or once for each", async () => {
  await using gateways = await open();
  const client = await gateways.client(corniche);
  const heard = listen(client);
  await client.subscribeAsync({ "TopicA/#": { qos: 2 }, "TopicA/+": { qos: 1 } });
  await client.publishAsync(topics[3], "overlapping", { qos: 2 });
  await settle(client, heard);
  expect([[2], [1, 2], [2, 1]]).toContainEqual(heard.map(({ qos }) => qos));
});

test("keepalive: a client that falls silent is cut, and its will is sent", async () => {
  await using gateways = await open();
  const observer = await gateways.client(pumps);
  const heard = listen(observer);
  await observer.subscribeAsync(topics[4], { qos: 2 });
  const silent = await gateways.raw();
  silent.send({
    cmd: "connect",
    clientId: "silent",
    clean: true,
    keepalive: 1,
    protocolId: "MQTT",
    protocolVersion: 4,
    username: "corniche-1",
    password: Buffer.from("c"),
    will: { topic: topics[4], payload: Buffer.from("keepalive expired"), qos: 0, retain: false },
  });
  await silent.next("connack");
  await silent.closed;
  await poll(() => heard.length === 1);
  expect(heard[0]?.payload).toBe("keepalive expired");
});

test("redelivery on reconnect: what was not acknowledged comes again, with DUP and its packet id", async () => {
  await using gateways = await open();
  const options = { clientId: "redelivery", clean: false };
  const first = await gateways.rawConnected(corniche, options);
  first.send({ cmd: "subscribe", messageId: 1, subscriptions: [{ topic: "+/+", qos: 2 }] });
  await first.next("suback");
  const publisher = await gateways.client(pumps);
  await publisher.publishAsync(topics[1], "qos 1", { qos: 1 });
  await publisher.publishAsync(topics[3], "qos 2", { qos: 2 });
  const sent = [await first.next("publish"), await first.next("publish")];
  first.socket.destroy();
  await poll(() => gateways.events.includes("-corniche-1"));
  const second = await gateways.rawConnected(corniche, options);
  const again = [await second.next("publish"), await second.next("publish")];
  expect(again.map(({ payload, messageId, dup }) => [payload.toString(), messageId, dup])).toEqual(
    sent.map(({ payload, messageId }) => [payload.toString(), messageId, true]),
  );
  const [one, two] = again;
  second.send(
    { cmd: "puback", messageId: one?.messageId ?? 0 },
    { cmd: "pubrec", messageId: two?.messageId ?? 0 },
  );
  expect((await second.next("pubrel")).messageId).toBe(two?.messageId);
  second.socket.destroy();
  await poll(() => gateways.events.filter((event) => event === "-corniche-1").length === 2);
  const third = await gateways.rawConnected(corniche, options);
  expect((await third.next("pubrel")).messageId).toBe(two?.messageId);
  third.send({ cmd: "pubcomp", messageId: two?.messageId ?? 0 });
  await expectNothing(third);
});

test("session present is said when there is one, and a clean session ends it", async () => {
  await using gateways = await open();
  const connect = async (clean: boolean): Promise<boolean | undefined> => {
    const client = await gateways.raw();
    client.send({
      cmd: "connect",
      clientId: "session",
      clean,
      keepalive: 0,
      protocolId: "MQTT",
      protocolVersion: 4,
      username: "corniche-1",
      password: Buffer.from("c"),
    });
    const { sessionPresent } = await client.next("connack");
    client.send({ cmd: "subscribe", messageId: 1, subscriptions: [{ topic: topics[0], qos: 1 }] });
    await client.next("suback");
    client.send({ cmd: "disconnect" });
    await client.closed;
    return sessionPresent;
  };
  expect([await connect(false), await connect(false), await connect(true), await connect(false)]).toEqual([
    false,
    true,
    false,
    false,
  ]);
});

test("zero-length client id: refused with a session to keep, else everyone gets one of their own", async () => {
  await using gateways = await open();
  const refused = await gateways.raw();
  const connect = Buffer.from([0x10, 12, 0, 4, ...Buffer.from("MQTT"), 4, 0, 0, 0, 0, 0]);
  refused.send(connect);
  expect((await refused.next("connack")).returnCode).toBe(2);
  await refused.closed;
  const clients = [
    await gateways.rawConnected(corniche, { clientId: "" }),
    await gateways.rawConnected(corniche, { clientId: "" }),
  ];
  for (const client of clients) {
    expect(await answersPing(client)).toBe(true);
  }
});

test("$-topics: wildcards in first place do not match them", async () => {
  await using gateways = await open();
  const client = await gateways.client(corniche);
  const heard = listen(client);
  await client.subscribeAsync(["#", "+/+"], { qos: 2 });
  await client.publishAsync(`$${topics[1]}`, "hidden", { qos: 1, retain: true });
  await client.publishAsync(topics[1], "seen", { qos: 1 });
  await settle(client, heard);
  expect(new Set(heard.map(({ payload }) => payload))).toEqual(new Set(["seen"]));
});

test("unsubscribe: nothing more comes of that filter, the others stay", async () => {
  await using gateways = await open();
  const client = await gateways.client(corniche);
  const heard = listen(client);
  await client.subscribeAsync([topics[0], topics[1], topics[2]], { qos: 2 });
  await client.unsubscribeAsync(topics[0]);
  const publisher = await gateways.client(pumps);
  for (const topic of topics.slice(0, 3)) await publisher.publishAsync(topic, "x", { qos: 1 });
  await settle(client, heard);
  expect(heard.map(({ topic }) => topic)).toEqual([topics[1], topics[2]]);
});

test("subscribe failure: 0x80 for what is denied, and the rest is granted", async () => {
  await using gateways = await openTestBroker({
    authorize: (_gateway, _action, topic) => topic !== "test/nosubscribe",
  });
  const client = await gateways.rawConnected(corniche);
  client.send({
    cmd: "subscribe",
    messageId: 1,
    subscriptions: [
      { topic: "test/nosubscribe", qos: 2 },
      { topic: topics[0], qos: 2 },
    ],
  });
  expect((await client.next("suback")).granted).toEqual([128, 2]);
});

test("QoS 2 comes once, also when its PUBLISH is sent twice", async () => {
  await using gateways = await open();
  const observer = await gateways.client(pumps);
  const heard = listen(observer);
  await observer.subscribeAsync(topics[0], { qos: 0 });
  const client = await gateways.rawConnected(corniche);
  const publish = {
    cmd: "publish",
    topic: topics[0],
    payload: "x",
    qos: 2,
    messageId: 4,
    retain: false,
  } as const;
  client.send({ ...publish, dup: false });
  await client.next("pubrec");
  client.send({ ...publish, dup: true });
  await client.next("pubrec");
  client.send({ cmd: "pubrel", messageId: 4 });
  expect((await client.next("pubcomp")).messageId).toBe(4);
  await settle(observer, heard);
  expect(heard).toHaveLength(1);
});

/** A ping goes round and nothing else came. */
async function expectNothing(client: RawClient): Promise<void> {
  await sleep(20);
  client.send(pingreq);
  await client.next("pingresp");
  expect(client.received).toEqual([]);
}
