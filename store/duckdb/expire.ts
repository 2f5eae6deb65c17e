import type { Policy } from "../query.ts";
import { type Partition, idOf, sqlName } from "./partition.ts";
import type { Partitions } from "./partitions.ts";
import type { Session } from "./session.ts";
import { timestamp } from "./sql.ts";
import { inTransaction } from "./transaction.ts";

/** A policy's tables that end by `before`. Results that are no roll-up stay: once the readings are gone, nobody can find them again. */
export function expired({ partitions, results }: Session, policy: Policy, before: number): Partition[] {
  return tablesOf({ partitions, results }, policy)
    .all()
    .filter(({ to }) => to <= before);
}

/** Drops these tables. Nobody else may use the database meanwhile, as for `swap`. */
export async function dropTables(session: Session, tables: readonly Partition[]): Promise<void> {
  const { writer } = session.database;
  await inTransaction(writer, async () => {
    for (const table of tables) {
      await writer.run(`DROP TABLE ${sqlName(table)}`);
      await writer.run("DELETE FROM rewritten WHERE name = $id", { id: idOf(table) });
      // What is gone is not rolled up again.
      if (table.place === "main")
        await writer.run(
          `DELETE FROM dirty WHERE measurement = $measurement AND hour >= ${timestamp(table.from)} AND hour < ${timestamp(table.to)}`,
          { measurement: table.measurement },
        );
    }
  });
  session.dirty.begin();
  for (const table of tables) {
    const of = table.place === "main" ? session.partitions : session.results.at(table.place);
    of.remove(table);
    session.sorted.delete(idOf(table));
  }
}

/** What went, for people: a line a measurement. */
export function inWords(tables: readonly Partition[]): string[] {
  return Array.from(
    Map.groupBy(tables, ({ measurement }) => measurement),
    ([measurement, gone]) => {
      const until = Math.max(...gone.map(({ to }) => to));
      const rows = gone.reduce((sum, table) => sum + table.rows, 0);
      return `${measurement}: ${rows} rows before ${new Date(until).toISOString().slice(0, 10)}`;
    },
  );
}

function tablesOf(
  { partitions, results }: Pick<Session, "partitions" | "results">,
  policy: Policy,
): Partitions {
  return policy === "autogen" ? partitions : results.tables(policy);
}
