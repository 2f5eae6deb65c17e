import { once } from "node:events";
import { mkdir } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { edgeData, startEdge } from "../../support/edge.ts";
import { connectGateway, type MqttGateway } from "../../support/mqtt-gateway.ts";
import { admitGateway, dataFolder, type Platform, startPlatform } from "../../support/platform.ts";
import { poll } from "../../support/poll.ts";
import { growDisk, mountSmallDisk, needsMount } from "../../support/small-disk.ts";
import { storedRows } from "../../support/stored-rows.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { flowLine } from "./support.ts";

const MiB = 1024 * 1024;
const smallDisk = 2 * MiB;
const enoughRoom = 128 * MiB;
const identity = { name: "corniche-1", agency: "mobility" };
const readingsPerBatch = 500;
const start = Date.now() - 3_600_000;

/** Batch number `i`: readings of `sensor` that no other batch has. */
function batch(sensor: string, i: number): string {
  const first = i * readingsPerBatch;
  return Array.from(
    { length: readingsPerBatch },
    (_, j) => `${flowLine(sensor, (first + j) % 600, start + first + j)}\n`,
  ).join("");
}

/** A mount on `DIR/PART` of the platform in `folder`; undefined where that is not allowed. */
async function mountPart(folder: string, part: string): Promise<AsyncDisposable | undefined> {
  const path = join(dataFolder(folder), part);
  await mkdir(path, { recursive: true });
  return await mountSmallDisk(path, smallDisk);
}

/** Sends batch after batch until `until`, or until one has no PUBACK for two seconds. */
async function sendUntil(
  gateway: MqttGateway,
  sensor: string,
  first: number,
  until: (sent: number) => boolean | Promise<boolean>,
): Promise<{ sent: number; last: Promise<void>; stalled: boolean }> {
  let sent = first;
  let last = Promise.resolve();
  let stalled = false;
  while (!stalled && !(await until(sent))) {
    last = gateway.send(batch(sensor, sent));
    sent += 1;
    stalled = await Promise.race([last.then(() => false), sleep(2000).then(() => true)]);
  }
  return { sent, last, stalled };
}

/** Everything of `sensor` in the store is as sent, each key once. */
async function expectStored(platform: Platform, sensor: string, batches: number): Promise<void> {
  const readings = await platform.readings("traffic_flow", sensor);
  expect(readings.map(({ time, vehicles }) => [Date.parse(time) - start, vehicles])).toEqual(
    Array.from({ length: batches * readingsPerBatch }, (_, i) => [i, i % 600]),
  );
}

test("a full disk under the journal: no PUBACK, said why, and all goes on when there is room", async ({
  skip,
}) => {
  using folder = tempFolder("full");
  await using disk = await mountPart(folder.path, "journal");
  skip(disk === undefined, needsMount);
  const password = await admitGateway(dataFolder(folder.path), identity);
  await using platform = await startPlatform({ folder: folder.path });
  const client = { keepalive: 1 };
  await using gateway = await connectGateway({ identity, password, port: platform.mqttPort, client });

  // Readings of an unknown sensor stay in the journal.
  const { sent, last, stalled } = await sendUntil(gateway, "unborn", 0, (batches) => batches > 200);
  expect(stalled).toBe(true);
  const why = await poll(async () => (await platform.health()).parts.find(({ ok }) => !ok));
  expect(why).toMatchObject({ name: "journal", why: expect.stringMatching(/full|no room|no space/i) });
  await sleep(2000);
  expect(gateway.client.connected).toBe(true);

  await growDisk(join(platform.data, "journal"), enoughRoom);
  await last;
  await poll(async () => (await platform.health()).ready);
  await gateway.birth(["unborn"]);
  const account = await platform.settled(identity.name, ({ on_its_way }) => on_its_way.waiting === 0);
  expect(account).toMatchObject({
    sent: sent * readingsPerBatch,
    stored: sent * readingsPerBatch,
    duplicate: 0,
  });
  await expectStored(platform, "unborn", sent);
});

test("a full disk under the journal: told to end it ends, and what it acknowledged is there after the next start", async ({
  skip,
}) => {
  using folder = tempFolder("full");
  await using disk = await mountPart(folder.path, "journal");
  skip(disk === undefined, needsMount);
  const password = await admitGateway(dataFolder(folder.path), identity);
  let acknowledged = 0;
  {
    await using platform = await startPlatform({ folder: folder.path });
    await using gateway = await connectGateway({ identity, password, port: platform.mqttPort });
    const { sent, last } = await sendUntil(gateway, "unborn", 0, (batches) => batches > 200);
    last.catch(() => {}); // its PUBACK never comes
    acknowledged = sent - 1;
    expect(await platform.end("SIGTERM")).toBe(0);
  }
  {
    // On the full disk, too, it starts and says how it is.
    await using platform = await startPlatform({ folder: folder.path });
    expect((await platform.account(identity.name)).on_its_way.waiting).toBeGreaterThanOrEqual(
      acknowledged * readingsPerBatch,
    );
    await platform.end("SIGKILL");
  }
  await growDisk(join(dataFolder(folder.path), "journal"), enoughRoom);
  await using platform = await startPlatform({ folder: folder.path });
  await using gateway = await connectGateway({ identity, password, port: platform.mqttPort });
  await gateway.birth(["unborn"]);
  const account = await platform.settled(identity.name, ({ on_its_way }) => on_its_way.waiting === 0);
  const stored = account.stored / readingsPerBatch;
  expect([acknowledged, acknowledged + 1]).toContain(stored);
  await expectStored(platform, "unborn", stored);
});

test("a full disk under the store: PUBACKs go on, said why, and the store catches up when there is room", async ({
  skip,
}) => {
  using folder = tempFolder("full");
  await using disk = await mountPart(folder.path, "store");
  skip(disk === undefined, needsMount);
  const password = await admitGateway(dataFolder(folder.path), identity);
  await using platform = await startPlatform({ folder: folder.path });
  await using gateway = await connectGateway({ identity, password, port: platform.mqttPort });
  await gateway.birth(["tf-1"]);

  const ailing = async (): Promise<boolean> => !(await platform.health()).ready;
  const filled = await sendUntil(
    gateway,
    "tf-1",
    0,
    async (batches) => batches > 400 || (batches % 10 === 0 && (await ailing())),
  );
  expect(filled.stalled).toBe(false);
  const why = await poll(async () => (await platform.health()).parts.find(({ ok }) => !ok));
  expect(why).toMatchObject({ name: "store", why: expect.stringMatching(/disk.*full/) });
  const { sent, stalled } = await sendUntil(
    gateway,
    "tf-1",
    filled.sent,
    (batches) => batches === filled.sent + 10,
  );
  expect(stalled).toBe(false);
  const meanwhile = await platform.account(identity.name);
  expect(meanwhile).toMatchObject({ balanced: true, sent: sent * readingsPerBatch });
  expect(meanwhile.on_its_way.journal).toBeGreaterThanOrEqual(10 * readingsPerBatch);

  await growDisk(join(platform.data, "store"), enoughRoom);
  await poll(async () => (await platform.health()).ready);
  expect(await platform.settled(identity.name)).toMatchObject({
    sent: sent * readingsPerBatch,
    stored: sent * readingsPerBatch,
    duplicate: 0,
    refused: 0,
  });
  await expectStored(platform, "tf-1", sent);
});

test("a full disk under the store, and the platform killed there: what was acknowledged is stored once after the next start", async ({
  skip,
}) => {
  using folder = tempFolder("full");
  await using disk = await mountPart(folder.path, "store");
  skip(disk === undefined, needsMount);
  const password = await admitGateway(dataFolder(folder.path), identity);
  let sent = 0;
  {
    await using platform = await startPlatform({ folder: folder.path });
    await using gateway = await connectGateway({ identity, password, port: platform.mqttPort });
    await gateway.birth(["tf-1"]);
    const ailing = async (): Promise<boolean> => !(await platform.health()).ready;
    ({ sent } = await sendUntil(
      gateway,
      "tf-1",
      0,
      async (batches) => batches > 400 || (batches % 10 === 0 && (await ailing())),
    ));
    await platform.end("SIGKILL");
  }
  await growDisk(join(dataFolder(folder.path), "store"), enoughRoom);
  await using platform = await startPlatform({ folder: folder.path });
  expect(await platform.settled(identity.name)).toMatchObject({
    stored: sent * readingsPerBatch,
    duplicate: 0,
  });
  await expectStored(platform, "tf-1", sent);
});

test("a full disk under the store, and the journal at its bound: PUBACKs wait, both are named, and all is stored when there is room", async ({
  skip,
}) => {
  using folder = tempFolder("full");
  await using disk = await mountPart(folder.path, "store");
  skip(disk === undefined, needsMount);
  const password = await admitGateway(dataFolder(folder.path), identity);
  await using platform = await startPlatform({ folder: folder.path, args: ["--journal-bytes", "500000"] });
  await using gateway = await connectGateway({ identity, password, port: platform.mqttPort });
  await gateway.birth(["tf-1"]);
  const { sent, last, stalled } = await sendUntil(gateway, "tf-1", 0, (batches) => batches > 400);
  expect(stalled).toBe(true);
  const parts = await poll(async () => {
    const ailing = (await platform.health()).parts.filter(({ ok }) => !ok);
    return ailing.length === 2 ? ailing : undefined;
  });
  expect(parts).toMatchObject([
    { name: "journal", why: expect.stringMatching(/holds \d+ bytes of at most 500000/) },
    { name: "store", why: expect.stringMatching(/disk.*full/) },
  ]);

  await growDisk(join(platform.data, "store"), enoughRoom);
  await last;
  expect(await platform.settled(identity.name)).toMatchObject({
    sent: sent * readingsPerBatch,
    stored: sent * readingsPerBatch,
    duplicate: 0,
  });
  await expectStored(platform, "tf-1", sent);
});

test("a full disk under the registry: a birth is held and readings of known sensors are not lost, and it goes on when there is room", async ({
  skip,
}) => {
  using folder = tempFolder("full");
  await using disk = await mountPart(folder.path, "registry");
  skip(disk === undefined, needsMount);
  const password = await admitGateway(dataFolder(folder.path), identity);
  await using platform = await startPlatform({ folder: folder.path });
  await using gateway = await connectGateway({ identity, password, port: platform.mqttPort });
  const sensors = Array.from({ length: 500 }, (_, i) => `tf-${i}`);
  let births = 0;
  let last = Promise.resolve();
  for (let stalled = false; !stalled && births < 100; births += 1) {
    last = gateway.birth(sensors.map((sensor) => `${sensor}.${births}`));
    stalled = await Promise.race([last.then(() => false), sleep(2000).then(() => true)]);
  }
  expect(births).toBeLessThan(20);
  const why = await poll(async () => (await platform.health()).parts.find(({ ok }) => !ok));
  expect(why).toMatchObject({ name: "registry", why: expect.stringMatching(/no room/) });
  const reading = gateway.send(flowLine("tf-0.0", 11, start));

  await growDisk(join(platform.data, "registry"), enoughRoom);
  await last;
  expect(await platform.health()).toMatchObject({ ready: true });
  await reading;
  await gateway.send(flowLine(`tf-499.${births - 1}`, 12, start));
  expect(await platform.settled(identity.name)).toMatchObject({ sent: 2, stored: 2, sensors: births * 500 });
});

test("a full disk under the outbox: senders wait, said why, and every line is stored once when the platform is there", async ({
  skip,
}) => {
  using folder = tempFolder("full");
  await mkdir(edgeData(folder.path), { recursive: true });
  await using disk = await mountSmallDisk(edgeData(folder.path), smallDisk);
  skip(disk === undefined, needsMount);
  const password = await admitGateway(dataFolder(folder.path), identity);
  await using platform = await startPlatform({ folder: folder.path });
  const agent = {
    folder: folder.path,
    gateway: identity.name,
    agency: identity.agency,
    password,
    sensors: ["tf-1"],
  };
  const batches = 400; // 27 MB: more than the disk, the agent's memory and the sockets' buffers hold together
  let delivered = 0;
  const deliver = async (input: string): Promise<void> => {
    const socket = connect(Number(input.split(":").at(-1)), "127.0.0.1");
    socket.on("error", () => {}); // once() rejects
    for (; delivered < batches; delivered += 1) {
      if (!socket.write(batch("tf-1", delivered))) await once(socket, "drain");
    }
    const closed = once(socket, "close");
    socket.end();
    socket.resume();
    await closed;
  };
  // Where nobody listens, first: the outbox fills.
  {
    await using edge = await startEdge({ ...agent, mqttPort: 1 });
    const delivering = deliver(edge.input);
    await poll(() => /The outbox takes no more; senders wait/.test(edge.log()));
    await sleep(1000);
    expect(delivered).toBeLessThan(batches);
    await growDisk(edgeData(folder.path), enoughRoom);
    await delivering;
    await edge.end("SIGTERM");
  }
  await using _edge = await startEdge({ ...agent, mqttPort: platform.mqttPort });
  const all = ({ sent }: { sent: number }): boolean => sent === batches * readingsPerBatch;
  expect(await platform.settled(identity.name, all)).toMatchObject({
    sent: batches * readingsPerBatch,
    stored: batches * readingsPerBatch,
    duplicate: 0,
    refused: 0,
    on_its_way: { missing: 0 },
  });
  await platform.end("SIGTERM");
  const { count, rows } = await storedRows(platform.data, "traffic_flow");
  expect(count).toBe(batches * readingsPerBatch);
  expect(rows.every(({ time, fields }, i) => time === start + i && fields["vehicles"] === i % 600)).toBe(
    true,
  );
});
