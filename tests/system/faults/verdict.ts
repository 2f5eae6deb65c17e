import { expect } from "vitest";
import { type FaultReport, reportFault } from "../../support/fault-report.ts";
import { readingsPerBatch } from "../../support/mqtt-load.ts";
import type { StoredRow, StoredRows } from "../../support/stored-rows.ts";
import type { Source } from "./city.ts";

/** A store beside what its gateways counted, in readings. */
export interface Verdict {
  readonly sent: number;
  readonly acknowledged: number;
  /** Acknowledged, and no row. */
  readonly lost: readonly string[];
  /** Rows beyond one a key. */
  readonly twice: number;
  /** Rows that no reading ever sent can have made, with the values that they have. */
  readonly invented: readonly string[];
}

/** A store's rows, all at once or as they are read: those of a soak do not fit into memory together. */
export interface RowsToJudge extends Pick<StoredRows, "count"> {
  readonly rows: Iterable<StoredRow> | AsyncIterable<StoredRow>;
}

/** Compares row by row: each row with the reading that must have made it, each acknowledged reading with its row. */
export async function judge(
  { count, rows }: RowsToJudge,
  loads: ReadonlyMap<string, Source>,
): Promise<Verdict> {
  const stored = new Map(Array.from(loads.keys(), (name) => [name, new Set<number>()]));
  const invented: string[] = [];
  let distinct = 0;
  let read = 0;
  for await (const row of rows) {
    read += 1;
    const name = row.sensor.split(".")[0]!;
    const source = loads.get(name);
    const number = source && numberOf(row, source);
    if (number === undefined) {
      invented.push(`${row.agency} ${row.sensor} ${row.time} ${JSON.stringify(row.fields)}`);
    } else if (!stored.get(name)!.has(number)) {
      stored.get(name)!.add(number);
      distinct += 1;
    }
  }
  const lost: string[] = [];
  let sent = 0;
  let acknowledged = 0;
  for (const [name, { load }] of loads) {
    sent += load.offered * readingsPerBatch;
    acknowledged += load.acknowledged.size * readingsPerBatch;
    for (const batch of load.acknowledged) {
      for (let number = batch * readingsPerBatch; number < (batch + 1) * readingsPerBatch; number++) {
        if (!stored.get(name)!.has(number)) lost.push(`${name} ${number}`);
      }
    }
  }
  const twice = Math.max(count, read) - distinct - invented.length;
  return { sent, acknowledged, lost, twice, invented };
}

/** Asserts what every fault promises (nothing lost, twice or invented) and hands the counts to the soak's summary. */
export async function expectKept(
  annotate: (message: string, type?: string) => Promise<unknown>,
  fault: Pick<FaultReport, "fault" | "tried" | "measured">,
  stored: RowsToJudge,
  loads: ReadonlyMap<string, Source>,
): Promise<Verdict> {
  const verdict = await judge(stored, loads);
  const { sent, acknowledged, lost, twice, invented } = verdict;
  await reportFault(annotate, { ...fault, sent, acknowledged, lost: lost.length, twice });
  expect({ lost: lost.slice(0, 20), twice, invented: invented.slice(0, 20) }).toEqual({
    lost: [],
    twice: 0,
    invented: [],
  });
  expect(acknowledged).toBeGreaterThan(0);
  return verdict;
}

function numberOf(row: StoredRow, { load, readings }: Source): number | undefined {
  try {
    const number = readings.numberOf(row);
    return number < load.offered * readingsPerBatch ? number : undefined;
  } catch {
    return undefined;
  }
}
