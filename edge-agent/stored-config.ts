import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { writeFileAtomically } from "#runtime/write-file.ts";
import { Revision } from "#telemetry/config-message.ts";

const StoredConfig = z.object({ revision: Revision, config: z.record(z.string(), z.unknown()) });
/** The platform's settings, as they were applied last. */
export type StoredConfig = z.infer<typeof StoredConfig>;

const fileIn = (folder: string): string => join(folder, "config.json");

/** undefined: there are none. @throws when the file cannot be read, or is none of ours. */
export async function readStoredConfig(folder: string): Promise<StoredConfig | undefined> {
  let text: string;
  try {
    text = await readFile(fileIn(folder), "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  return StoredConfig.parse(JSON.parse(text));
}

/** Keeps them for the next start; undefined: forgets them. */
export async function writeStoredConfig(folder: string, stored: StoredConfig | undefined): Promise<void> {
  if (stored === undefined) await rm(fileIn(folder), { force: true });
  else await writeFileAtomically(fileIn(folder), `${JSON.stringify(stored, undefined, 2)}\n`, 0o600);
}
