import { readFileSync } from "node:fs";
import { cpus } from "node:os";
import { expect, test } from "vitest";
import { defaultBrokerLimits } from "#broker/limits.ts";
import { IngestLimits } from "#ingest/limits.ts";
import { reportFault } from "../../support/fault-report.ts";
import { type Flood, type FloodPhase, quantile, startFlood } from "../../support/flood/flood.ts";
import { floodVerdict } from "../../support/flood/verdict.ts";
import { anonymousMemory, MemoryWatch } from "../../support/memory.ts";
import { dataFolder, type Platform, startPlatform } from "../../support/platform.ts";
import { poll } from "../../support/poll.ts";
import { overloadSeconds } from "../../support/soak.ts";
import { tempFolder } from "../../support/temp-folder.ts";

const MiB = 1024 * 1024;
const gateways = 4;
const batch = 100;
const factor = 3;
/** What a city at rest sends, readings a second. */
const calm = 20_000;
/** Seconds. */
const peakFor = overloadSeconds / 4;
const calmFor = 1;

/**
 * Bytes of its own that the platform may have more than at rest: what its queues may hold by their bounds, DuckDB's `memory_limit`, and V8's
 * room for garbage in its three threads.
 */
const memoryCap =
  512e6 +
  defaultBrokerLimits.heldBytes +
  gateways *
    (defaultBrokerLimits.inFlightBytes + defaultBrokerLimits.packetBytes + defaultBrokerLimits.outputBytes) +
  8 * IngestLimits.parse({}).group_bytes +
  192 * MiB;

test(
  `overload x ${factor} for ${overloadSeconds} s: senders are slowed and none is dropped, memory is bounded, the platform goes on at its peak`,
  { timeout: 600_000 },
  async ({ annotate }) => {
    using folder = tempFolder("overload");
    await using platform = await startPlatform({ folder: folder.path, args: ["--log-level", "warn"] });
    const data = dataFolder(folder.path);
    await using flood = await startFlood({ data, port: platform.mqttPort, gateways, sensors: 500, batch });
    const before = await flood.offer(calm, calmFor);
    const atRest = anonymousMemory(platform.pid);
    using memory = new MemoryWatch({ platform: platform.pid });

    const measure = (run: () => Promise<FloodPhase>): Promise<Measured> => measured(platform, flood, run);
    await measure(() => flood.saturate(peakFor)); // a peak that is measured cold is none
    const peakBefore = await measure(() => flood.saturate(peakFor));
    const wanted = factor * peakBefore.acknowledged;
    const overload = await measure(() => flood.offer(wanted, overloadSeconds));
    const peakAfter = await measure(() => flood.saturate(peakFor));
    const after = await flood.offer(calm, calmFor);
    const last = await flood.drain();
    const highest = memory.highest("platform") - atRest;
    memory[Symbol.dispose]();

    for (const { name } of flood.gateways) {
      expect(await platform.settled(name)).toMatchObject({
        sent: last.totals.find((one) => one.name === name)!.sent * batch,
        refused: 0,
        duplicate: 0,
        on_its_way: { waiting: 0, journal: 0, missing: 0 },
      });
    }
    const log = platform.log();
    expect(await platform.end("SIGTERM")).toBe(0);
    const verdict = await floodVerdict(data, flood, last);
    const peak = mean(peakBefore.acknowledged, peakAfter.acknowledged);
    const peakStored = mean(peakBefore.stored, peakAfter.stored);
    const { phase } = overload;
    const shares = {
      acknowledged: overload.acknowledged / peak,
      stored: overload.stored / peakStored,
      perCpuSecond: overload.perCpuSecond / mean(peakBefore.perCpuSecond, peakAfter.perCpuSecond),
    };
    await reportFault(annotate, {
      fault: `overload x ${factor} for ${overloadSeconds} s`,
      tried: 1,
      sent: verdict.sent,
      acknowledged: verdict.acknowledged,
      lost: verdict.lost,
      twice: verdict.twice,
      measured: {
        cores: cpus().length,
        "peak, readings/s": Math.round(peak),
        "offered, readings/s": Math.round((phase.offered * batch) / phase.seconds),
        "taken by TCP, readings/s": Math.round((phase.sent * batch) / phase.seconds),
        "acknowledged, share of the peak": round(shares.acknowledged),
        "stored, share of the peak's": round(shares.stored),
        "stored for a CPU second, share of the peak's": round(shares.perCpuSecond),
        "load generator, CPU share of a core": round(phase.cpuSeconds / phase.seconds),
        "RssAnon above rest, MiB": Math.round(highest / MiB),
        "RssAnon cap, MiB": Math.round(memoryCap / MiB),
        "PUBACK p50 before, ms": round(quantile(before.latencies, 0.5)),
        "PUBACK p50 in overload, ms": round(quantile(phase.latencies, 0.5)),
        "PUBACK p50 after, ms": round(quantile(after.latencies, 0.5)),
        "longest PINGRESP in overload, ms": round(quantile(phase.pings, 1)),
        "last PUBACK after the end of the overload, s": round(overload.drained.seconds),
        "all stored after the end of the overload, s": round(overload.storedAfter),
      },
    });

    expect(verdict).toMatchObject({ lost: 0, twice: 0, invented: 0, stored: verdict.acknowledged });
    expect(last.cut).toEqual([]);
    expect(log).not.toContain("Connection refused.");
    // Slowed: about three times as much was due as the platform acknowledges, and TCP took what it could.
    expect(phase.offered * batch).toBeGreaterThan(2 * peak * overloadSeconds);
    expect(phase.sent).toBeLessThan(0.8 * phase.offered);
    expect(overload.drained.waiting).toBe(0);
    /*
     * Useful is what is acknowledged and stored. PUBACKs alone come quicker in a short peak than in a long one, since the store may follow later.
     * On a machine that does other things too one second's peak is not another's; what a CPU second of the platform stores is. Alone for a minute, the rate counts.
     */
    const useful = overloadSeconds >= 60 ? shares.stored : Math.max(shares.stored, shares.perCpuSecond);
    expect(useful).toBeGreaterThan(0.9);
    expect(highest).toBeLessThan(memoryCap);
    expect(phase.pings.length).toBeGreaterThan(gateways * overloadSeconds * 0.5);
    expect(quantile(after.latencies, 0.5)).toBeLessThan(3 * quantile(before.latencies, 0.5));
  },
);

interface Measured {
  readonly phase: FloodPhase;
  /** From its end to the last PUBACK. */
  readonly drained: FloodPhase;
  /** Seconds from the end of the phase until all is in the store. */
  readonly storedAfter: number;
  /** Readings a second. */
  readonly acknowledged: number;
  /** Readings a second from the beginning until all of them are in the store. */
  readonly stored: number;
  /** Readings stored for each CPU second of the platform, all its threads. */
  readonly perCpuSecond: number;
}

/** A phase, and what follows until its last reading is in the store. */
async function measured(platform: Platform, flood: Flood, run: () => Promise<FloodPhase>): Promise<Measured> {
  const [began, cpuBefore] = [performance.now(), cpuSeconds(platform.pid)];
  const phase = await run();
  const ended = performance.now();
  const drained = await flood.drain();
  await poll(async () => (await platform.accounts()).every(({ on_its_way }) => on_its_way.journal === 0), {
    interval: 20,
  });
  const readings = phase.sent * batch;
  return {
    phase,
    drained,
    storedAfter: (performance.now() - ended) / 1000,
    acknowledged: (phase.acknowledged * batch) / phase.seconds,
    stored: (1000 * readings) / (performance.now() - began),
    perCpuSecond: readings / (cpuSeconds(platform.pid) - cpuBefore),
  };
}

/** User and system, of all threads: `/proc/PID/stat`, in ticks of 10 ms. */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]!.split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

function mean(one: number, other: number): number {
  return (one + other) / 2;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
