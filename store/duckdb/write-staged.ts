import type { Counter } from "./fold.ts";
import { append, mergeLate } from "./merge.ts";
import type { Partition } from "./partition.ts";
import type { Session } from "./session.ts";
import type { StagedTable } from "./staging.ts";
import type { Texts } from "./texts.ts";

/** Writes a table's rows within the writer's transaction. @returns the table with the rows it has then. */
export async function writeStaged(
  session: Session,
  staged: StagedTable,
  { counter, texts }: { counter: Counter; texts?: Texts | undefined },
): Promise<Partition> {
  const connection = session.database.writer;
  const { partition, fresh, late } = staged;
  const writer = session.writers.for(partition.columns);
  const pending = session.rewrite?.pendingFor(partition, fresh.length + late.length);
  let rows = partition.rows + fresh.length;
  if (fresh.length > 0) await append(connection, partition, writer, fresh, texts);
  if (fresh.length > 0 && pending !== undefined) await append(connection, pending, writer, fresh, texts);
  if (late.length > 0) rows += await mergeLate(connection, staged, { writer, counter, pending, texts });
  return { ...partition, rows };
}
