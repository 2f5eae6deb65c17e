import { expect, test } from "vitest";
import type { AedesPacket } from "#broker/aedes-types.ts";
import { type BrokerLimits, defaultBrokerLimits } from "#broker/limits.ts";
import type { BrokerCounts } from "#broker/metrics.ts";
import { SessionStore } from "#broker/session-store.ts";
import { noCounts } from "./support.ts";

const client = { id: "g/one" };

function open(
  limits: Partial<BrokerLimits> = {},
  connected: readonly string[] = [],
): { store: SessionStore; counts: BrokerCounts } {
  const counts = noCounts();
  const store = new SessionStore({
    limits: { ...defaultBrokerLimits, ...limits },
    counts,
    connected: (clientId) => connected.includes(clientId),
    maySubscribe: (_client, filter) => !filter.startsWith("secret"),
  });
  return { store, counts };
}

let counter = 0;
function packet(changes: Partial<AedesPacket> = {}): AedesPacket {
  counter++;
  return {
    cmd: "publish",
    topic: "a/b",
    payload: Buffer.from("x"),
    qos: 1,
    retain: false,
    dup: false,
    brokerId: "broker",
    brokerCounter: counter,
    ...changes,
  };
}

async function queued(store: SessionStore, id = client.id): Promise<AedesPacket[]> {
  return (await store.outgoingStream({ id }).toArray()) as AedesPacket[];
}

async function publish(store: SessionStore, message: AedesPacket): Promise<void> {
  await store.outgoingEnqueueCombi(await store.subscriptionsByTopic(message.topic), message);
}

test("a message is queued once for overlapping filters, at the highest QoS granted and not above its own", async () => {
  const { store } = open();
  await store.addSubscriptions(client, [
    { topic: "a/#", qos: 1 },
    { topic: "a/+", qos: 2 },
    { topic: "a/b", qos: 0 },
  ]);
  await publish(store, packet({ qos: 2 }));
  await publish(store, packet({ qos: 1 }));
  expect((await queued(store)).map(({ qos }) => qos)).toEqual([2, 1]);
});

test("filters at QoS 0 queue nothing", async () => {
  const { store } = open();
  await store.addSubscriptions(client, [{ topic: "a/b", qos: 1 }]);
  await store.addSubscriptions(client, [{ topic: "a/b", qos: 0 }]);
  await publish(store, packet());
  expect(await queued(store)).toEqual([]);
});

test("only allowed filters are kept", async () => {
  const { store } = open();
  await store.addSubscriptions(client, [
    { topic: "secret/#", qos: 1 },
    { topic: "a/b", qos: 1 },
  ]);
  expect((await store.subscriptionsByClient(client)).map(({ topic }) => topic)).toEqual(["a/b"]);
  expect(await store.subscriptionsByTopic("secret/x")).toEqual([]);
});

test("what was sent and not acknowledged comes again with DUP; a PUBACK takes it out", async () => {
  const { store } = open();
  await store.addSubscriptions(client, [{ topic: "a/b", qos: 1 }]);
  const [first, second] = [packet(), packet()];
  await publish(store, first);
  await publish(store, second);
  await store.outgoingUpdate(client, { ...first, messageId: 7 });
  expect((await queued(store)).map(({ dup, messageId }) => [dup, messageId])).toEqual([
    [true, 7],
    [false, undefined],
  ]);
  // Without a packet id nothing is taken out: that is aedes' duplicate of a message for overlapping filters.
  expect(await store.outgoingClearMessageId(client, second)).toBeUndefined();
  await store.outgoingClearMessageId(client, packet({ messageId: 7 }));
  expect(await queued(store)).toHaveLength(1);
});

test("a PUBREL takes its message's place and bytes", async () => {
  const { store } = open();
  await store.addSubscriptions(client, [{ topic: "a/b", qos: 2 }]);
  const message = packet({ qos: 2 });
  await publish(store, message);
  await store.outgoingUpdate(client, { ...message, messageId: 3 });
  await store.outgoingUpdate(client, { cmd: "pubrel", messageId: 3 } as AedesPacket);
  expect((await queued(store)).map(({ cmd }) => cmd)).toEqual(["pubrel"]);
  expect(store.bytes).toBe(0);
  await store.outgoingClearMessageId(client, packet({ messageId: 3 }));
  expect(store.bytes).toBe(0);
});

test("queues are bounded in messages, in bytes, and in bytes over all sessions; the newest is dropped", async () => {
  for (const limits of [{ offlineMessages: 2 }, { offlineBytes: 8 }, { offlineTotalBytes: 8 }]) {
    const { store, counts } = open(limits);
    await store.addSubscriptions(client, [{ topic: "a/b", qos: 1 }]);
    for (const text of ["1", "2", "3"]) await publish(store, packet({ payload: Buffer.from(text) }));
    expect((await queued(store)).map(({ payload }) => payload.toString())).toEqual(["1", "2"]);
    expect(counts.offlineDropped).toBe(1);
    await expect(store.outgoingUpdate(client, packet({ messageId: 1 }))).rejects.toThrow("full");
  }
});

test("queued and retained payloads are copies of what was read from the socket", async () => {
  const { store } = open();
  await store.addSubscriptions(client, [{ topic: "a/b", qos: 1 }]);
  const read = Buffer.from("xyz");
  await publish(store, packet({ payload: read.subarray(0, 1) }));
  await store.storeRetained(packet({ payload: read.subarray(0, 1) }));
  read.fill("-");
  expect((await queued(store))[0]?.payload.toString()).toBe("x");
  const retained = (await store.createRetainedStreamCombi(["#"]).toArray()) as AedesPacket[];
  expect(retained[0]?.payload.toString()).toBe("x");
});

test("one session too many drops the gateway's oldest absent one, with its queue", async () => {
  const { store } = open({ sessionsPerGateway: 2 }, ["g/one"]);
  const filter = [{ topic: "a/b", qos: 1 as const }];
  for (const id of ["g/one", "g/two", "h/one"]) await store.addSubscriptions({ id }, filter);
  await publish(store, packet());
  await store.addSubscriptions({ id: "g/three" }, filter);
  expect(await store.subscriptionsByClient({ id: "g/two" })).toEqual([]);
  expect(await queued(store, "g/two")).toEqual([]);
  for (const id of ["g/one", "g/three", "h/one"])
    expect(await store.subscriptionsByClient({ id })).toHaveLength(1);
  const left = await store.subscriptionsByTopic("a/b");
  expect(left.map(({ clientId }) => clientId).sort()).toEqual(["g/one", "g/three", "h/one"]);
});

test("a clean session leaves nothing", async () => {
  const { store } = open();
  await store.addSubscriptions(client, [{ topic: "a/b", qos: 1 }]);
  await publish(store, packet());
  await store.incomingStorePacket(client, { messageId: 1 });
  await store.cleanSubscriptions(client);
  expect(await queued(store)).toEqual([]);
  expect(store.bytes).toBe(0);
  await expect(store.incomingGetPacket(client, { messageId: 1 })).rejects.toThrow("no such packet");
});

test("unfinished QoS 2 publishes are bounded over reconnects, too", async () => {
  const { store } = open({ qos2InFlight: 2 });
  await store.incomingStorePacket(client, { messageId: 1 });
  await store.incomingStorePacket(client, { messageId: 2 });
  await expect(store.incomingStorePacket(client, { messageId: 3 })).rejects.toThrow("too many");
  await store.incomingDelPacket(client, { messageId: 1 });
  await store.incomingStorePacket(client, { messageId: 3 });
});

test("retained messages are bounded in number and bytes; replacing and deleting gives room back", async () => {
  const { store, counts } = open({ retainedMessages: 2, retainedBytes: 12 });
  const put = (topic: string, text: string): Promise<void> =>
    store.storeRetained(packet({ topic, payload: Buffer.from(text) }));
  const topics = async (filters: string[]): Promise<string[]> =>
    ((await store.createRetainedStreamCombi(filters).toArray()) as AedesPacket[])
      .map(({ topic }) => topic)
      .sort();
  await put("a", "1");
  await put("b/c/d/e", "1");
  await put("third", "1");
  expect(counts.retainedRefused).toBe(1);
  await put("a", "123456");
  expect(counts.retainedRefused).toBe(2);
  await put("a", "22");
  expect([store.retained.messages, store.retained.bytes]).toEqual([2, 11]);
  expect(await topics(["#"])).toEqual(["a", "b/c/d/e"]);
  expect(await topics(["b/c/d/#", "b/c/d/e"])).toEqual(["b/c/d/e"]);
  expect(await topics(["b/c/d"])).toEqual([]);
  await put("b/c/d/e", "");
  await put("b/c/d/e", "");
  expect([store.retained.messages, store.retained.bytes]).toEqual([1, 3]);
});
