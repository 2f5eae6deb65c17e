import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { hasCode } from "#runtime/errors.ts";
import { poll } from "../../support/poll.ts";
import { answersPing, corniche, openTestBroker, pingreq, pumps, reading } from "./support.ts";

const status = "marsad/mobility/corniche-1/status";
const down = "marsad/mobility/corniche-1/down/";

test("the same client id takes a connection over within a gateway, never another gateway's", async () => {
  await using gateways = await openTestBroker();
  const first = await gateways.rawConnected(corniche, { clientId: "agent" });
  const other = await gateways.rawConnected(pumps, { clientId: "agent" });
  const second = await gateways.rawConnected(corniche, { clientId: "agent" });
  await first.closed;
  for (const client of [other, second]) {
    expect(await answersPing(client)).toBe(true);
  }
});

test("another gateway's kept session cannot be had by its client id", async () => {
  await using gateways = await openTestBroker();
  const owner = await gateways.rawConnected(corniche, { clientId: "agent", clean: false });
  owner.send({ cmd: "subscribe", messageId: 1, subscriptions: [{ topic: `${down}#`, qos: 1 }] });
  await owner.next("suback");
  owner.socket.destroy();
  await poll(() => gateways.events.includes("-corniche-1"));
  await gateways.broker.publish(`${down}config`, "secret", { qos: 1 });
  for (const clientId of ["agent", "../corniche-1/agent", "corniche-1/agent"]) {
    const thief = await gateways.rawConnected(pumps, { clientId, clean: false });
    expect(await answersPing(thief)).toBe(true);
    expect(thief.received).toEqual([]);
  }
});

test("a status is retained, the will replaces it when the connection breaks, and not after a DISCONNECT", async () => {
  await using gateways = await openTestBroker({ authorize: () => true });
  const observer = await gateways.client(pumps);
  const heard: string[] = [];
  observer.on("message", (_topic, payload, { retain }) => heard.push(`${payload.toString()} ${retain}`));
  const will = { topic: status, payload: Buffer.from("offline"), qos: 1 as const, retain: true };
  const agent = await gateways.client(corniche, { will });
  await agent.publishAsync(status, "online", { qos: 1, retain: true });
  await observer.subscribeAsync(status, { qos: 1 });
  await poll(() => heard.includes("online true"));
  agent.stream.destroy();
  await poll(() => heard.includes("offline false"));
  const again = await gateways.client(corniche, { will });
  await again.publishAsync(status, "online", { qos: 1, retain: true });
  await again.publishAsync(status, "going", { qos: 1, retain: true });
  await again.endAsync();
  await poll(() => gateways.events.filter((event) => event === "-corniche-1").length === 2);
  await sleep(50);
  expect(heard).toEqual(["online true", "offline false", "online false", "going false"]);
});

test("a last status right before the end of the connection still counts", async () => {
  await using gateways = await openTestBroker({ authorize: () => true });
  const observer = await gateways.client(pumps);
  const heard: string[] = [];
  observer.on("message", (_topic, payload) => heard.push(payload.toString()));
  await observer.subscribeAsync(status, { qos: 1 });
  const client = await gateways.rawConnected(corniche);
  client.send(
    { cmd: "subscribe", messageId: 1, subscriptions: [{ topic: `${down}#`, qos: 1 }] },
    { cmd: "publish", topic: status, payload: "last words", qos: 0, retain: false, dup: false },
    { cmd: "disconnect" },
  );
  client.socket.end();
  expect(await poll(() => heard.includes("last words"))).toBe(true);
});

test("the platform reaches a gateway on its down topics, and hears who is connected", async () => {
  await using gateways = await openTestBroker();
  const client = await gateways.client(corniche);
  const heard: string[] = [];
  client.on("message", (topic, payload) => heard.push(`${topic} ${payload.toString()}`));
  await client.subscribeAsync(`${down}#`, { qos: 1 });
  await gateways.broker.publish(`${down}rebirth`, "please");
  await gateways.broker.publish(`${down}config`, Buffer.from("a: 1"), { retain: true, qos: 1 });
  await poll(() => heard.length === 2);
  expect(heard).toEqual([`${down}rebirth please`, `${down}config a: 1`]);
  const [connected, ...others] = gateways.broker.connected();
  expect(others).toEqual([]);
  expect(connected?.gateway).toEqual(corniche);
  expect(connected?.lastSeen).toBeGreaterThanOrEqual(connected?.since ?? Infinity);
  expect(gateways.events).toEqual(["+corniche-1"]);
});

test("messages to a gateway arrive in the order of publishing, whatever their QoS and retain", async () => {
  await using gateways = await openTestBroker();
  const client = await gateways.client(corniche);
  const heard: number[] = [];
  client.on("message", (_topic, payload) => heard.push(Number(payload.toString())));
  await client.subscribeAsync(`${down}#`, { qos: 1 });
  await Promise.all(
    Array.from({ length: 60 }, (_, i) =>
      gateways.broker.publish(`${down}config`, `${i}`, { qos: i % 2 === 0 ? 1 : 0, retain: i % 3 === 0 }),
    ),
  );
  await poll(() => heard.length === 60);
  expect(heard).toEqual(Array.from({ length: 60 }, (_, i) => i));
});

test("publishes to a gateway that does not read are bounded", async () => {
  await using gateways = await openTestBroker({ limits: { publishQueue: 3 } });
  const all = Array.from({ length: 5 }, () => gateways.broker.publish(`${down}config`, "x", { qos: 1 }));
  const settled = await Promise.allSettled(all);
  const refused = settled.filter((result) => result.status === "rejected");
  expect(refused).toHaveLength(2);
  expect(refused.every(({ reason }) => hasCode(reason, "REFUSED"))).toBe(true);
  await expect(gateways.broker.publish("a/".repeat(20), "x")).rejects.toSatisfy((error) =>
    hasCode(error, "REFUSED"),
  );
});

test("disconnecting a gateway closes all its connections and no other's", async () => {
  await using gateways = await openTestBroker();
  const a = await gateways.rawConnected(corniche, { clientId: "a" });
  const b = await gateways.rawConnected(corniche, { clientId: "b" });
  const other = await gateways.rawConnected(pumps);
  gateways.broker.disconnect("corniche-1");
  await Promise.all([a.closed, b.closed]);
  await poll(() => gateways.events.filter((event) => event === "-corniche-1").length === 2);
  expect(await answersPing(other)).toBe(true);
  expect([...gateways.broker.connected()].map(({ gateway }) => gateway.name)).toEqual(["pumps-1"]);
});

test("a client that does not read its answers is paused, then closed", async () => {
  await using gateways = await openTestBroker({ limits: { outputTimeout_ms: 300 } });
  const client = await gateways.rawConnected(corniche);
  client.socket.pause();
  const batch = Array.from({ length: 5000 }, () => pingreq);
  const feed = setInterval(() => {
    if (client.socket.writableLength < 1e6) client.send(...batch);
  }, 1);
  await poll(() =>
    gateways.metric("refused_connections_total", { reason: "slow-reader" }).then((n) => n === 1),
  );
  clearInterval(feed);
  expect(await poll(() => gateways.events.includes("-corniche-1"))).toBe(true);
});

test("the offline queue of a kept session is bounded, the newest is dropped and counted", async () => {
  await using gateways = await openTestBroker({ limits: { offlineMessages: 10 } });
  const client = await gateways.rawConnected(corniche, { clean: false });
  client.send({ cmd: "subscribe", messageId: 1, subscriptions: [{ topic: `${down}#`, qos: 1 }] });
  await client.next("suback");
  client.socket.destroy();
  await poll(() => gateways.events.includes("-corniche-1"));
  for (let i = 0; i < 15; i++) await gateways.broker.publish(`${down}config`, `${i}`, { qos: 1 });
  expect(await gateways.metric("offline_dropped_total")).toBe(5);
  expect(await gateways.metric("queue_bytes", { queue: "offline" })).toBeGreaterThan(0);
  const back = await gateways.client(corniche, { clientId: "raw", clean: false });
  const heard: string[] = [];
  back.on("message", (_topic, payload) => heard.push(payload.toString()));
  await poll(async () => (await gateways.metric("queue_bytes", { queue: "offline" })) === 0);
});

test("retained messages are bounded by number, and one more is still delivered but not kept", async () => {
  await using gateways = await openTestBroker({ limits: { retainedMessages: 2 } });
  for (const name of ["a", "b", "c"]) {
    await gateways.broker.publish(`${down}${name}`, name, { retain: true, qos: 1 });
  }
  expect(await gateways.metric("retained_messages")).toBe(2);
  expect(await gateways.metric("retained_refused_total")).toBe(1);
  await gateways.broker.publish(`${down}a`, "", { retain: true, qos: 1 });
  await gateways.broker.publish(`${down}c`, "c", { retain: true, qos: 1 });
  const client = await gateways.client(corniche);
  const heard: string[] = [];
  client.on("message", (_topic, payload) => heard.push(payload.toString()));
  await client.subscribeAsync(`${down}#`, { qos: 1 });
  await poll(() => heard.length === 2);
  expect(heard.sort()).toEqual(["b", "c"]);
});

test("a port that is taken is said so", async () => {
  await using gateways = await openTestBroker();
  const { openBroker } = await import("#broker/broker.ts");
  const { pino } = await import("pino");
  const { Registry } = await import("prom-client");
  const second = openBroker({
    listen: { host: "127.0.0.1", port: gateways.port },
    authenticate: async () => undefined,
    onUplink: () => true,
    log: pino({ level: "silent" }),
    metrics: new Registry(),
  });
  await expect(second).rejects.toSatisfy((error) => hasCode(error, "ADDRESS_IN_USE"));
});

test("aborting the signal closes the broker, and disposing it again is safe", async () => {
  const abort = new AbortController();
  await using gateways = await openTestBroker({ signal: abort.signal });
  const client = await gateways.rawConnected(corniche);
  client.send(reading(corniche, 0, "a", 0));
  await poll(() => gateways.offered.length === 1);
  gateways.offered[0]?.session.acknowledge(1);
  abort.abort();
  await client.closed;
  await Promise.all([gateways.broker[Symbol.asyncDispose](), gateways.broker[Symbol.asyncDispose]()]);
  await expect(gateways.raw()).rejects.toThrow("ECONNREFUSED");
});
