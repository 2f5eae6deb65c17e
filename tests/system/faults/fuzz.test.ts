import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pino } from "pino";
import { expect, test } from "vitest";
import { openDuckDbStore } from "#store/duckdb/index.ts";
import { builtinCatalogue } from "#telemetry/builtin-catalogue.ts";
import { formatBirth } from "#telemetry/birth.ts";
import type { Reason } from "#telemetry/rejection.ts";
import { uplinkChannels } from "#telemetry/topic.ts";
import { reportFault } from "../../support/fault-report.ts";
import { Chance } from "../../support/fuzz/chance.ts";
import { Oracle, readBirth } from "../../support/fuzz/expected.ts";
import { mutate } from "../../support/fuzz/mutate.ts";
import { Packets } from "../../support/fuzz/packets.ts";
import { device, foreignSensor, ownSensors, Payloads } from "../../support/fuzz/payloads.ts";
import { fuzzConnection } from "../../support/fuzz/wire.ts";
import { connectGateway, type MqttGateway } from "../../support/mqtt-gateway.ts";
import { admitGateway, dataFolder, type Platform, startPlatform } from "../../support/platform.ts";
import { poll } from "../../support/poll.ts";
import { fuzzed, fuzzSeed } from "../../support/soak.ts";
import { rowsOf, type StoredRow, storedRows } from "../../support/stored-rows.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { agency, type City, startCity } from "./city.ts";
import { settle, untilAcknowledged } from "./support.ts";
import { expectKept } from "./verdict.ts";

/** Connections of each fuzzing gateway at a time; it may have eight. */
const connections = 6;
const packetsPerConnection = 12;
/** Payloads without a PUBACK at most. */
const window = 200;

test(`${fuzzed} damaged packets, before CONNECT and within sessions: the platform lives, and a neighbour's readings are acknowledged and stored`, async ({
  annotate,
}) => {
  await annotate(`seed ${fuzzSeed}`);
  using folder = tempFolder("fuzz-packets");
  await using city = await startCity({ folder: folder.path, gateways: ["numbered"], rate: 400 });
  const fuzzers = await Promise.all(
    ["fuzz-a", "fuzz-b"].map(async (name) => ({
      identity: { name, agency },
      password: await admitGateway(dataFolder(folder.path), { name, agency }),
    })),
  );
  await using platform = await startPlatform({ folder: folder.path });
  city.platform = platform;
  for (const fuzzer of fuzzers) {
    await using gateway = await connectGateway({ ...fuzzer, port: platform.mqttPort });
    await gateway.birth(fuzzer === fuzzers[0] ? ownSensors : []);
  }

  let tried = 0;
  let connected = 0;
  const workers = fuzzers.flatMap(({ identity, password }) =>
    Array.from({ length: connections }, async (_, i) => {
      const chance = new Chance(fuzzSeed, `${identity.name} ${i}`);
      const payloads = new Payloads(chance, Date.now() - 3_600_000);
      const packets = new Packets(chance, payloads, identity, password);
      while (tried < fuzzed) {
        const bad = await fuzzConnection(platform.mqttPort, packets, chance, packetsPerConnection);
        tried += bad;
        connected += 1;
      }
    }),
  );
  await whileRunning(city, Promise.all(workers));

  await settle(city, platform);
  for (const { identity } of fuzzers) expect((await platform.settled(identity.name)).balanced).toBe(true);
  await expectUnharmed(city, platform);
  const { rows } = await storedRows(dataFolder(folder.path), "traffic_flow");
  const neighbours = rows.filter(({ sensor }) => sensor.startsWith("numbered."));
  await expectKept(
    annotate,
    { fault: "damaged packets on the wire", tried, measured: { connections: connected, seed: fuzzSeed } },
    { count: neighbours.length, rows: neighbours },
    city.loads,
  );
});

test(`${fuzzed} damaged payloads of every format: each reading is stored or refused as the readable decoders say, and a neighbour's are stored`, async ({
  annotate,
}) => {
  await annotate(`seed ${fuzzSeed}`);
  using folder = tempFolder("fuzz-payloads");
  const data = dataFolder(folder.path);
  await using city = await startCity({ folder: folder.path, gateways: ["numbered"], rate: 400 });
  const admit = async (name: string, agency: string) => {
    const identity = { name, agency };
    return { identity, password: await admitGateway(data, identity) };
  };
  const [fuzz, rival, births] = [
    await admit("fuzz", agency),
    await admit("rival", agency),
    await admit("births", "water"),
  ];
  await using platform = await startPlatform({ folder: folder.path });
  city.platform = platform;
  const port = platform.mqttPort;
  await using other = await connectGateway({ ...rival, port });
  await other.birth([foreignSensor]);
  await using newborns = await connectGateway({ ...births, port });
  await using gateway = await connectGateway({ ...fuzz, port });
  const sensors = [...ownSensors.map((id) => ({ id, place: "QA-DA" })), { place: "QA-DA", ...device }];
  await gateway.publish(gateway.topics.birth, formatBirth({ agent: "fuzz", sensors }));

  const model = new Model(
    new Oracle([...ownSensors, device.id], [foreignSensor], { [device.id]: device.senml }),
  );
  const chance = new Chance(fuzzSeed, "payloads");
  const payloads = new Payloads(chance, Date.now() - 2 * 3_600_000);
  await whileRunning(
    city,
    (async () => {
      const flow = new Flow();
      for (let sent = 0; sent < fuzzed;) {
        const channel = chance.pick(uplinkChannels);
        const good = channel === "birth" ? payloads.birth("b") : payloads.next(channel);
        const payload = chance.oneIn(20) ? Buffer.from(good) : mutate(good, chance);
        if (channel === "birth") {
          model.expectBirth(payload);
          await flow.send(newborns, newborns.topics.birth, payload);
        } else if (model.expect(channel, payload, Date.now())) {
          await flow.send(gateway, gateway.topics.up[channel], payload);
        } else continue;
        sent += 1;
      }
      await flow.drained();
    })(),
  );

  await settle(city, platform);
  const account = await platform.settled("fuzz");
  const { waiting, ...refused } = model.refused();
  expect(account).toMatchObject({
    balanced: true,
    refused_by_reason: refused,
    on_its_way: { waiting, journal: 0 },
  });
  expect(Object.keys(account.refused_by_reason).sort()).toEqual(Object.keys(refused).sort());
  expect(account.stored + account.duplicate).toBe(model.accepted);
  await expectLetters(platform, "fuzz", model.letters);
  expect((await platform.settled("births")).sensors).toBe(model.sensors.size);
  await expectLetters(platform, "births", model.birthLetters);
  const told = (): number => gateway.nacks.reduce((sum, { count }) => sum + count, 0);
  await poll(() => told() === model.refusals);
  await expectUnharmed(city, platform);

  await using store = await openDuckDbStore({ path: join(data, "store"), log: pino({ level: "silent" }) });
  const stored = new Map<string, readonly StoredRow[]>();
  for (const { name } of builtinCatalogue.measurements) stored.set(name, (await rowsOf(store, name)).rows);
  const { lost, twice, invented } = model.judge(stored);
  await reportFault(annotate, {
    fault: "damaged payloads",
    tried: fuzzed,
    sent: account.sent - account.on_its_way.missing,
    acknowledged: account.sent - account.on_its_way.missing,
    lost: lost.length,
    twice,
    measured: { "readings refused": model.refusals, seed: fuzzSeed },
  });
  expect({ lost: lost.slice(0, 20), twice, invented: invented.slice(0, 20) }).toEqual({
    lost: [],
    twice: 0,
    invented: [],
  });
  expect(model.accepted).toBeGreaterThan(0);
  const neighbours = stored.get("traffic_flow")!.filter(({ sensor }) => sensor.startsWith("numbered."));
  await expectKept(
    annotate,
    { fault: "damaged payloads, a neighbour", tried: fuzzed },
    { count: neighbours.length, rows: neighbours },
    city.loads,
  );
});

/** What the readable decoders say of all that was sent. */
class Model {
  readonly #oracle: Oracle;
  readonly #rows = new Map<string, Record<string, number>>();
  readonly #refused: Partial<Record<Reason, number>> = {};
  /** Rows whose times are relative to their arrival, which is not known here. */
  #untimed = 0;
  accepted = 0;
  /** Dead letters by reason, and the readings in them. */
  readonly letters = new Map<Reason, { letters: number; readings: number }>();
  readonly birthLetters = new Map<Reason, { letters: number; readings: number }>();
  readonly sensors = new Set<string>();

  constructor(oracle: Oracle) {
    this.#oracle = oracle;
  }

  /** @returns false for a payload that means something else when it arrives a little later: it must not be sent. */
  expect(format: Parameters<Oracle["read"]>[0], payload: Uint8Array, now: number): boolean {
    const { rows, refused } = this.#oracle.read(format, payload, now);
    const later = this.#oracle.read(format, payload, now + 60_000);
    if (JSON.stringify(refused) !== JSON.stringify(later.refused)) return false;
    this.accepted += rows.length;
    if (JSON.stringify(rows) === JSON.stringify(later.rows)) {
      for (const { measurement, sensor, time, fields } of rows) {
        const key = `${measurement} ${sensor} ${time}`;
        this.#rows.set(key, { ...this.#rows.get(key), ...fields });
      }
    } else this.#untimed += rows.length;
    for (const [reason, readings] of Object.entries(refused) as [Reason, number][]) {
      this.#refused[reason] = (this.#refused[reason] ?? 0) + readings;
      if (reason !== "unknown-sensor") addLetter(this.letters, reason, readings);
    }
    return true;
  }

  expectBirth(payload: Uint8Array): void {
    const { sensors, letters } = readBirth(payload);
    for (const sensor of sensors) this.sensors.add(sensor);
    for (const reason of letters) addLetter(this.birthLetters, reason, 0);
  }

  /** Readings by reason, and those that wait. */
  refused(): Partial<Record<Reason, number>> & { waiting: number } {
    const { "unknown-sensor": waiting = 0, ...refused } = this.#refused;
    return { ...refused, waiting };
  }

  get refusals(): number {
    return Array.from(this.letters.values()).reduce((sum, { readings }) => sum + readings, 0);
  }

  /** The store's rows of the sensors that were fuzzed, one by one. */
  judge(stored: ReadonlyMap<string, readonly StoredRow[]>): {
    lost: string[];
    twice: number;
    invented: string[];
  } {
    const fuzzed = new Set([...ownSensors, device.id]);
    const found = new Map<string, string>();
    const invented: string[] = [];
    let twice = 0;
    for (const [measurement, rows] of stored) {
      for (const { sensor, time, fields } of rows) {
        if (!fuzzed.has(sensor)) continue;
        const key = `${measurement} ${sensor} ${time}`;
        if (found.has(key)) twice += 1;
        found.set(key, textOf(fields));
        if (!this.#rows.has(key)) invented.push(`${key} ${textOf(fields)}`);
      }
    }
    const lost = Array.from(this.#rows)
      .filter(([key, fields]) => found.get(key) !== textOf(fields))
      .map(([key, fields]) => `${key} ${textOf(fields)}, not ${found.get(key)}`);
    return { lost, twice, invented: invented.slice(this.#untimed) };
  }
}

function addLetter(
  letters: Map<Reason, { letters: number; readings: number }>,
  reason: Reason,
  readings: number,
): void {
  const count = letters.get(reason) ?? { letters: 0, readings: 0 };
  letters.set(reason, { letters: count.letters + 1, readings: count.readings + readings });
}

/** Fields in order of their names; a boolean is 0 or 1, as the decoders have it. */
function textOf(fields: Readonly<Record<string, number | boolean | string>>): string {
  const numbers = Object.entries(fields).map(([name, value]) => [name, Number(value) + 0] as const);
  return JSON.stringify(numbers.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** QoS 1 with a window. */
class Flow {
  #pending = 0;

  async send({ client }: MqttGateway, topic: string, payload: Buffer): Promise<void> {
    this.#pending += 1;
    client.publish(topic, payload, { qos: 1 }, (error) => {
      if (!error) this.#pending -= 1;
    });
    if (this.#pending >= window) await poll(() => this.#pending < window / 2, { interval: 1 });
  }

  async drained(): Promise<void> {
    await poll(() => this.#pending === 0, { interval: 5 });
  }
}

/** Until it ends, the neighbour has one PUBACK after the other, and every ledger balances. */
async function whileRunning(city: City, fuzzing: Promise<unknown>): Promise<void> {
  const over = new AbortController();
  const watch = async (): Promise<void> => {
    while (!over.signal.aborted) await untilAcknowledged(city, 2);
  };
  await Promise.all([fuzzing.finally(() => over.abort()), watch()]);
}

/** The process that began is the one that ends, when it is told to; its log knows no error; the neighbour's connection was never cut. */
async function expectUnharmed({ folder, loads }: City, platform: Platform): Promise<void> {
  process.kill(platform.pid, 0); // throws when it is gone
  expect(Array.from(loads.values(), ({ load }) => load.resent)).toEqual([0]);
  expect(await platform.end("SIGTERM")).toBe(0);
  const lines = readFileSync(join(folder, "platform.log"), "utf8").split("\n").filter(Boolean);
  expect(
    lines.filter((line) => !line.startsWith("{") || (JSON.parse(line) as { level: number }).level >= 50),
  ).toEqual([]);
}

/** As many dead letters for each reason, with as many readings. The API lists the youngest thousand. */
async function expectLetters(
  { ready: { http } }: Platform,
  gateway: string,
  expected: ReadonlyMap<Reason, { letters: number; readings: number }>,
): Promise<void> {
  const most = 1_000;
  for (const [reason, { letters, readings }] of expected) {
    const answer = await fetch(
      `${http}/api/v1/deadletters?gateway=${gateway}&reason=${reason}&limit=${most}`,
    );
    const { deadletters } = (await answer.json()) as { deadletters: { reason: string; readings: number }[] };
    expect({ reason, letters: deadletters.length }).toEqual({ reason, letters: Math.min(letters, most) });
    const found = deadletters.reduce((sum, letter) => sum + letter.readings, 0);
    expect({ reason, found: letters > most || found }).toEqual({ reason, found: letters > most || readings });
  }
}
