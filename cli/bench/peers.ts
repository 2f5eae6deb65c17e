import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { MarsadError } from "#runtime/errors.ts";

/** Another pipeline into influxd, measured. */
export interface PeerResult {
  readonly name: string;
  /** Readings a message. */
  readonly batch: number;
  readonly readings: number;
  /** From the first publish until all is in influxd. */
  readonly seconds: number;
  readonly cpu_s_per_million: { readonly broker: number; readonly ingest: number; readonly influxd: number };
  readonly acknowledged: number;
  readonly stored: number;
}

/** They live with the tests: what they are made of is no part of the platform. */
const program = join(import.meta.dirname, "..", "..", "tests", "bench", "peers", "plain-typescript.ts");
/** Bounded: one reading a message costs it fifty times what it costs the platform. */
const runs = [
  { batch: 100, readings: 300_000 },
  { batch: 1, readings: 50_000 },
] as const;
const longest_ms = 180_000;

/** @throws MarsadError PROGRAM_MISSING: this is no checkout of the project */
export function expectPeers(): void {
  if (existsSync(program)) return;
  throw new MarsadError(
    "PROGRAM_MISSING",
    `--peers needs a checkout of the project, with its tests: ${program} is not there`,
  );
}

/** Runs them one after the other, at 100 readings a message and at 1. */
export async function benchPeers(signal: AbortSignal): Promise<PeerResult[]> {
  const results: PeerResult[] = [];
  for (const { batch, readings } of runs) {
    const args = [program, "--batch", `${batch}`, "--readings", `${readings}`];
    const { stdout } = await promisify(execFile)(process.execPath, args, { signal, timeout: longest_ms });
    results.push(JSON.parse(stdout) as PeerResult);
  }
  return results;
}
