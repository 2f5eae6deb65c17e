import { type DuckDBConnection, DuckDBTimestampMillisecondsValue } from "@duckdb/node-api";
import { type HourMinutes, MeasurementMinutes, gathered, spread } from "../minutes.ts";
import { type DirtyHour, mostDirtyHours } from "../results.ts";
import { fetchNumbers } from "./fetch-numbers.ts";
import { literal } from "./sql.ts";
import { inTransaction } from "./transaction.ts";

/** The minutes of an hour, as the column `minutes` has them: the lowest bit is the first minute. */
export const allMinutes = 2n ** 60n - 1n;
const half = 30n;

/** A mark that is not in the table `dirty` yet. */
export type NewMark = HourMinutes & { readonly measurement: string };

/**
 * Minutes in which readings were stored and that wait to be rolled up: rows of the table `dirty`, several for an hour. Each time that somebody asks for them a new mark begins: what is
 * stored afterwards is written with that, also where the same minute is marked already, since who asked may have read its rows before. Until then a minute is written once.
 */
export class DirtyMarks {
  /** Above all that anybody was told. */
  #mark: number;
  /** In the table with this mark. */
  #marked = new MeasurementMinutes();

  constructor(mark: number) {
    this.#mark = mark;
  }

  /** What a batch must append, in its transaction. */
  news(minutes: MeasurementMinutes): NewMark[] {
    return [...minutes.without(this.#marked)];
  }

  async append(connection: DuckDBConnection, news: readonly NewMark[]): Promise<void> {
    if (news.length === 0) return;
    const appender = await connection.createAppender("dirty");
    for (const { measurement, hour, low, high } of news) {
      appender.appendVarchar(measurement);
      appender.appendTimestampMilliseconds(new DuckDBTimestampMillisecondsValue(BigInt(hour)));
      appender.appendUBigInt(bitsOf({ low, high }));
      appender.appendBigInt(BigInt(this.#mark));
      appender.endRow();
    }
    appender.closeSync();
  }

  /** They are committed. */
  committed(news: readonly NewMark[]): void {
    for (const mark of news) this.#marked.of(mark.measurement).put(mark);
  }

  /** Begins a new mark: what is written before it may be read, or gone. Nothing may be written meanwhile. @returns the new mark */
  begin(): number {
    this.#marked = new MeasurementMinutes();
    return ++this.#mark;
  }

  /** Forgets these minutes, as far as they are not marked anew. */
  async clean(connection: DuckDBConnection, hours: readonly DirtyHour[]): Promise<void> {
    if (hours.length === 0) return;
    await inTransaction(connection, async () => {
      await connection.run(
        "CREATE OR REPLACE TEMP TABLE cleaned (measurement VARCHAR, hour TIMESTAMP_MS, minutes UBIGINT, mark BIGINT)",
      );
      const appender = await connection.createAppender("cleaned", "main", "temp");
      for (const { measurement, hour, minutes, mark } of hours) {
        appender.appendVarchar(measurement);
        appender.appendTimestampMilliseconds(new DuckDBTimestampMillisecondsValue(BigInt(hour)));
        appender.appendUBigInt(bitsOf(gathered(minutes)));
        appender.appendBigInt(BigInt(Math.min(mark, this.#mark - 1))); // what is said to be written must stay
        appender.endRow();
      }
      appender.closeSync();
      const same =
        "dirty.measurement = cleaned.measurement AND dirty.hour = cleaned.hour AND dirty.mark <= cleaned.mark";
      await connection.run(
        `DELETE FROM dirty USING temp.main.cleaned AS cleaned WHERE ${same} AND dirty.minutes & ~cleaned.minutes = 0`,
      );
      // An UPDATE costs more, and most hours are given whole.
      if (hours.some(({ minutes }) => minutes.includes(0)))
        await connection.run(
          `UPDATE dirty SET minutes = dirty.minutes & ~cleaned.minutes FROM temp.main.cleaned AS cleaned WHERE ${same}`,
        );
    });
  }
}

function bitsOf({ low, high }: Pick<HourMinutes, "low" | "high">): bigint {
  return (BigInt(high) << half) | BigInt(low);
}

/** What is marked with marks below `before`, the newest hours first. Readings may be stored meanwhile. */
export async function readDirty(connection: DuckDBConnection, before: number): Promise<DirtyHour[]> {
  const found = await connection.runAndReadAll("SELECT DISTINCT measurement FROM dirty ORDER BY measurement");
  const names = found.getRowsJS().map(([name]) => name as string);
  if (names.length === 0) return [];
  const [name, hour, low, high, mark] = await fetchNumbers(
    connection,
    `SELECT (list_position([${names.map(literal).join()}], measurement) - 1)::UINTEGER, epoch_ms(hour)::DOUBLE,
       (bits & ${2n ** half - 1n})::DOUBLE, (bits >> ${half})::DOUBLE, mark
     FROM (SELECT measurement, hour, bit_or(minutes) AS bits, max(mark)::DOUBLE AS mark
           FROM dirty WHERE mark < ${before} GROUP BY ALL)
     QUALIFY row_number() OVER (PARTITION BY measurement ORDER BY hour DESC) <= ${mostDirtyHours}
     ORDER BY hour DESC, measurement`,
    ["UINTEGER", "DOUBLE", "DOUBLE", "DOUBLE", "DOUBLE"],
  );
  // Views of one buffer: it crosses threads at once.
  const minutes = new Uint8Array(60 * hour.length);
  return Array.from(hour, (at, i) => ({
    measurement: names[name[i]!]!,
    hour: at,
    minutes: spread({ low: low[i]!, high: high[i]! }, minutes.subarray(60 * i, 60 * (i + 1))),
    mark: mark[i]!,
  }));
}

export async function openDirtyMarks(connection: DuckDBConnection): Promise<DirtyMarks> {
  const latest = await connection.runAndReadAll("SELECT coalesce(max(mark), 0)::DOUBLE FROM dirty");
  return new DirtyMarks((latest.getRowsJS()[0]![0] as number) + 1);
}

/** Marks after which those of an hour are added up. */
const mostMarks = 50_000;

/** Makes one row of each hour's, when they have become many: nobody rolls up. */
export async function addUpMarks(connection: DuckDBConnection): Promise<void> {
  const count = await connection.runAndReadAll(
    "SELECT count(*)::DOUBLE, (SELECT count(*) FROM (SELECT DISTINCT measurement, hour FROM dirty))::DOUBLE FROM dirty",
  );
  const [marks, hours] = count.getRowsJS()[0] as [number, number];
  if (marks <= mostMarks || marks < 2 * hours) return;
  await inTransaction(connection, async () => {
    await connection.run(
      `CREATE OR REPLACE TEMP TABLE added_up AS
       SELECT measurement, hour, bit_or(minutes) AS minutes, max(mark) AS mark FROM dirty GROUP BY ALL`,
    );
    await connection.run("DELETE FROM dirty");
    await connection.run("INSERT INTO dirty FROM temp.main.added_up");
  });
}
