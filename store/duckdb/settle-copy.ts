import { stat } from "node:fs/promises";
import { join } from "node:path";
import { MarsadError } from "#runtime/errors.ts";
import { storeError } from "./errors.ts";
import { fileName } from "./index.ts";
import { sqlName } from "./partition.ts";
import { readPartitions } from "./schema.ts";
import { openSession } from "./session.ts";

export interface SettledCopy {
  /** Of readings. */
  readonly rows: number;
  /** Journal's UUID -> position after its last stored block. */
  readonly positions: ReadonlyMap<string, number>;
}

/**
 * Makes the copy of a store whose files were held one whole file: moves its `.wal` into it, and reads every row, which checks DuckDB's
 * sum of every block. Nobody else may use the copy.
 * @throws MarsadError STORE_FULL, STORE_FORMAT, STORE_UNAVAILABLE: the copy is not whole
 */
export async function settleCopy(folder: string): Promise<SettledCopy> {
  const path = join(folder, fileName);
  try {
    const { database, positions } = await openSession({ path, memoryLimit: "512MB", threads: 1 });
    try {
      const connection = database.writer;
      await connection.run("CHECKPOINT");
      let rows = 0;
      for (const table of [...(await readPartitions(connection)).values()].flatMap((of) => of.all())) {
        const read = await connection.runAndReadAll(
          `SELECT count(*)::DOUBLE, bit_xor(hash(rows))::VARCHAR FROM ${sqlName(table)} AS rows`,
        );
        if (table.place === "main") rows += read.getRowsJS()[0]![0] as number;
      }
      await expectNoLog(path);
      return { rows, positions };
    } finally {
      database.close();
    }
  } catch (error) {
    throw storeError(error, path);
  }
}

async function expectNoLog(path: string): Promise<void> {
  const log = await stat(`${path}.wal`).catch(() => undefined);
  if (log !== undefined && log.size > 0)
    throw new MarsadError("STORE_UNAVAILABLE", `${path}: ${log.size} bytes of its log are left`);
}
