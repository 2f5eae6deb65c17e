import { MarsadError } from "#runtime/errors.ts";
import type { BlockTable } from "#telemetry/block.ts";
import type { ResultBatch, ResultField } from "../results.ts";
import { type TagSet, tagSetOf } from "../result-tags.ts";
import type { Counter } from "./fold.ts";
import { type Partition, columnTypeOf } from "./partition.ts";
import { plan, survey } from "./plan.ts";
import type { ResultSeriesEntry } from "./result-series.ts";
import type { Session } from "./session.ts";
import { Staging } from "./staging.ts";
import { Tally } from "./tally.ts";
import { Texts } from "./texts.ts";
import { inTransaction } from "./transaction.ts";
import { writeStaged } from "./write-staged.ts";

/** The writer of readings waits meanwhile: so many rows take it some 50 ms. */
const rowsAtOnce = 20_000;

/** Batches in groups that are one transaction each. */
export function* groupsOf(batches: readonly ResultBatch[]): Generator<ResultBatch[]> {
  let group: ResultBatch[] = [];
  let rows = 0;
  for (const batch of batches) {
    if (group.length > 0 && rows + batch.time.length > rowsAtOnce) {
      yield group;
      group = [];
      rows = 0;
    }
    group.push(batch);
    rows += batch.time.length;
  }
  if (group.length > 0) yield group;
}

const uncounted: Counter = { isNew() {}, isMerged() {}, isDuplicate() {} };

/** Writes batches in one transaction. What is there under the same series and time is merged field by field. */
export async function writeResults(session: Session, batches: readonly ResultBatch[]): Promise<void> {
  const { results } = session;
  const texts = new Texts();
  const entries: ResultSeriesEntry[] = [];
  const stagings: Staging[] = [];
  const statements: string[] = [];
  const numberOf = numbering(session, entries);
  try {
    for (const [policy, all] of Map.groupBy(batches, (batch) => batch.policy)) {
      const partitions = results.tables(policy);
      const tables = all.map((batch) => tableOf(batch, texts, numberOf));
      const surveys = survey([{ tables }]);
      const plans = new Map(
        Array.from(surveys, ([measurement, found]) => {
          expectTexts(measurement, found.columns, partitions.columns(measurement));
          return [measurement, plan(measurement, found, partitions)];
        }),
      );
      statements.push(...[...plans.values()].flatMap((made) => made.statements));
      const freshness = results.freshness(policy);
      if (policy === "autogen") for (const { number } of entries) freshness.begin(number);
      const staging = new Staging({ plans, surveys, freshness, tally: new Tally() });
      stagings.push(staging);
      staging.add({ gateways: [""], tables });
    }
    const gained = await commit(session, { stagings, statements, entries, texts });
    for (const entry of entries) results.series.add(entry);
    for (const partition of gained) results.at(partition.place).put(partition);
  } finally {
    for (const staging of stagings) staging.release();
  }
}

function commit(
  session: Session,
  work: {
    stagings: readonly Staging[];
    statements: readonly string[];
    entries: readonly ResultSeriesEntry[];
    texts: Texts;
  },
): Promise<Partition[]> {
  const connection = session.database.writer;
  return inTransaction(connection, async () => {
    const gained: Partition[] = [];
    for (const statement of work.statements) await connection.run(statement);
    for (const staging of work.stagings) {
      for (const staged of staging.tables)
        gained.push(await writeStaged(session, staged, { counter: uncounted, texts: work.texts }));
    }
    await appendSeries(session, work.entries);
    return gained;
  });
}

async function appendSeries({ database }: Session, entries: readonly ResultSeriesEntry[]): Promise<void> {
  if (entries.length === 0) return;
  const appender = await database.writer.createAppender("result_series");
  for (const { number, measurement, tags } of entries) {
    appender.appendUInteger(number);
    appender.appendVarchar(measurement);
    appender.appendVarchar(tags);
    appender.endRow();
  }
  appender.closeSync();
}

/** Numbers of tag sets; `entries` gets those that are new. */
function numbering(
  { results }: Session,
  entries: ResultSeriesEntry[],
): (measurement: string, tags: TagSet) => number {
  const added = new Map<string, number>();
  return (measurement, tagSet) => {
    const tags = JSON.stringify(tagSet);
    const key = `${measurement} ${tags}`;
    const known = results.series.numberOf(measurement, tags) ?? added.get(key);
    if (known !== undefined) return known;
    const number = results.series.next + entries.length;
    added.set(key, number);
    entries.push({ number, measurement, tags });
    return number;
  };
}

type ResultTable = Omit<BlockTable, "fields"> & {
  readonly fields: readonly Pick<ResultField, "name" | "type">[];
};

/** The batch as a block has its tables: texts and series as numbers. */
function tableOf(
  { measurement, fields, time, series, tagSets }: ResultBatch,
  texts: Texts,
  numberOf: (measurement: string, tags: TagSet) => number,
): ResultTable {
  const numbers = tagSets?.map((tags) => numberOf(measurement, tagSetOf(tags)));
  return {
    measurement,
    fields,
    rows: time.length,
    time,
    series: numbers === undefined ? series : series.map((place) => numbers[place]!),
    values: fields.map((field) =>
      field.type === "string"
        ? Float64Array.from(field.values, (text) => (text === null ? Number.NaN : texts.numberOf(text)))
        : field.values,
    ),
    runs: Uint32Array.of(0, time.length),
  };
}

/** @throws MarsadError REFUSED: a field has numbers here and texts there */
function expectTexts(
  measurement: string,
  columns: ReadonlyMap<string, string>,
  stored: readonly { readonly name: string; readonly type: string }[],
): void {
  const text = columnTypeOf("string");
  for (const { name, type } of stored) {
    const given = columns.get(name);
    if (given !== undefined && (given === text) !== (type === text))
      throw new MarsadError("REFUSED", `${measurement}.${name} is kept as ${type}, and comes as ${given}`);
  }
}
