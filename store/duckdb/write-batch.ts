import type { SeriesEntry } from "#telemetry/series.ts";
import { decodeBatch, newEntries, takeOutMisfits } from "../batch.ts";
import type { GatewayTally, StoreBatch, StoreOutcome, StoreRefusal } from "../port.ts";
import { MeasurementMinutes } from "../minutes.ts";
import type { NewMark } from "./dirty.ts";
import type { Counter } from "./fold.ts";
import type { Partition } from "./partition.ts";
import { type Plan, plan, survey } from "./plan.ts";
import type { Session } from "./session.ts";
import { type StagedTable, Staging } from "./staging.ts";
import { Tally } from "./tally.ts";
import { inTransaction } from "./transaction.ts";
import { writeStaged } from "./write-staged.ts";

/**
 * Writes a batch in one transaction: rows, dictionary entries, tallies, refusals, marks and the journal's position. Blocks below the
 * stored position are skipped, so that a batch may be tried again.
 */
export async function writeBatch(session: Session, batch: StoreBatch): Promise<StoreOutcome> {
  const position = session.positions.get(batch.journal) ?? 0;
  if (batch.next <= position) return { position, tallies: [], refused: [] };

  const decoded = decodeBatch(batch, position);
  const entries = newEntries(session.dictionary, decoded);
  const { blocks, refused, learnt } = takeOutMisfits(session, batch, decoded, entries);
  for (const { series } of entries) session.freshness.begin(series);
  const surveys = survey(blocks);
  const plans = new Map<string, Plan>();
  for (const [measurement, found] of surveys) {
    plans.set(measurement, plan(measurement, found, session.partitions));
  }
  const tally = new Tally();
  const minutes = new MeasurementMinutes();
  const staging = new Staging({ plans, surveys, freshness: session.freshness, tally, minutes });
  for (const block of blocks) staging.add(block);

  const work = { plans, staging, tally, minutes, entries, refused };
  const { gained, marks } = await commit(session, batch, work).finally(() => staging.release());

  session.positions.set(batch.journal, batch.next);
  for (const entry of entries) session.dictionary.add(entry);
  for (const partition of gained) session.partitions.put(partition);
  session.dirty.committed(marks);
  for (const [measurement, types] of learnt) session.types.set(measurement, types);
  return { position: batch.next, tallies: tally.counts(), refused };
}

/** Returns the tables written, with the rows they have now, and the marks that were made. */
function commit(
  session: Session,
  batch: StoreBatch,
  work: {
    plans: ReadonlyMap<string, Plan>;
    staging: Staging;
    tally: Tally;
    minutes: MeasurementMinutes;
    entries: readonly SeriesEntry[];
    refused: readonly StoreRefusal[];
  },
): Promise<{ gained: Partition[]; marks: NewMark[] }> {
  const connection = session.database.writer;
  return inTransaction(connection, async () => {
    const gained: Partition[] = [];
    for (const { statements } of work.plans.values()) {
      for (const statement of statements) await connection.run(statement);
    }
    for (const staged of work.staging.tables)
      gained.push(await writeStaged(session, staged, { counter: counterOf(staged, work) }));
    const marks = session.dirty.news(work.minutes);
    await session.dirty.append(connection, marks);
    await appendSeries(session, work.entries);
    await appendTallies(session, work.tally.counts());
    await appendRefusals(session, batch.journal, work.refused);
    await setPosition(session, batch);
    return { gained, marks };
  });
}

/** What becomes of the late rows. */
function counterOf(
  { partition, late, lateGateways }: StagedTable,
  { tally, minutes }: { tally: Tally; minutes: MeasurementMinutes },
): Counter {
  const changed = minutes.of(partition.measurement);
  return {
    isNew(row) {
      tally.addNew(lateGateways[row]!);
      changed.add(late.time[row]!);
    },
    isMerged(row) {
      tally.addMerged(lateGateways[row]!);
      changed.add(late.time[row]!);
    },
    isDuplicate: (row) => tally.addDuplicate(lateGateways[row]!),
  };
}

async function appendSeries({ database }: Session, entries: readonly SeriesEntry[]): Promise<void> {
  if (entries.length === 0) return;
  const appender = await database.writer.createAppender("series");
  for (const { series, measurement, agency, sensor } of entries) {
    appender.appendUInteger(series);
    appender.appendVarchar(measurement);
    appender.appendVarchar(agency);
    appender.appendVarchar(sensor);
    appender.endRow();
  }
  appender.closeSync();
}

async function appendTallies({ database }: Session, tallies: readonly GatewayTally[]): Promise<void> {
  if (tallies.length === 0) return;
  const appender = await database.writer.createAppender("tally_change");
  for (const { gateway, stored, merged, duplicate } of tallies) {
    appender.appendVarchar(gateway);
    for (const count of [stored, merged, duplicate]) appender.appendBigInt(BigInt(count));
    appender.endRow();
  }
  appender.closeSync();
}

async function appendRefusals(
  { database }: Session,
  journal: string,
  refused: readonly StoreRefusal[],
): Promise<void> {
  if (refused.length === 0) return;
  const appender = await database.writer.createAppender("refusal");
  for (const { position, gateway, agency, detail, readings, lines } of refused) {
    appender.appendVarchar(journal);
    appender.appendBigInt(BigInt(position));
    appender.appendVarchar(gateway);
    appender.appendVarchar(agency);
    appender.appendVarchar(detail);
    appender.appendBigInt(BigInt(readings));
    appender.appendVarchar(lines);
    appender.endRow();
  }
  appender.closeSync();
}

async function setPosition({ database, positions }: Session, { journal, next }: StoreBatch): Promise<void> {
  const statement = positions.has(journal)
    ? "UPDATE journal SET position = $position WHERE uuid = $journal"
    : "INSERT INTO journal VALUES ($journal, $position)";
  await database.writer.run(statement, { journal, position: next });
}
