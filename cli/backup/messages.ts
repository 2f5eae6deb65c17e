import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";

/**
 * How `marsad backup` and a running platform speak: by two files in `DATA/backup`, whose lock the backup holds. Who may write there may
 * read and write the whole data folder anyway; the platform itself writes nowhere else, and no request names a path.
 */
export const backupFolder = (data: string): string => join(data, "backup");
export const askFile = (data: string): string => join(backupFolder(data), "ask.json");
export const answerFile = (data: string): string => join(backupFolder(data), "answer.json");

/** `hold`: keep what there is now. `journal-copied`: the journal may be trimmed again. `done`: the store's files are copied. */
const Step = z.enum(["hold", "journal-copied", "done"]);
export type Step = z.infer<typeof Step>;

export const Ask = z.strictObject({ id: z.uuid(), step: Step });
export type Ask = z.infer<typeof Ask>;

/** The store's files as they were when the hold began. */
export const HeldStore = z.object({
  files: z.array(z.object({ name: z.string(), bytes: z.int().nonnegative() })),
  rows: z.int().nonnegative().optional(),
});
export type HeldStore = z.infer<typeof HeldStore>;

export const Answer = z.object({
  id: z.uuid(),
  step: Step,
  /** Of the platform's process: one that was started meanwhile knows nothing of what the one before held. */
  platform: z.uuid(),
  /** Why the backup cannot go on. */
  failure: z.string().optional(),
  store: HeldStore.optional(),
});
export type Answer = z.infer<typeof Answer>;

/** What the file says, undefined when it is not there or of no use. */
export async function readMessage<Schema extends z.ZodType>(
  path: string,
  schema: Schema,
): Promise<z.output<Schema> | undefined> {
  try {
    return schema.parse(JSON.parse(await readFile(path, "utf8")));
  } catch {
    return undefined;
  }
}
