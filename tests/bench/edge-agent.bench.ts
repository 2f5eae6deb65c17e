import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { type Edge, startEdge } from "../support/edge.ts";
import { anonymousMemory } from "../support/memory.ts";
import { type Platform, admitGateway, dataFolder, startPlatform } from "../support/platform.ts";
import { poll } from "../support/poll.ts";
import { cpuSecondsOf } from "../support/process-cost.ts";
import { SteadyReadings } from "../support/steady-readings.ts";
import { openTcpProxy } from "../support/tcp-proxy.ts";
import { tempFolder } from "../support/temp-folder.ts";
import { UplinkTap } from "../support/uplink-tap.ts";
import type { SenderJob, SenderResult } from "./edge/line-sender.ts";
import { type BenchDocument, type BenchFigure, median } from "./result.ts";

/**
 * `node tests/bench/edge-agent.bench.ts [--rounds 3] [--seconds 8] [--backlog 2000000] [--json]`: the agent as a process
 * between a sender of lines over TCP and a real platform, each with its CPU counted apart.
 *
 * It runs with what the gateway's package gives to Node and malloc, from the sources.
 *
 * - steady: 50,000 lines/s; CPU from the first line until the platform has acknowledged the last.
 * - backlog: so many readings taken without a link, then drained over a link of 30 ms beside live lines.
 */
const options = parseArgs({
  options: {
    rounds: { type: "string", default: "3" },
    seconds: { type: "string", default: "8" },
    backlog: { type: "string", default: "2000000" },
    json: { type: "boolean", default: false },
  },
}).values;
const rounds = Number(options.rounds);
const seconds = Number(options.seconds);
const backlog = Number(options.backlog);

const steadyRate = 50_000;
const liveRate = 5_000;
/** Milliseconds each way. */
const delay = 15;
const MiB = 1024 * 1024;
const gateway = "corniche-1";
const agency = "mobility";
/** Sensors of each load: a reading every 10 ms, so that event times are those of sending. */
const sensors = { steady: steadyRate / 100, live: liveRate / 100, old: 500 };
const progress = (text: string): void => void process.stderr.write(`${text}\n`);

interface Sender {
  readonly child: ChildProcess;
  readonly result: Promise<SenderResult>;
}

function startSender(job: SenderJob): Sender {
  const child = fork(join(import.meta.dirname, "edge", "line-sender.ts"), { stdio: "inherit" });
  const exited = once(child, "exit").then(() => {
    throw new Error("the sender ended without an answer");
  });
  exited.catch(() => {}); // after its answer it may
  child.send(job);
  const answer = once(child, "message").then(([result]) => result as SenderResult);
  return { child, result: Promise.race([answer, exited]) };
}

const port = ({ input }: Edge): number => Number(input.split(":").at(-1));

/** What `marsad-edge.sh` starts the agent with. */
function packaged(): { env: Record<string, string>; nodeOptions: string[] } {
  const script = readFileSync(join(import.meta.dirname, "../../deploy/edge/marsad-edge.sh"), "utf8");
  const env = [.../^export (.*)$/m.exec(script)![1]!.matchAll(/(\w+)=(\S+)/g)];
  const nodeOptions = [.../^exec (.*)$/m.exec(script)![1]!.matchAll(/ (--\S+)/g)];
  return {
    env: Object.fromEntries(env.map(([, name, value]) => [name!, value!])),
    nodeOptions: nodeOptions.map(([, option]) => option!),
  };
}

/** Starts the agent of a round: everything in `folder`. */
async function startAgent(folder: string, password: string, mqttPort: number): Promise<Edge> {
  const named = Object.entries(sensors).flatMap(
    ([prefix, count]) => new SteadyReadings(prefix, 0, count).sensors,
  );
  const outbox = { max_live_bytes: 4096 * MiB, max_file_bytes: 6144 * MiB };
  return await startEdge({
    folder,
    gateway,
    agency,
    password,
    mqttPort,
    sensors: named,
    ...packaged(),
    settings: { outbox, batch: { max_age_ms: 250 } },
  });
}

/** The highest memory of a process, looked at four times a second until disposed. */
function watchMemory(pid: number): Disposable & { readonly highest: number } {
  let highest = 0;
  const look = (): void => void (highest = Math.max(highest, anonymousMemory(pid)));
  look();
  const timer = setInterval(look, 250);
  return {
    get highest() {
      return highest / MiB;
    },
    [Symbol.dispose]: () => clearInterval(timer),
  };
}

interface Steady {
  readonly cpu: number;
  readonly platformCpu: number;
  readonly senderCpu: number;
  readonly rate: number;
  readonly idleMiB: number;
  readonly peakMiB: number;
}

async function steady(platform: Platform, edge: Edge, acknowledged: () => number): Promise<Steady> {
  const idleMiB = anonymousMemory(edge.pid) / MiB;
  const count = steadyRate * seconds;
  using memory = watchMemory(edge.pid);
  const before = { agent: cpuSecondsOf(edge.pid), platform: cpuSecondsOf(platform.pid) };
  const already = acknowledged();
  const begun = performance.now();
  const sender = startSender({
    port: port(edge),
    prefix: "steady",
    sensors: sensors.steady,
    rate: steadyRate,
    count,
  });
  const { cpuSeconds } = await sender.result;
  await poll(() => acknowledged() - already >= count);
  const taken = (performance.now() - begun) / 1000;
  await sleep(500); // the last batches leave the outbox
  const millions = count / 1e6;
  return {
    cpu: (cpuSecondsOf(edge.pid) - before.agent) / millions,
    platformCpu: (cpuSecondsOf(platform.pid) - before.platform) / millions,
    senderCpu: cpuSeconds / millions,
    rate: count / taken,
    idleMiB,
    peakMiB: memory.highest,
  };
}

interface Drained {
  /** Readings/s taken without a link. */
  readonly filled: number;
  /** Backlog readings/s drained, beside the live ones. */
  readonly rate: number;
  /** Milliseconds from a live reading's event to its PUBACK at the agent. */
  readonly late: { readonly p50: number; readonly p99: number; readonly max: number };
  readonly cpu: number;
  readonly peakMiB: number;
}

async function drain(folder: string): Promise<Drained & { readonly steady: Steady }> {
  const password = await admitGateway(dataFolder(folder), { name: gateway, agency });
  await using platform = await startPlatform({ folder });
  const tap = new UplinkTap();
  await using proxy = await openTcpProxy(platform.mqttPort, tap);
  let acknowledged = 0;
  tap.onAcknowledged = ({ n }) => (acknowledged += n);
  await using edge = await startAgent(folder, password, proxy.port);
  await poll(() => proxy.connections > 0);
  const steadyResult = await steady(platform, edge, () => acknowledged);

  proxy.closed = true;
  proxy.cut();
  const fill = startSender({
    port: port(edge),
    prefix: "old",
    sensors: sensors.old,
    start: Date.now() - 6 * 3_600_000,
    count: backlog,
  });
  const filled = await fill.result;
  progress(`  ${backlog} readings taken in ${filled.seconds.toFixed(1)} s`);
  await sleep(1000); // committed

  const numbers = { old: steadyRate * seconds, live: steadyRate * seconds + backlog };
  const late: number[] = [];
  let left = backlog;
  let begun = 0;
  const done = Promise.withResolvers<number>();
  tap.onAcknowledged = ({ first, n, time }) => {
    begun ||= performance.now();
    if (first >= numbers.live) late.push(Date.now() - time);
    else left -= n;
    if (left <= 0) done.resolve(performance.now());
  };
  using memory = watchMemory(edge.pid);
  const cpuBefore = cpuSecondsOf(edge.pid);
  proxy.delay = delay;
  proxy.closed = false;
  const live = startSender({
    port: port(edge),
    prefix: "live",
    sensors: sensors.live,
    rate: liveRate,
    count: 1e9,
  });
  const tooLong = setTimeout(
    () => done.reject(new Error(`${left} of the backlog are left, and it takes too long`)),
    60_000 + backlog / 5,
  );
  const ended = await done.promise;
  clearTimeout(tooLong);
  const liveMeanwhile = late.length;
  const cpuSeconds = cpuSecondsOf(edge.pid) - cpuBefore;
  live.child.send("stop");
  const { sent } = await live.result;
  const sorted = late.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.floor(share * (sorted.length - 1))] ?? Number.NaN;
  progress(`  drained in ${((ended - begun) / 1000).toFixed(1)} s, ${liveMeanwhile} live batches meanwhile`);
  return {
    steady: steadyResult,
    filled: backlog / filled.seconds,
    rate: backlog / ((ended - begun) / 1000),
    late: { p50: at(0.5), p99: at(0.99), max: at(1) },
    cpu: cpuSeconds / ((backlog + sent) / 1e6),
    peakMiB: memory.highest,
  };
}

const results: (Drained & { readonly steady: Steady })[] = [];
for (let round = 1; round <= rounds; round++) {
  using folder = tempFolder("edge-bench");
  progress(`round ${round} of ${rounds}`);
  const result = await drain(folder.path);
  progress(
    `  ${JSON.stringify(result, (_key, value: unknown) => (typeof value === "number" ? rounded(value) : value))}`,
  );
  results.push(result);
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}

type Result = (typeof results)[number];

function figure(
  name: string,
  unit: string,
  value: (result: Result) => number,
  aim?: BenchFigure["aim"],
  better: BenchFigure["better"] = "lower",
): BenchFigure {
  return { name, unit, values: results.map(value), better, ...(aim && { aim }) };
}

const document: BenchDocument = {
  rows: [
    {
      id: "edge-agent-steady",
      title: "edge agent, 50,000 readings/s",
      figures: [
        figure("agent", "CPU-s per million", ({ steady }) => steady.cpu, { atMost: 5 }),
        figure("rate", "readings/s", ({ steady }) => steady.rate, undefined, "higher"),
        figure("memory", "MiB", ({ steady }) => steady.peakMiB),
        figure("memory, idle", "MiB", ({ steady }) => steady.idleMiB),
        figure("platform", "CPU-s per million", ({ steady }) => steady.platformCpu),
        figure("sender of lines", "CPU-s per million", ({ steady }) => steady.senderCpu),
      ],
      note: `lines over TCP, outbox with fsync, a real platform's PUBACK, trimmed; ${seconds} s a round; the agent with the package's options for Node and malloc; memory is anonymous memory`,
    },
    {
      id: "edge-agent-backlog",
      title: "edge agent, a backlog over a link of 30 ms",
      figures: [
        figure("drained / live rate", "", ({ rate }) => rate / liveRate, { atLeast: 10 }, "higher"),
        figure("live readings late, at most", "ms", ({ late }) => late.max, { atMost: 5000 }),
        figure("live readings late, p99", "ms", ({ late }) => late.p99),
        figure("drained", "readings/s", ({ rate }) => rate, undefined, "higher"),
        figure("taken without a link", "readings/s", ({ filled }) => filled, undefined, "higher"),
        figure("agent", "CPU-s per million", ({ cpu }) => cpu),
        figure("memory", "MiB", ({ peakMiB }) => peakMiB),
      ],
      note: `${backlog} readings taken without a link, then drained beside ${liveRate} live readings/s through a TCP proxy with ${delay} ms each way; late: from a reading's event time to its PUBACK at the agent`,
    },
  ],
};
if (options.json) process.stdout.write(`${JSON.stringify(document)}\n`);
else
  for (const { title, figures, note } of document.rows) {
    process.stdout.write(`${title} (${note})\n`);
    for (const { name, unit, values } of figures) {
      process.stdout.write(
        `  ${name}: ${rounded(median(values))} ${unit} (${values.map(rounded).join(", ")})\n`,
      );
    }
  }
