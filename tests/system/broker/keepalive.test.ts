import { setTimeout as sleep } from "node:timers/promises";
import { describe, test } from "vitest";
import { corniche, openTestBroker, pingreq, pumps, reading } from "./support.ts";
import { poll } from "../../support/poll.ts";

describe.concurrent("keepalive", () => {
  test("a silent client is cut after one and a half times its keepalive, and its will is published", async ({
    expect,
  }) => {
    await using gateways = await openTestBroker({ authorize: () => true });
    const observer = await gateways.client(pumps);
    await observer.subscribeAsync("marsad/mobility/corniche-1/status");
    const heard: string[] = [];
    observer.on("message", (_topic, payload) => heard.push(payload.toString()));
    const client = await gateways.raw();
    client.send({
      cmd: "connect",
      clientId: "silent",
      clean: true,
      keepalive: 1,
      protocolId: "MQTT",
      protocolVersion: 4,
      username: "corniche-1",
      password: Buffer.from("c"),
      will: {
        topic: "marsad/mobility/corniche-1/status",
        payload: Buffer.from("offline"),
        qos: 1,
        retain: true,
      },
    });
    await client.next("connack");
    const connected = performance.now();
    await client.closed;
    // The lower bound is the standard's; an upper one would measure this machine.
    expect(performance.now() - connected).toBeGreaterThan(1400);
    await poll(() => heard.includes("offline"));
    expect(await gateways.metric("refused_connections_total", { reason: "keepalive" })).toBe(1);
  });

  test("a client that publishes nothing but QoS 1 readings is not cut", async ({ expect }) => {
    await using gateways = await openTestBroker();
    const client = await gateways.rawConnected(corniche, { keepalive: 1 });
    for (let id = 1; id <= 8; id++) {
      client.send(reading(corniche, id, "a"));
      await sleep(500);
    }
    expect(client.socket.destroyed).toBe(false);
    expect(gateways.offered).toHaveLength(8);
  });

  test("pings are answered, and keep the connection, while PUBACKs are withheld", async ({ expect }) => {
    await using gateways = await openTestBroker();
    const client = await gateways.rawConnected(corniche, { keepalive: 1 });
    gateways.take = () => false;
    client.send(reading(corniche, 1, "a"));
    for (let i = 0; i < 6; i++) {
      client.send(pingreq);
      await client.next("pingresp");
      await sleep(500);
    }
    expect(client.socket.destroyed).toBe(false);
    expect(client.received).toEqual([]);
  });

  test("the keepalive of a paused client stands still, and runs again afterwards", async ({ expect }) => {
    await using gateways = await openTestBroker({ limits: { inFlightBytes: 1000 } });
    const client = await gateways.rawConnected(corniche, { keepalive: 1 });
    client.send(reading(corniche, 1, Buffer.alloc(2000)), pingreq);
    await poll(async () => (await gateways.metric("paused_sessions")) === 1);
    await sleep(2500);
    expect(client.socket.destroyed).toBe(false);
    gateways.offered[0]?.session.acknowledge(1);
    await client.next("puback");
    await client.next("pingresp");
    await client.closed;
    expect(await gateways.metric("refused_connections_total", { reason: "keepalive" })).toBe(1);
  });

  test("a keepalive of 0 never ends", async ({ expect }) => {
    await using gateways = await openTestBroker();
    const client = await gateways.rawConnected(corniche, { keepalive: 0 });
    await sleep(2500);
    client.send(pingreq);
    await client.next("pingresp");
    expect(client.socket.destroyed).toBe(false);
  });
});
