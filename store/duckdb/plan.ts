import type { BlockTable } from "#telemetry/block.ts";
import type { FieldType } from "#telemetry/catalogue.ts";
import {
  type Column,
  type ColumnType,
  type Partition,
  type Place,
  columnTypeOf,
  day_ms,
  monthOf,
  sqlName,
  startOfDay,
  tableName,
  widest,
} from "./partition.ts";
import type { Partitions } from "./partitions.ts";
import { quoted } from "./sql.ts";

/** What a batch brings of one measurement: which fields, and how many rows for each UTC day (by its start, ms). */
export interface Survey {
  readonly columns: Map<string, ColumnType>;
  readonly days: Map<number, number>;
}

/** Where a measurement's rows of this batch go, and what must be done to the tables first. */
export interface Plan {
  /** By the start of each UTC day of the survey. */
  readonly byDay: ReadonlyMap<number, Partition>;
  readonly statements: readonly string[];
}

/** DuckDB gives each table blocks of its own, at least one of 256 KiB; below this many rows a day, days share one. */
const sparseRowsPerDay = 1000;
/** A batch with this many new days of a month shows by itself how dense they are; one with fewer does not. */
const tellingDays = 4;
/** Where a day never has enough rows to be worth a table. */
const hasMonths: ReadonlySet<Place> = new Set(["results", "rollup_1h", "rollup_1d"]);

/** What a survey looks at of a batch. */
interface SurveyedBlock {
  readonly tables: readonly (Pick<BlockTable, "measurement" | "rows" | "time"> & {
    readonly fields: readonly { readonly name: string; readonly type: FieldType | "string" }[];
  })[];
}

export function survey(blocks: readonly SurveyedBlock[]): Map<string, Survey> {
  const surveys = new Map<string, Survey>();
  for (const { tables } of blocks) {
    for (const { measurement, fields, time, rows } of tables) {
      let found = surveys.get(measurement);
      if (found === undefined) surveys.set(measurement, (found = { columns: new Map(), days: new Map() }));
      for (const { name, type } of fields) {
        const column = columnTypeOf(type);
        found.columns.set(name, widest(column, found.columns.get(name) ?? column));
      }
      countDays(time, rows, found.days);
    }
  }
  return surveys;
}

function countDays(time: Float64Array, rows: number, days: Map<number, number>): void {
  let row = 0;
  while (row < rows) {
    const day = startOfDay(time[row]!);
    if (!Number.isFinite(day)) throw new RangeError(`a reading's time is ${time[row]}`);
    const first = row;
    while (row < rows && time[row]! >= day && time[row]! < day + day_ms) row += 1;
    days.set(day, (days.get(day) ?? 0) + row - first);
  }
}

export function plan(measurement: string, { columns, days }: Survey, partitions: Partitions): Plan {
  const byDay = new Map<number, Partition>();
  const statements: string[] = [];
  const adapted = new Map<string, Partition>();
  const uncovered = new Map<number, number[]>();
  for (const day of days.keys()) {
    const existing = partitions.at(measurement, day);
    if (existing === undefined) {
      const { from } = monthOf(day);
      uncovered.set(from, [...(uncovered.get(from) ?? []), day]);
      continue;
    }
    let partition = adapted.get(existing.table);
    if (partition === undefined) {
      partition = adapt(existing, columns, statements);
      adapted.set(existing.table, partition);
    }
    byDay.set(day, partition);
  }
  for (const [month, newDays] of uncovered) {
    if (isSparse(measurement, newDays, days, partitions)) {
      const partition = create(partitions.place, measurement, "month", month, columns, statements);
      for (const day of newDays) byDay.set(day, partition);
    } else {
      for (const day of newDays)
        byDay.set(day, create(partitions.place, measurement, "day", day, columns, statements));
    }
  }
  return { byDay, statements };
}

/** Should these new days of one month share a table? */
function isSparse(
  measurement: string,
  newDays: readonly number[],
  days: ReadonlyMap<number, number>,
  partitions: Partitions,
): boolean {
  if (hasMonths.has(partitions.place)) return true;
  if (newDays.length >= tellingDays) {
    const rows = newDays.reduce((sum, day) => sum + days.get(day)!, 0);
    return rows / newDays.length < sparseRowsPerDay;
  }
  const first = Math.min(...newDays);
  const before = partitions.of(measurement).filter(({ from }) => from < first);
  return (
    before.length >= 2 && before.slice(-2).every((partition) => rowsPerDay(partition) < sparseRowsPerDay)
  );
}

function rowsPerDay({ rows, from, to }: Partition): number {
  return (rows * day_ms) / (to - from);
}

function create(
  place: Place,
  measurement: string,
  span: Partition["span"],
  from: number,
  fields: ReadonlyMap<string, ColumnType>,
  statements: string[],
): Partition {
  const table = tableName(measurement, span, from);
  const columns: Column[] = [...fields].map(([name, type]) => ({ name, type }));
  const definitions = columns.map(({ name, type }) => `, ${quoted(name)} ${type}`).join("");
  statements.push(
    `CREATE TABLE ${sqlName({ place, table })} (time TIMESTAMP_MS, series UINTEGER${definitions})`,
  );
  const to = span === "day" ? from + day_ms : monthOf(from).to;
  return { place, table, measurement, span, from, to, columns, rows: 0 };
}

/** Gives an existing table the columns it lacks, and wider ones where the batch needs them. */
function adapt(
  partition: Partition,
  fields: ReadonlyMap<string, ColumnType>,
  statements: string[],
): Partition {
  const table = sqlName(partition);
  const columns = partition.columns.map((column): Column => {
    const type = widest(column.type, fields.get(column.name) ?? column.type);
    if (type === column.type) return column;
    statements.push(`ALTER TABLE ${table} ALTER COLUMN ${quoted(column.name)} SET DATA TYPE ${type}`);
    return { name: column.name, type };
  });
  const known = new Set(columns.map(({ name }) => name));
  for (const [name, type] of fields) {
    if (known.has(name)) continue;
    statements.push(`ALTER TABLE ${table} ADD COLUMN ${quoted(name)} ${type}`);
    columns.push({ name, type });
  }
  return { ...partition, columns };
}
