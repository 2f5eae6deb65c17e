import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { requireDebian, whySkipped } from "../../support/debian.ts";
import { mosquittoPub } from "../../support/mosquitto-pub.ts";
import { connectGateway, type MqttGateway } from "../../support/mqtt-gateway.ts";
import { flowLine, type OwnGateway, sharePlatform, type SharedPlatform } from "./support.ts";

let shared: SharedPlatform;
beforeAll(async () => void (shared = await sharePlatform()));
afterAll(() => shared[Symbol.asyncDispose]());

const MiB = 1024 * 1024;

describe.concurrent("a packet that closes the connection", () => {
  test.each<[string, (gateway: OwnGateway, rival: OwnGateway) => string]>([
    ["a topic of nobody", () => "sensors/traffic/1"],
    ["a format that nobody reads", ({ topics }) => `${topics.prefix}up/xml`],
    ["no format", ({ topics }) => `${topics.prefix}up`],
    ["a topic with a wildcard's look", ({ topics }) => `${topics.prefix}up/lp/extra`],
    ["another gateway's readings", (_own, rival) => rival.topics.up.lp],
    ["another gateway's birth", (_own, rival) => rival.topics.birth],
    ["another gateway's down/", (_own, rival) => rival.topics.down.config],
    ["its own name in another agency", ({ name }) => `marsad/water/${name}/up/lp`],
    ["its own down/", ({ topics }) => topics.down.nack],
    ["the broker's own topics", () => "$SYS/marsad/new/clients"],
  ])("%s: is told in the retained nack, and the readings around it are stored", async (_what, topicOf) => {
    const { newGateway } = shared;
    await using gateway = await newGateway();
    await using rival = await newGateway();
    const heard: string[] = [];
    rival.client.on("message", (topic) => void heard.push(topic));
    const sensor = `${gateway.name}.a`;
    const now = Date.now();
    await gateway.send(flowLine(sensor, 11, now - 2000));
    const topic = topicOf(gateway, rival);
    await publishAndBeClosed(gateway, topic, flowLine(`${rival.name}.a`, 99, now));

    await using again = await reconnect(gateway);
    expect((await again.refusal("wrong-topic")).detail).toContain(topic);
    await again.send(flowLine(sensor, 12, now - 1000));
    expect(await storedVehicles(gateway)).toEqual([11, 12]);
    expect((await shared.platform.settled(gateway.name)).sent).toBe(2);
    expect(heard).toEqual([]);
    expect((await shared.platform.account(rival.name)).sent).toBe(0);
  });

  test("a packet of 1 MiB: the bound is told in the retained nack, and the readings around it are stored", async () => {
    await using gateway = await shared.newGateway();
    const sensor = `${gateway.name}.a`;
    const now = Date.now();
    await gateway.send(flowLine(sensor, 11, now - 2000));
    const many = `${flowLine(sensor, 99, now)}\n`;
    const payload = many.repeat(Math.ceil(MiB / many.length));
    await publishAndBeClosed(gateway, gateway.topics.up.lp, payload);

    await using again = await reconnect(gateway);
    expect((await again.refusal("too-large")).detail).toMatch(/at most 262144 bytes; send smaller batches/);
    await again.send(flowLine(sensor, 12, now - 1000));
    expect(await storedVehicles(gateway)).toEqual([11, 12]);
  });

  test("mosquitto_pub with 1 MiB, a foreign prefix and its own down/ fails; with its own readings it does not", async ({
    skip,
  }) => {
    skip(!(await requireDebian("mosquitto-clients")), whySkipped("mosquitto-clients"));
    await using gateway = await shared.newGateway();
    await using rival = await shared.newGateway();
    const sensor = `${gateway.name}.a`;
    const publish = (topic: string, payload: string | Uint8Array): Promise<{ code: number | null }> =>
      mosquittoPub({ ...gateway, port: shared.platform.mqttPort, topic, payload });
    const good = flowLine(sensor, 11, Date.now());
    expect(await publish(gateway.topics.up.lp, Buffer.alloc(MiB, "x"))).not.toMatchObject({ code: 0 });
    expect(await publish(rival.topics.up.lp, good)).not.toMatchObject({ code: 0 });
    expect(await publish(gateway.topics.down.nack, good)).not.toMatchObject({ code: 0 });
    expect(await publish(gateway.topics.up.lp, good)).toMatchObject({ code: 0 });
    expect(await storedVehicles(gateway)).toEqual([11]);
  });

  test("each refusal is counted by its reason", async () => {
    const { platform, newGateway } = shared;
    const count = async (): Promise<number> => {
      const metrics = await (await fetch(`${platform.ready.http}/metrics`)).text();
      return Number(
        /^marsad_broker_\w*refus\w*\{[^}]*reason="wrong-topic"[^}]*\} (\d+)$/m.exec(metrics)?.[1] ?? 0,
      );
    };
    const before = await count();
    await using gateway = await newGateway();
    await publishAndBeClosed(gateway, "elsewhere", "x");
    expect(await count()).toBeGreaterThan(before);
  });
});

describe.concurrent("a birth", () => {
  test("that names another gateway's sensor is refused for that sensor, and says how to move it", async () => {
    const { platform, newGateway } = shared;
    await using owner = await newGateway();
    await using rival = await newGateway();
    const sensor = `${owner.name}.a`;
    await rival.birth([sensor, `${rival.name}.b`]);
    const told = await rival.refusal("sensor-owned");
    expect(told.detail).toContain(`marsad sensor move ${sensor}`);
    expect(await platform.deadLetters(rival.name)).toMatchObject([
      { reason: "sensor-owned", channel: "birth" },
    ]);

    const now = Date.now();
    await rival.send(`${flowLine(sensor, 99, now)}\n${flowLine(`${rival.name}.b`, 12, now)}`);
    await owner.send(flowLine(sensor, 11, now));
    expect(await storedVehicles(owner)).toEqual([11]);
    expect(await platform.settled(rival.name)).toMatchObject({
      sent: 2,
      stored: 1,
      refused_by_reason: { "sensor-owned": 1 },
    });
    expect(await platform.settled(owner.name)).toMatchObject({ sent: 1, stored: 1, refused: 0 });
  });

  test("of another agency may use the same sensor id: it is another sensor", async () => {
    const { platform, newGateway } = shared;
    await using mobility = await newGateway();
    await using water = await newGateway([], { agency: "water" });
    const sensor = `${mobility.name}.a`;
    await water.birth([sensor]);
    const now = Date.now();
    await mobility.send(flowLine(sensor, 11, now));
    await water.send(flowLine(sensor, 12, now));
    expect(await platform.settled(mobility.name)).toMatchObject({ stored: 1, refused: 0 });
    expect(await platform.settled(water.name)).toMatchObject({ stored: 1, refused: 0 });
  });

  test.each<[string, string | Uint8Array]>([
    ["no JSON", "traffic_flow"],
    ["no birth", '{"marsad":1,"sensors":"all"}'],
    ["a birth of a later version", '{"marsad":2,"agent":"x","sensors":[]}'],
    ["no UTF-8", Uint8Array.of(0x7b, 0xff, 0x7d)],
  ])("that is %s is refused, and what was known of the gateway stays", async (_what, payload) => {
    await using gateway = await shared.newGateway();
    await gateway.publish(gateway.topics.birth, payload);
    expect((await gateway.refusal("bad-birth")).detail).not.toBe("");
    await gateway.send(flowLine(`${gateway.name}.a`, 11, Date.now()));
    expect(await storedVehicles(gateway)).toEqual([11]);
  });

  test("with one bad sensor registers the others", async () => {
    await using gateway = await shared.newGateway([]);
    const sensors = [
      { id: `${gateway.name}.a`, place: "QA-DA" },
      { id: `${gateway.name}.b`, place: "Atlantis" },
      { id: "", place: "QA-DA" },
    ];
    await gateway.publish(gateway.topics.birth, JSON.stringify({ marsad: 1, agent: "test", sensors }));
    expect((await gateway.refusal("bad-birth")).detail).toContain("Atlantis");
    await gateway.send(flowLine(`${gateway.name}.a`, 11, Date.now()));
    expect(await storedVehicles(gateway)).toEqual([11]);
  });
});

/** The platform must close the connection, without a PUBACK. */
async function publishAndBeClosed(gateway: MqttGateway, topic: string, payload: string): Promise<void> {
  let acknowledged = false;
  const closed = new Promise<void>((resolve) => gateway.client.once("close", resolve));
  gateway.client.publish(topic, payload, { qos: 1 }, (error) => (acknowledged = !error));
  await closed;
  expect(acknowledged).toBe(false);
}

function reconnect({ identity, password }: OwnGateway): Promise<MqttGateway> {
  return connectGateway({ identity, password, port: shared.platform.mqttPort });
}

async function storedVehicles({ name }: OwnGateway): Promise<unknown[]> {
  const { platform } = shared;
  await platform.settled(name);
  const readings = await platform.readings("traffic_flow", `${name}.a`);
  return readings.map(({ vehicles }) => vehicles);
}
