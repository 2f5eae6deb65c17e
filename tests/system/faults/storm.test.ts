import { readdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { generate } from "mqtt-packet";
import { expect, test } from "vitest";
import { hashPassword } from "#broker/identities.ts";
import { defaultBrokerLimits as limits } from "#broker/limits.ts";
import { openRecordStore } from "#runtime/record-store.ts";
import { reportFault } from "../../support/fault-report.ts";
import {
  type Flood,
  floodDuring,
  type FloodPhase,
  merged,
  quantile,
  startFlood,
} from "../../support/flood/flood.ts";
import { type FloodVerdict, floodVerdict } from "../../support/flood/verdict.ts";
import { anonymousMemory, MemoryWatch } from "../../support/memory.ts";
import { admitGateway, dataFolder, type Platform, startPlatform } from "../../support/platform.ts";
import { poll } from "../../support/poll.ts";
import { connectFrame, hugeHeader, openRaw, type RawMqtt } from "../../support/raw-mqtt.ts";
import { retainedMessages, stormConnections } from "../../support/soak.ts";
import { tempFolder } from "../../support/temp-folder.ts";

const MiB = 1024 * 1024;
const batch = 100;
/** What the gateways that are there send meanwhile, readings a second. */
const load = 20_000;
const agency = "mobility";
/** DuckDB's `memory_limit`, of which the load takes more the longer it goes on. */
const duckDbMemory = 512e6;
/** 100,000 gateways take their time. */
const timeout = 900_000;

interface City extends AsyncDisposable {
  readonly data: string;
  readonly platform: Platform;
  readonly flood: Flood;
}

async function startCity(name: string): Promise<City> {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(tempFolder(name));
  const platform = stack.use(await startPlatform({ folder: folder.path, args: ["--log-level", "warn"] }));
  const data = dataFolder(folder.path);
  const flood = stack.use(
    await startFlood({ data, port: platform.mqttPort, gateways: 4, sensors: 200, batch }),
  );
  const all = stack.move();
  return { data, platform, flood, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

/** The gateways' load while `fault` is done; the phases before and during it. */
async function underLoad(
  { flood }: City,
  fault: () => Promise<void>,
): Promise<{ before: FloodPhase; during: FloodPhase[] }> {
  const before = await flood.offer(load, 1);
  return { before, during: await floodDuring(flood, load, fault) };
}

interface Judged {
  readonly verdict: FloodVerdict;
  readonly measured: Record<string, number>;
  /** Nobody of those who were there noticed, and the store has what they sent: asserted once it is reported. */
  readonly expectUnharmed: () => void;
}

/** What the store has of what was sent meanwhile, and how those who were there were served. */
async function judge(
  { data, platform, flood }: City,
  phases: { before: FloodPhase; during: readonly FloodPhase[] },
): Promise<Judged> {
  const last = await flood.drain();
  for (const { name } of flood.gateways) {
    const sent = last.totals.find((one) => one.name === name)!.sent * batch;
    expect(await platform.settled(name)).toMatchObject({
      sent,
      refused: 0,
      on_its_way: { waiting: 0, missing: 0 },
    });
  }
  expect(await platform.end("SIGTERM")).toBe(0);
  const verdict = await floodVerdict(data, flood, last);
  const [latencies, pings] = [merged(phases.during, "latencies"), merged(phases.during, "pings")];
  const [calm, stormy] = [quantile(phases.before.latencies, 0.5), quantile(latencies, 0.5)];
  return {
    verdict,
    measured: {
      "PUBACK p50 before, ms": round(calm),
      "PUBACK p50 meanwhile, ms": round(stormy),
      "PUBACK p99 before, ms": round(quantile(phases.before.latencies, 0.99)),
      "PUBACK p99 meanwhile, ms": round(quantile(latencies, 0.99)),
      "longest PINGRESP meanwhile, ms": round(quantile(pings, 1)),
    },
    expectUnharmed: () => {
      expect(verdict).toMatchObject({ lost: 0, twice: 0, invented: 0, stored: verdict.sent });
      expect(last.cut).toEqual([]);
      expect(last.waiting).toBe(0);
      // The same order of magnitude, that of a commit on a busy disk.
      expect(stormy).toBeLessThan(10 * Math.max(calm, 10));
    },
  };
}

test(
  `a storm of ${stormConnections} connections, half of them silent: refused or bounded, those who are there do not notice, honest gateways get in`,
  { timeout },
  async ({ annotate }) => {
    await using city = await startCity("storm");
    const { platform, data } = city;
    const newcomers: { name: string; password: string }[] = [];
    for (let i = 0; i < 6; i++) {
      const name = `new-${i}`;
      newcomers.push({ name, password: await admitGateway(data, { name, agency }) });
    }
    const mallory = { name: "mallory", agency };
    const password = await admitGateway(data, mallory);
    const [memoryBefore, filesBefore] = [anonymousMemory(platform.pid), openFiles(platform.pid)];
    using memory = new MemoryWatch({ platform: platform.pid });
    let mostFiles = 0;
    const entered: number[] = [];
    let accepted = 0;
    const phases = await underLoad(city, async () => {
      const storm = startStorm(platform.mqttPort, stormConnections, mallory.name, password);
      try {
        for (const newcomer of newcomers) {
          // Of the first moment the bound is that on all connections: who has just come may have said something that is not read yet.
          if (newcomer !== newcomers[0]) mostFiles = Math.max(mostFiles, openFiles(platform.pid));
          const asked = performance.now();
          using gateway = openRaw(platform.mqttPort, connectFrame(newcomer, newcomer.password));
          expect(await gateway.next("connack")).toMatchObject({ returnCode: 0 });
          entered.push(performance.now() - asked);
          await sleep(300);
        }
        await poll(() => storm.raws.every(({ socket }) => !socket.connecting || socket.destroyed));
        accepted = storm.raws.filter(({ received }) =>
          received.some((packet) => packet.cmd === "connack" && packet.returnCode === 0),
        ).length;
      } finally {
        storm.end();
      }
      await poll(() => openFiles(platform.pid) <= filesBefore + 16);
    });
    const refused = await refusals(platform);
    const highest = memory.highest("platform") - memoryBefore;
    memory[Symbol.dispose]();
    const { verdict, measured, expectUnharmed } = await judge(city, phases);
    await reportFault(annotate, {
      fault: `a storm of ${stormConnections} connections`,
      tried: 1,
      ...counted(verdict),
      measured: {
        ...measured,
        "connections accepted": accepted,
        "refused: oldest of too many waiting": refused("connecting"),
        "refused: credentials": refused("credentials"),
        "an honest gateway's CONNACK, longest, ms": round(Math.max(...entered)),
        "files open, most": mostFiles,
        "RssAnon above before, MiB": Math.round(highest / MiB),
      },
    });
    expectUnharmed();
    // Those with a right password may be eight, as a gateway's connections; one client id takes over from another.
    expect(accepted).toBeGreaterThan(0);
    // It was one; who comes among thousands may be gone before it has said a word.
    for (const reason of ["credentials", "connecting", "connect-too-large"])
      expect(refused(reason)).toBeGreaterThan(0);
    expect(Math.max(...entered)).toBeLessThan(10_000);
    expect(mostFiles).toBeLessThan(filesBefore + limits.connecting + 2 * limits.connectionsPerGateway + 64);
    // A CONNECT that never ends is a buffer of at most twice its bound; the rest is V8's garbage.
    expect(highest).toBeLessThan(limits.connecting * 2 * limits.connectBytes + 128 * MiB);
  },
);

test(
  "huge packets, long topics, thousands of filters and retained messages where none may be: refused or bounded, and nobody else notices",
  { timeout },
  async ({ annotate }) => {
    await using city = await startCity("hostile");
    const { platform, data } = city;
    const mallory = { name: "mallory", agency };
    const password = await admitGateway(data, mallory);
    const own = `marsad/${agency}/mallory/`;
    const memoryBefore = anonymousMemory(platform.pid);
    let tried = 0;
    /** Sends `frames` behind an accepted CONNECT, several times. @returns how many connections were closed for it. */
    const attack = async (...frames: Uint8Array[]): Promise<number> => {
      const connections = 5;
      let closed = 0;
      for (let i = 0; i < connections; i++) {
        tried += 1;
        using raw = openRaw(platform.mqttPort, connectFrame(mallory, password));
        expect(await raw.next("connack")).toMatchObject({ returnCode: 0 });
        raw.socket.write(Buffer.concat([...frames, generate({ cmd: "pingreq" })]));
        if ((await raw.next("pingresp")) === undefined) closed += 1;
      }
      return closed;
    };
    const phases = await underLoad(city, async () => {
      for (const declared of [limits.packetBytes + 1, 10 * MiB, 256 * MiB - 1]) {
        expect(await attack(hugeHeader(0x32, declared))).toBe(5); // a PUBLISH, wherever it goes
        expect(await attack(hugeHeader(0x82, declared))).toBe(5); // a SUBSCRIBE
      }
      expect(await attack(publish(`${own}up/lp`, limits.packetBytes))).toBe(5);
      expect(await attack(publish(`${own}status`, limits.packetBytes))).toBe(5);
      expect(await attack(publish(own + "x".repeat(60_000), 10))).toBe(5);
      expect(await attack(publish(own + "x/".repeat(30_000), 10))).toBe(5);
      expect(await attack(publish(`${own}status`, limits.retainedPayloadBytes + 1, true))).toBe(5);
      for (const topic of [
        `${own}down/config`,
        `marsad/${agency}/flood-1/status`,
        "city",
        `${own}status/more`,
      ])
        expect(await attack(publish(topic, 100, true))).toBe(5);
      const filters = Array.from({ length: 20_000 }, (_, i) => ({
        topic: `${own}down/${i}`,
        qos: 1 as const,
      }));
      for (let from = 0; from < filters.length; from += 4_000) {
        const subscriptions = filters.slice(from, from + 4_000);
        await attack(generate({ cmd: "subscribe", messageId: 9, subscriptions }));
      }
    });
    const refused = await refusals(platform);
    const grown = anonymousMemory(platform.pid) - memoryBefore;
    const [retained, denied] = [
      await metric(platform, "marsad_broker_retained_messages"),
      await metric(platform, "marsad_broker_subscriptions_denied_total"),
    ];
    const { verdict, measured, expectUnharmed } = await judge(city, phases);
    await reportFault(annotate, {
      fault: "huge packets, long topics, thousands of filters",
      tried,
      ...counted(verdict),
      measured: {
        ...measured,
        "RssAnon more than before, MiB": Math.round(grown / MiB),
        "filters denied": denied,
      },
    });
    expectUnharmed();
    expect(refused("too-large")).toBe(45);
    expect(refused("wrong-topic") + refused("topic-levels")).toBe(30);
    // Only what the platform itself tells mallory about it.
    expect(retained).toBeLessThanOrEqual(2);
    expect(grown).toBeLessThan(128 * MiB);
  },
);

test(
  `${retainedMessages} gateways that each retain a status: bounded in number and bytes, and nobody else notices`,
  { timeout },
  async ({ annotate }) => {
    await using city = await startCity("retained");
    const { platform, data } = city;
    const names = Array.from({ length: retainedMessages }, (_, i) => `sign-${i}`);
    {
      await using identities = await openRecordStore(join(data, "identities"));
      identities.transaction((records) => {
        for (const name of names)
          records.put("gateways", name, { agency, hash: hashPassword(name, name), created: Date.now() });
      });
    }
    const memoryBefore = anonymousMemory(platform.pid);
    let published = 0;
    const phases = await underLoad(city, async () => {
      const left = names.values();
      const work = async (): Promise<void> => {
        for (const name of left) {
          const status = generate({
            cmd: "publish",
            topic: `marsad/${agency}/${name}/status`,
            payload: JSON.stringify({ state: "online", agent: "test" }),
            qos: 1,
            messageId: 1,
            retain: true,
            dup: false,
          });
          using raw = openRaw(platform.mqttPort, Buffer.concat([connectFrame({ name }, name), status]));
          if ((await raw.next("puback")) !== undefined) published += 1;
        }
      };
      await Promise.all(Array.from({ length: 64 }, work));
    });
    await sleep(500);
    const grown = anonymousMemory(platform.pid) - memoryBefore;
    const [kept, bytes, more] = [
      await metric(platform, "marsad_broker_retained_messages"),
      await metric(platform, "marsad_broker_retained_bytes"),
      await metric(platform, "marsad_broker_retained_refused_total"),
    ];
    const { verdict, measured, expectUnharmed } = await judge(city, phases);
    await reportFault(annotate, {
      fault: `${retainedMessages} retained messages`,
      tried: retainedMessages,
      ...counted(verdict),
      measured: {
        ...measured,
        "messages kept": kept,
        "KiB kept, as counted": Math.round(bytes / 1024),
        "messages not kept, counted": more,
        "RssAnon more than before, MiB": Math.round(grown / MiB),
      },
    });
    expectUnharmed();
    expect(published).toBe(retainedMessages);
    expect(kept).toBe(Math.min(retainedMessages, limits.retainedMessages));
    expect(kept + more).toBe(retainedMessages);
    expect(bytes).toBeLessThanOrEqual(limits.retainedBytes);
    // What stays of one is some 2 KiB; what V8 has not collected yet of the connections comes to the same for 20,000 and 40,000 of them.
    expect(grown).toBeLessThan(2048 * kept + duckDbMemory + 256 * MiB);
  },
);

function publish(topic: string, bytes: number, retain = false): Buffer {
  const payload = Buffer.alloc(bytes);
  return generate({ cmd: "publish", topic, payload, qos: 1, messageId: 7, retain, dup: false });
}

/** Connections of every bad kind, all at once; half of them never say anything. */
function startStorm(
  port: number,
  connections: number,
  name: string,
  password: string,
): { readonly raws: readonly RawMqtt[]; end(): void } {
  const raws: RawMqtt[] = [];
  const drip = connectFrame({ name }, password);
  const drops: { readonly raw: RawMqtt; sent: number }[] = [];
  for (let i = 0; i < connections; i++) {
    if (i % 2 === 0) raws.push(openRaw(port));
    else if (i % 10 === 1) raws.push(openRaw(port, connectFrame({ name }, `wrong ${i}`)));
    else if (i % 10 === 3) raws.push(openRaw(port, connectFrame({ name: `nobody-${i}` }, password)));
    else if (i % 10 === 5) raws.push(openRaw(port, connectFrame({ name }, password, { clientId: `${i}` })));
    else if (i % 10 === 7) {
      const raw = openRaw(port);
      drops.push({ raw, sent: 0 });
      raws.push(raw);
    } else if (i % 20 === 9) raws.push(openRaw(port, hugeHeader(0x10, 200 * MiB)));
    else raws.push(openRaw(port, connectFrame({ name }, password, { clientId: "x".repeat(60_000) })));
  }
  // Slowloris: never done within the time that a CONNECT has.
  const dripping = setInterval(() => {
    for (const drop of drops) {
      if (drop.raw.closed || drop.sent >= drip.length) continue;
      drop.raw.socket.write(drip.subarray(drop.sent, drop.sent + 1));
      drop.sent += 1;
    }
  }, 300);
  return {
    raws,
    end: () => {
      clearInterval(dripping);
      for (const raw of raws) raw[Symbol.dispose]();
    },
  };
}

function openFiles(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

async function metric(platform: Platform, name: string): Promise<number> {
  const text = await (await fetch(`${platform.ready.http}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\S+)$`, "m").exec(text)?.[1]);
}

/** How many connections were refused for a reason. */
async function refusals(platform: Platform): Promise<(reason: string) => number> {
  const text = await (await fetch(`${platform.ready.http}/metrics`)).text();
  return (reason) =>
    Number(
      new RegExp(`^marsad_broker_refused_connections_total{reason="${reason}"} (\\S+)$`, "m").exec(
        text,
      )?.[1] ?? 0,
    );
}

function counted({ sent, acknowledged, lost, twice }: FloodVerdict): {
  sent: number;
  acknowledged: number;
  lost: number;
  twice: number;
} {
  return { sent, acknowledged, lost, twice };
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
