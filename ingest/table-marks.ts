import type { ReadingTable } from "#telemetry/reading-table.ts";

interface Mark {
  readonly length: number;
  readonly runs: number;
  readonly lastRun: number;
}

/** Remembers how full the tables are; the function returned takes back every row added since. */
export function markTables(tables: readonly ReadingTable[]): () => void {
  const marks: Mark[] = tables.map(({ length, runs }) => ({
    length,
    runs: runs.length,
    lastRun: runs.at(-1) ?? 0,
  }));
  return () => {
    for (const [index, table] of tables.entries()) {
      const mark = marks[index];
      if (!mark) continue;
      table.length = mark.length;
      table.runs.length = mark.runs;
      if (mark.runs > 0) table.runs[mark.runs - 1] = mark.lastRun;
    }
  };
}
