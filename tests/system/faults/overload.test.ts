import { readFileSync } from "node:fs";
import { cpus } from "node:os";
import { expect, test } from "vitest";
import { defaultBrokerLimits } from "#broker/limits.ts";
import { IngestLimits } from "#ingest/limits.ts";
import { reportFault } from "../../support/fault-report.ts";
import { quantile, startFlood } from "../../support/flood/flood.ts";
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

    await flood.saturate(peakFor); // warm: a peak that is measured cold is none
    const peakBefore = await measured(platform, () => flood.saturate(peakFor));
    const wanted = factor * peakBefore.acknowledged;
    const overload = await measured(platform, () => flood.offer(wanted, overloadSeconds));
    const begun = performance.now();
    const drained = await flood.drain();
    const peakAfter = await measured(platform, () => flood.saturate(peakFor));
    await flood.drain();
    await poll(async () => (await platform.accounts()).every(({ on_its_way }) => on_its_way.journal === 0), {
      interval: 20,
    });
    const emptied = performance.now() - begun;
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
        "acknowledged in a CPU second, share of the peak's": round(shares.perCpuSecond),
        "load generator, CPU share of a core": round(phase.cpuSeconds / phase.seconds),
        "RssAnon above rest, MiB": Math.round(highest / MiB),
        "RssAnon cap, MiB": Math.round(memoryCap / MiB),
        "PUBACK p50 before, ms": round(quantile(before.latencies, 0.5)),
        "PUBACK p50 in overload, ms": round(quantile(phase.latencies, 0.5)),
        "PUBACK p50 after, ms": round(quantile(after.latencies, 0.5)),
        "longest PINGRESP in overload, ms": round(quantile(phase.pings, 1)),
        "PUBACKs of what was sent, s": round(drained.seconds),
        "backlog stored after, s": round(emptied / 1000 - peakFor),
      },
    });

    expect(verdict).toMatchObject({ lost: 0, twice: 0, invented: 0, stored: verdict.acknowledged });
    expect(last.cut).toEqual([]);
    expect(log).not.toContain("Connection refused.");
    // Slowed: about three times as much was due as the platform acknowledges, and TCP took what it could.
    expect(phase.offered * batch).toBeGreaterThan(2 * peak * overloadSeconds);
    expect(phase.sent).toBeLessThan(0.8 * phase.offered);
    expect(drained.waiting).toBe(0);
    // On a machine that does other things too one second's peak is not another's; what a CPU second of the platform acknowledges is. Alone for a minute, the rates count.
    const alone = overloadSeconds >= 60;
    expect(alone ? shares.acknowledged : Math.max(shares.acknowledged, shares.perCpuSecond)).toBeGreaterThan(
      0.9,
    );
    expect(alone ? shares.stored : Math.max(shares.stored, shares.perCpuSecond)).toBeGreaterThan(0.9);
    expect(highest).toBeLessThan(memoryCap);
    expect(phase.pings.length).toBeGreaterThan(gateways * overloadSeconds * 0.5);
    expect(quantile(after.latencies, 0.5)).toBeLessThan(3 * quantile(before.latencies, 0.5));
  },
);

type Phase = Awaited<ReturnType<Awaited<ReturnType<typeof startFlood>>["offer"]>>;

interface Measured {
  readonly phase: Phase;
  /** Readings a second. */
  readonly acknowledged: number;
  readonly stored: number;
  /** Readings acknowledged for each CPU second of the platform, all its threads. */
  readonly perCpuSecond: number;
}

/** A phase, and how many readings a second were acknowledged and came into the store meanwhile. */
async function measured(platform: Platform, run: () => Promise<Phase>): Promise<Measured> {
  const stored = async (): Promise<number> =>
    (await platform.accounts()).reduce((sum, account) => sum + account.stored, 0);
  const [storedBefore, cpuBefore] = [await stored(), cpuSeconds(platform.pid)];
  const phase = await run();
  const [storedAfter, cpuAfter] = [await stored(), cpuSeconds(platform.pid)];
  return {
    phase,
    acknowledged: (phase.acknowledged * batch) / phase.seconds,
    stored: (storedAfter - storedBefore) / phase.seconds,
    perCpuSecond: (phase.acknowledged * batch) / (cpuAfter - cpuBefore),
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
