import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { poll } from "../../support/poll.ts";
import {
  answersPing,
  corniche,
  openTestBroker,
  permissive,
  pumps,
  type RawClient,
  reading,
} from "./support.ts";

const topic = "marsad/mobility/corniche-1/up/lp";

test("a subscriber gets a copy at QoS 0, after the PUBACK, once however many filters match", async () => {
  await using gateways = await openTestBroker({ authorize: permissive });
  const observer = await gateways.client(pumps);
  const heard: string[] = [];
  observer.on("message", (name, payload, { qos, retain }) =>
    heard.push(`${name} ${payload.toString()} ${qos} ${retain}`),
  );
  await observer.subscribeAsync(["marsad/#", "marsad/+/corniche-1/up/+", topic, "#"], { qos: 1 });
  const client = await gateways.rawConnected(corniche);
  client.send(reading(corniche, 1, "a"), reading(corniche, 2, "b"), reading(corniche, 3, ""));
  await poll(() => gateways.offered.length === 3);
  await sleep(30);
  expect(heard).toEqual([]);
  const session = gateways.offered[0]?.session;
  session?.acknowledge(1);
  await poll(() => heard.length === 1);
  session?.acknowledge(2);
  await poll(() => heard.length === 3);
  expect(heard).toEqual([`${topic} a 0 false`, `${topic} b 0 false`, `${topic}  0 false`]);
  expect(await gateways.metric("copies_total")).toBe(3);
});

test("no copy goes out after UNSUBSCRIBE, nor to who is gone", async () => {
  await using gateways = await openTestBroker({ authorize: permissive });
  gateways.take = (session) => {
    queueMicrotask(() => session.acknowledge(1));
    return true;
  };
  const leaving = await gateways.client(pumps);
  await leaving.subscribeAsync("#");
  const observer = await gateways.client(pumps);
  await observer.subscribeAsync(["#", topic]);
  const publisher = await gateways.client(corniche);
  await publisher.publishAsync(topic, "a", { qos: 1 });
  expect(await gateways.metric("copies_total")).toBe(2);
  await leaving.endAsync();
  await poll(() => gateways.events.includes("-pumps-1"));
  await observer.unsubscribeAsync("#");
  await publisher.publishAsync(topic, "b", { qos: 1 });
  expect(await gateways.metric("copies_total")).toBe(3);
  await observer.unsubscribeAsync(topic);
  await publisher.publishAsync(topic, "c", { qos: 1 });
  expect(await gateways.metric("copies_total")).toBe(3);
});

test("a kept session that comes back gets copies again without a new SUBSCRIBE", async () => {
  await using gateways = await openTestBroker({ authorize: permissive });
  gateways.take = (session) => {
    queueMicrotask(() => session.acknowledge(1));
    return true;
  };
  const observer = await gateways.client(pumps, { clientId: "kept", clean: false });
  await observer.subscribeAsync("marsad/#", { qos: 1 });
  await observer.endAsync();
  await poll(() => gateways.events.includes("-pumps-1"));
  await gateways.client(pumps, { clientId: "kept", clean: false });
  const publisher = await gateways.client(corniche);
  await publisher.publishAsync(topic, "a", { qos: 1 });
  expect(await poll(async () => (await gateways.metric("copies_total")) === 1)).toBe(true);
});

test("copies for a subscriber that does not read are dropped and counted; the publisher does not notice", async () => {
  await using gateways = await openTestBroker({ authorize: permissive });
  gateways.take = (session) => {
    queueMicrotask(() => session.acknowledge(1));
    return true;
  };
  const slow = await gateways.rawConnected(pumps);
  slow.send({ cmd: "subscribe", messageId: 1, subscriptions: [{ topic: "marsad/#", qos: 0 }] });
  await slow.next("suback");
  slow.socket.pause();
  const publisher = await gateways.client(corniche);
  const payload = Buffer.alloc(100_000);
  for (let i = 0; i < 200; i++) await publisher.publishAsync(topic, payload, { qos: 1 });
  const [sent, dropped] = [
    await gateways.metric("copies_total"),
    await gateways.metric("copies_dropped_total"),
  ];
  expect(dropped).toBeGreaterThan(0);
  expect(sent + dropped).toBe(200);
});

test("who takes no copies is cut off, and counted; who takes them slowly stays", async () => {
  const limits = { outputBytes: 64 * 1024, outputTimeout_ms: 1500 };
  await using gateways = await openTestBroker({ authorize: permissive, limits });
  gateways.take = (session) => {
    queueMicrotask(() => session.acknowledge(1));
    return true;
  };
  const subscriber = async (clientId: string): Promise<RawClient> => {
    const client = await gateways.rawConnected(pumps, { clientId });
    client.send({ cmd: "subscribe", messageId: 1, subscriptions: [{ topic: "marsad/#", qos: 0 }] });
    await client.next("suback");
    client.socket.pause();
    return client;
  };
  const [stuck, slow] = [await subscriber("stuck"), await subscriber("slow")];
  let gone = false;
  void stuck.closed.then(() => (gone = true));
  const sips = setInterval(() => slow.socket.resume().once("data", () => slow.socket.pause()), 5);
  const publisher = await gateways.client(corniche);
  const payload = Buffer.alloc(20_000);
  while ((await gateways.metric("refused_connections_total", { reason: "slow-reader" })) === 0)
    await publisher.publishAsync(topic, payload, { qos: 1 });
  const began = performance.now();
  while (performance.now() - began < 2000) await publisher.publishAsync(topic, payload, { qos: 1 });
  expect(await gateways.metric("refused_connections_total", { reason: "slow-reader" })).toBe(1);
  expect(await gateways.metric("copies_dropped_total")).toBeGreaterThan(0);
  clearInterval(sips);
  stuck.socket.resume();
  await poll(() => gone);
  slow.socket.resume();
  expect(await answersPing(slow)).toBe(true);
});

test("copies that wait for their PUBACK are bounded over all connections", async () => {
  await using gateways = await openTestBroker({ authorize: permissive, limits: { copyBytes: 1000 } });
  const observer = await gateways.client(pumps);
  const heard: number[] = [];
  observer.on("message", (_topic, payload) => heard.push(payload.length));
  await observer.subscribeAsync("#");
  const client = await gateways.rawConnected(corniche);
  for (let id = 1; id <= 10; id++) client.send(reading(corniche, id, Buffer.alloc(400)));
  await poll(() => gateways.offered.length === 10);
  gateways.offered[0]?.session.acknowledge(10);
  await poll(() => heard.length === 3);
  expect(await gateways.metric("copies_dropped_total")).toBe(7);
});
