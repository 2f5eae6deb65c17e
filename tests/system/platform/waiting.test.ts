import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { connectGateway } from "../../support/mqtt-gateway.ts";
import { poll } from "../../support/poll.ts";
import { runMarsad } from "../cli/run-marsad.ts";
import { flowLine, sharePlatform } from "./support.ts";

const base = Date.now() - 3_600_000;

const nothingWaits = ({ on_its_way }: { on_its_way: { waiting: number } }): boolean =>
  on_its_way.waiting === 0;

function flowLines(sensor: string, from: number, to: number): string {
  return Array.from(
    { length: to - from },
    (_, i) => `${flowLine(sensor, (from + i) % 600, base + from + i)}\n`,
  ).join("");
}

describe.concurrent("a full waiting quota", () => {
  test("withholds PUBACK while pings are answered; a birth passes what is held, and all of it is stored once", async () => {
    await using shared = await sharePlatform(["--waiting-bytes-per-gateway", "20000"]);
    const { platform } = shared;
    await using gateway = await shared.newGateway([]);
    await using pinging = await connectGateway({
      identity: gateway.identity,
      password: gateway.password,
      port: platform.mqttPort,
      client: { clientId: "pinging", keepalive: 1 },
    });
    const sensor = `${gateway.name}.late`;
    const messages = 10;
    const perMessage = 100; // some 7 KB a message
    let acknowledged = 0;
    const sending = Array.from({ length: messages }, async (_, i) => {
      await pinging.send(flowLines(sensor, i * perMessage, (i + 1) * perMessage));
      acknowledged += 1;
    });
    await poll(() => acknowledged > 0);
    await sleep(3000); // three keepalives
    const held = messages - acknowledged;
    expect(held).toBeGreaterThan(0);
    expect(acknowledged).toBeGreaterThan(0);
    expect(pinging.client.connected).toBe(true);
    expect(await platform.account(gateway.name)).toMatchObject({
      sent: acknowledged * perMessage,
      stored: 0,
      on_its_way: { waiting: acknowledged * perMessage },
      balanced: true,
    });
    // Another gateway does not wait for it.
    await using other = await shared.newGateway();
    await other.send(flowLine(`${other.name}.a`, 1, base));
    expect(await platform.settled(other.name)).toMatchObject({ stored: 1 });

    await pinging.birth([sensor]);
    await Promise.all(sending);
    expect(await platform.settled(gateway.name, nothingWaits)).toMatchObject({
      sent: messages * perMessage,
      stored: messages * perMessage,
      duplicate: 0,
      refused: 0,
      on_its_way: { waiting: 0 },
    });
  });

  test("a message larger than the whole quota is held, and taken once its sensor is known", async () => {
    await using shared = await sharePlatform(["--waiting-bytes-per-gateway", "1000"]);
    const { platform } = shared;
    await using gateway = await shared.newGateway([]);
    const sensor = `${gateway.name}.late`;
    let acknowledged = false;
    const sending = gateway.send(flowLines(sensor, 0, 100)).then(() => (acknowledged = true));
    await poll(() => gateway.rebirths.length > 0);
    await sleep(500);
    expect(acknowledged).toBe(false);
    await gateway.birth([sensor]);
    await sending;
    expect(await platform.settled(gateway.name)).toMatchObject({ sent: 100, stored: 100, duplicate: 0 });
  });

  test("a gateway that gives up and comes back with its birth first finds room", async () => {
    await using shared = await sharePlatform(["--waiting-bytes-per-gateway", "10000"]);
    const { platform } = shared;
    const sensor = "gw-1.late";
    let name: string;
    let password: string;
    {
      await using gateway = await shared.newGateway([]);
      ({ name, password } = gateway);
      await gateway.send(flowLines(sensor, 0, 100));
      gateway.send(flowLines(sensor, 100, 200)).catch(() => {}); // held, and then its connection ends
      await sleep(300);
      await gateway.client.endAsync(true);
    }
    const identity = { name, agency: "mobility" };
    await using again = await connectGateway({ identity, password, port: platform.mqttPort });
    await again.birth([sensor]);
    await again.send(flowLines(sensor, 100, 200));
    expect(await platform.settled(name, nothingWaits)).toMatchObject({
      sent: 200,
      stored: 200,
      duplicate: 0,
      on_its_way: { waiting: 0 },
    });
  });
});

describe.concurrent("asking for a birth", () => {
  test("one request is outstanding, the next comes after ten seconds: not one for each reading, nor for each birth that does not help", async () => {
    await using shared = await sharePlatform();
    await using gateway = await shared.newGateway();
    const asked: number[] = [];
    gateway.client.on(
      "message",
      (topic) => void (topic === gateway.topics.down.rebirth && asked.push(performance.now())),
    );
    for (let i = 0; asked.length < 2; i += 1) {
      await gateway.send(flowLine(`${gateway.name}.unknown-${i % 20}`, i % 600, base + i));
      if (i % 10 === 0) await gateway.birth([`${gateway.name}.a`]);
      await sleep(50);
    }
    expect(gateway.rebirths).toEqual([
      { marsad: 1, reason: "unknown-sensor" },
      { marsad: 1, reason: "unknown-sensor" },
    ]);
    expect(asked[1]! - asked[0]!).toBeGreaterThan(9000);
  });
});

describe.concurrent("sensors that operators change while the platform runs", () => {
  test("moved to another gateway: only that one's readings are taken, and the series goes on", async () => {
    await using shared = await sharePlatform();
    const { platform } = shared;
    await using old = await shared.newGateway();
    await using next = await shared.newGateway();
    const sensor = `${old.name}.a`;
    await old.send(flowLine(sensor, 11, base));
    const { code } = await runMarsad([
      "sensor",
      "move",
      sensor,
      "--gateway",
      next.name,
      "--data",
      platform.data,
    ]);
    expect(code).toBe(0);
    await seen(
      async () => (
        await next.send(flowLine(sensor, 12, base + 1000)),
        (await platform.settled(next.name)).stored > 0
      ),
    );
    await old.send(flowLine(sensor, 99, base + 2000));
    expect((await old.refusal("sensor-owned")).detail).toContain(sensor);
    await platform.settled(old.name);
    expect((await platform.readings("traffic_flow", sensor)).map(({ vehicles }) => vehicles)).toEqual([
      11, 12,
    ]);
  });

  test("retired: further readings are refused, its history stays, and `sensor add` brings it back", async () => {
    await using shared = await sharePlatform();
    const { platform } = shared;
    await using gateway = await shared.newGateway();
    const sensor = `${gateway.name}.a`;
    await gateway.send(flowLine(sensor, 11, base));
    const data = ["--data", platform.data];
    expect(await runMarsad(["sensor", "retire", sensor, ...data])).toMatchObject({ code: 0 });
    await seen(async () => {
      await gateway.send(flowLine(sensor, 11, base));
      return gateway.nacks
        .flatMap(({ rejections }) => rejections)
        .some(({ reason }) => reason === "sensor-retired");
    });
    await platform.settled(gateway.name);
    expect((await platform.readings("traffic_flow", sensor)).map(({ vehicles }) => vehicles)).toEqual([11]);
    const add = ["sensor", "add", sensor, "--gateway", gateway.name, "--place", "QA-DA", ...data];
    expect(await runMarsad(add)).toMatchObject({ code: 0 });
    await seen(async () => {
      await gateway.send(flowLine(sensor, 12, base + 1000));
      await platform.settled(gateway.name);
      return (await platform.readings("traffic_flow", sensor)).length === 2;
    });
  });

  test("a gateway that is removed is cut off, and its readings stay", async () => {
    await using shared = await sharePlatform();
    const { platform } = shared;
    await using gateway = await shared.newGateway();
    await gateway.send(flowLine(`${gateway.name}.a`, 11, base));
    const closed = new Promise<void>((resolve) => gateway.client.once("close", resolve));
    expect(await runMarsad(["gateway", "remove", gateway.name, "--data", platform.data])).toMatchObject({
      code: 0,
    });
    await closed;
    const { identity, password } = gateway;
    await expect(connectGateway({ identity, password, port: platform.mqttPort })).rejects.toThrow(
      /not authorized|bad user/i,
    );
    expect(await platform.settled(gateway.name)).toMatchObject({ stored: 1, connected: false });
  });
});

/** The platform sees within a second what operators change: until then `attempt` is made again. */
async function seen(attempt: () => Promise<boolean>): Promise<void> {
  await poll(attempt, { timeout: 5000, interval: 100 });
}
