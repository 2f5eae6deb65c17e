import { rm } from "node:fs/promises";
import { join } from "node:path";
import { journalTables } from "#ingest/journal/journal-file.ts";
import { openDurableQueue } from "#runtime/durable-queue.ts";
import { MarsadError } from "#runtime/errors.ts";
import { settleCopy } from "#store/duckdb/settle-copy.ts";
import type { DataFormat } from "#store/format.ts";
import type { FolderHold } from "./hold.ts";
import type { Manifest } from "./manifest.ts";

/** Bytes of the journal read at a time. */
const step = 8 * 1024 * 1024;
const noBound = 2 ** 40;

/**
 * Opens the copies, reads all of them, and makes sure that they belong together.
 * @throws MarsadError REFUSED: they do not; QUEUE_…, STORE_…
 */
export async function settle(
  folder: string,
  format: DataFormat,
  hold: FolderHold,
): Promise<Pick<Manifest, "journal" | "store">> {
  const journal = readJournal(join(folder, "journal"));
  for (const file of ["lock", "holder", "lock-journal", "lock.mdb"])
    await rm(join(folder, "journal", file), { force: true });
  expect(
    journal.uuid === format.journal,
    `the journal is ${journal.uuid}, and format.json says ${format.journal}`,
  );
  const kind = format.store;
  if (hold.store === undefined) return { journal, store: { kind, position: null, rows: null } };

  const { rows, positions } = await settleCopy(join(folder, "store"));
  const position = positions.get(journal.uuid) ?? 0;
  const { first, next } = journal;
  const belong = first <= position && position <= next;
  expect(belong, `the store has blocks up to ${position}, the journal those from ${first} to ${next}`);
  const { rows: held } = hold.store;
  expect(held === undefined || held === rows, `the store had ${held} readings, and its copy has ${rows}`);
  return { journal, store: { kind, position, rows } };
}

function readJournal(path: string): Manifest["journal"] {
  using queue = openDurableQueue({
    path,
    maxLiveBytes: noBound,
    maxFileBytes: noBound,
    tables: journalTables,
  });
  const { uuid, first, next } = queue;
  let at = first;
  while (at < next) {
    const positions = queue.read(at, step).map(({ position }) => position);
    expect(
      positions.length > 0 && positions.every((position, i) => position === at + i),
      `the journal lacks block ${at}`,
    );
    at += positions.length;
  }
  return { uuid, first, next };
}

function expect(holds: boolean, otherwise: string): void {
  if (!holds) throw new MarsadError("REFUSED", `the copy is not whole: ${otherwise}; try again`);
}
