import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import type { IngestBenchResult } from "#cli/bench/ingest.ts";

const run = promisify(execFile);
const marsad = join(import.meta.dirname, "..", "..", "marsad.ts");

/** `marsad bench ingest --json` in a process of its own. @throws when not all that was acknowledged is in the store, once */
export async function runIngest(...args: readonly (string | number)[]): Promise<IngestBenchResult> {
  const { stdout } = await run(process.execPath, [marsad, "bench", "ingest", "--json", ...args.map(String)]);
  const result = JSON.parse(stdout) as IngestBenchResult;
  if (result.lost > 0 || result.duplicated > 0) throw new Error(`not all is stored once: ${stdout}`);
  return result;
}
