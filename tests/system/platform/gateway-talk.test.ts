import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pino } from "pino";
import { Registry } from "prom-client";
import { expect, test } from "vitest";
import { openBroker } from "#broker/broker.ts";
import { gatewayConfig, setGatewayConfig } from "#broker/gateway-config.ts";
import { addGateway, createAuthenticator, removeGateway } from "#broker/identities.ts";
import { type GatewayTalk, openGatewayTalk } from "#cli/platform/gateway-talk.ts";
import { openRecordStore } from "#runtime/record-store.ts";
import { formatStatus } from "#telemetry/status.ts";
import { type TimeMessage, parseTime } from "#telemetry/time-message.ts";
import { connectGateway } from "../../support/mqtt-gateway.ts";
import { poll } from "../../support/poll.ts";
import { tempFolder } from "../../support/temp-folder.ts";

const identity = { name: "corniche-1", agency: "mobility" };

test("a connected gateway is told the time again and again, and answered when it asks; what it says of its configuration is kept", async () => {
  using folder = tempFolder("talk");
  await using records = await openRecordStore(join(folder.path, "identities"));
  const password = await addGateway(records, identity);
  const revision = setGatewayConfig(records, identity.name, { window: 4 });
  const log = pino({ level: "silent" });
  let talk: GatewayTalk | undefined;
  await using broker = await openBroker({
    listen: { host: "127.0.0.1", port: 0 },
    authenticate: createAuthenticator(records),
    onUplink: () => true,
    onStatus: (gateway, payload) => talk?.heard(gateway, payload),
    log,
    metrics: new Registry(),
  });
  using opened = openGatewayTalk({ broker, records, interval_ms: 50, log });
  talk = opened;
  await using gateway = await connectGateway({ identity, password, port: broker.address.port });
  const times: TimeMessage[] = [];
  gateway.client.on("message", (topic, payload) => {
    const parsed = parseTime(payload);
    if (topic === gateway.topics.down.time && parsed.ok) times.push(parsed.message);
  });
  await poll(() => times.length >= 3);
  expect(times.map(({ echo }) => echo).filter((echo) => echo !== undefined)).toEqual([]);
  const ids = times.map(({ id }) => id);
  expect(ids).toEqual(ids.toSorted((one, other) => one - other));
  expect(new Set(ids).size).toBe(ids.length);

  const sent = 1_000_000_000_000; // by a clock that is far off
  const before = Date.now();
  await gateway.publish(
    gateway.topics.status,
    formatStatus({ online: true, sent, config: { revision, result: "refused", detail: "no room" } }),
  );
  const answer = await poll(() => times.find(({ echo }) => echo !== undefined));
  expect(answer.echo?.sent).toBe(sent);
  expect(answer.echo!.received).toBeGreaterThanOrEqual(before);
  expect(answer.time).toBeGreaterThanOrEqual(answer.echo!.received);
  expect(answer.time).toBeLessThanOrEqual(Date.now());
  await poll(() => gatewayConfig(records, identity.name)?.report !== undefined);
  expect(gatewayConfig(records, identity.name)?.report).toMatchObject({ revision, detail: "no room" });

  // Nonsense, and the will of a connection, are no statuses to answer.
  await gateway.publish(gateway.topics.status, "nonsense");
  await gateway.publish(gateway.topics.status, formatStatus({ online: true, sent: sent + 1 }));
  await poll(() => times.some(({ echo }) => echo?.sent === sent + 1));
});

test("who gets a removed gateway's name is not told the former one's configuration", async () => {
  using folder = tempFolder("talk");
  await using records = await openRecordStore(join(folder.path, "identities"));
  await addGateway(records, identity);
  setGatewayConfig(records, identity.name, { window: 4 });
  const log = pino({ level: "silent" });
  await using broker = await openBroker({
    listen: { host: "127.0.0.1", port: 0 },
    authenticate: createAuthenticator(records),
    onUplink: () => true,
    log,
    metrics: new Registry(),
  });
  using _talk = openGatewayTalk({ broker, records, interval_ms: 60_000, log });
  removeGateway(records, identity.name);
  const password = await addGateway(records, identity);
  const told = async (): Promise<number> => {
    await using gateway = await connectGateway({ identity, password, port: broker.address.port });
    let configs = 0;
    gateway.client.on("message", (topic) => (configs += Number(topic === gateway.topics.down.config)));
    await gateway.client.subscribeAsync(gateway.topics.down.config, { qos: 1 });
    await sleep(200);
    return configs;
  };
  await expect.poll(told, { timeout: 5000 }).toBe(0);
});
