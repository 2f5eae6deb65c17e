import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { writeFileAtomically } from "#runtime/write-file.ts";
import { AnyFormat, currentFormat, damaged, readAnyFormat, writeDataFormat } from "./format.ts";

/** What takes a folder from one format to the next. Done again after a crash in the middle it ends in the same state. */
interface Step {
  readonly from: number;
  /** Files of the folder that it changes: as they were they are kept in `FOLDER/format-N.bak`. */
  readonly changes: readonly string[];
  /** @throws MarsadError STORE_FORMAT: the folder is damaged. */
  migrate(folder: string, found: AnyFormat): Promise<void>;
}

const Format1 = z.object({ ...AnyFormat.shape, format: z.literal(1), journal: z.uuid() });

const steps: readonly Step[] = [
  {
    // Format 2 names the kind of store, of which there was one before.
    from: 1,
    changes: ["format.json"],
    async migrate(folder, found) {
      const before = Format1.safeParse(found);
      if (!before.success) throw damaged(folder, before.error);
      const { version, journal } = before.data;
      await writeDataFormat(folder, { version, journal, store: "duckdb" });
    },
  },
];

/**
 * Brings a data folder of an older format to the current one. The folder must be locked.
 * @returns the format it had; undefined when there was nothing to do.
 * @throws MarsadError STORE_FORMAT: written by a newer version, no data folder of Marsad's, or damaged.
 */
export async function migrateDataFolder(folder: string): Promise<number | undefined> {
  const before = await readAnyFormat(folder);
  if (before === undefined || before.format === currentFormat) return undefined;
  for (const step of steps.filter(({ from }) => from >= before.format)) {
    const found = await readAnyFormat(folder);
    await keep(folder, step);
    await step.migrate(folder, found!);
  }
  return before.format;
}

async function keep(folder: string, { from, changes }: Step): Promise<void> {
  const kept = join(folder, `format-${from}.bak`);
  await mkdir(kept, { recursive: true, mode: 0o700 });
  for (const file of changes) {
    await writeFileAtomically(join(kept, file), await readFile(join(folder, file), "utf8"), 0o600);
  }
}
