import * as fc from "fast-check";
import { generate, type Packet } from "mqtt-packet";
import { expect, test } from "vitest";
import { answersPing, corniche, openTestBroker, permissive, pumps, reading } from "./support.ts";

const connect: Packet = {
  cmd: "connect",
  clientId: "raw",
  clean: true,
  keepalive: 0,
  protocolId: "MQTT",
  protocolVersion: 4,
  username: "corniche-1",
  password: Buffer.from("c"),
  will: { topic: "marsad/mobility/corniche-1/status", payload: Buffer.from("x"), qos: 1, retain: true },
};
const packets: Packet[] = [
  connect,
  reading(corniche, 1, "a"),
  { cmd: "publish", topic: "a/b", payload: "x", qos: 2, messageId: 3, retain: true, dup: false },
  {
    cmd: "subscribe",
    messageId: 4,
    subscriptions: [
      { topic: "a/+/#", qos: 2 },
      { topic: "b", qos: 0 },
    ],
  },
  { cmd: "unsubscribe", messageId: 5, unsubscriptions: ["a/+/#", "never"] },
  { cmd: "pubrel", messageId: 3 },
  { cmd: "pubrec", messageId: 9 },
  { cmd: "puback", messageId: 8 },
  { cmd: "pubcomp", messageId: 7 },
  { cmd: "pingreq" },
  { cmd: "connack", returnCode: 0, sessionPresent: false },
  { cmd: "suback", messageId: 4, granted: [0] },
];

test("no bytes, however wrong, take the broker down or touch another connection", async () => {
  await using gateways = await openTestBroker({ authorize: permissive });
  gateways.take = (session) => {
    queueMicrotask(() => session.acknowledge(1));
    return true;
  };
  const bystander = await gateways.rawConnected(pumps);
  const frame = fc.constantFrom(...packets).map((packet) => generate(packet));
  const mutated = fc
    .tuple(
      fc.array(frame, { minLength: 1, maxLength: 5 }),
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 3 }),
    )
    .map(([frames, changes]) => {
      const bytes = Buffer.concat(frames);
      for (const [at, value] of changes) bytes[at % bytes.length] = value;
      return bytes;
    });
  const garbage = fc.uint8Array({ maxLength: 100 }).map((bytes) => Buffer.from(bytes));
  await fc.assert(
    fc.asyncProperty(
      fc.boolean(),
      fc.oneof({ weight: 5, arbitrary: mutated }, garbage),
      async (connected, bytes) => {
        const client = await gateways.raw();
        client.send(connected ? Buffer.concat([generate(connect), bytes]) : bytes);
        client.socket.end();
        await client.closed;
      },
    ),
    { numRuns: 300 },
  );
  expect(await answersPing(bystander)).toBe(true);
  expect(bystander.received).toEqual([]);
});
