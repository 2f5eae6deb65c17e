import type { ReadingQuery, ReadingRows } from "../port.ts";
import type { Policy } from "../query.ts";
import { type InfluxSeries, type InfluxValue, earliest, latest, literal, quoted, sourceOf } from "./query.ts";
import { type RowTags, type SensorOfSeries, rowTags } from "./tags.ts";

/** More sensors than this are not named in the statement when they are most of those there are. */
const mostNamed = 50;

export interface ReadPlan {
  readonly query: ReadingQuery;
  /** Undefined: of readings. */
  readonly policy?: Policy;
  readonly fields: readonly string[];
  /** By series number, of the queried series. */
  readonly sensors: ReadonlyMap<number, SensorOfSeries>;
  /** Series that the measurement has in all. */
  readonly known: number;
}

/** Rows of all tag sets in order of time. @param allTags  Also the tags beside agency and sensor. */
export function selectStatement(plan: ReadPlan, allTags: boolean): string {
  const { fields, query, sensors, known } = plan;
  const from = Math.max(Math.ceil(query.from), earliest);
  const to = Math.min(Math.ceil(query.to), latest);
  const columns = [...fields, ...tagColumns(allTags)].map(quoted).join(", ");
  const which = namedSensors(sensors, known);
  const source = sourceOf({ policy: plan.policy ?? "autogen", measurement: query.measurement });
  return (
    `SELECT ${columns} FROM ${source} WHERE time >= ${from}ms AND time < ${to}ms${which} ` +
    `ORDER BY time ${query.order === "desc" ? "DESC" : "ASC"}`
  );
}

/** ` AND (…)`; nothing when that would name most of the sensors there are. */
export function namedSensors(sensors: ReadPlan["sensors"], known: number): string {
  if (sensors.size > mostNamed && sensors.size > known / 4) return "";
  const named = Array.from(
    sensors.values(),
    ({ agency, sensor }) => `("agency" = ${literal(agency)} AND "sensor" = ${literal(sensor)})`,
  );
  return ` AND (${named.join(" OR ")})`;
}

export function countStatement(measurement: string, fields: readonly string[]): string {
  const columns = [...fields, "agency", "sensor"].map(quoted).join(", ");
  return `SELECT ${columns} FROM ${quoted(measurement)} WHERE time >= ${earliest}ms AND time < ${latest}ms`;
}

function tagColumns(all: boolean): readonly string[] {
  return all ? rowTags : ["agency", "sensor"];
}

/** Two rows of one series and time under different tag sets: which of them is the newer must be asked for with all tags. */
export const needsTags = Symbol("needs all tags");

/**
 * Gathers a statement's rows into the port's: those of one series and time, which stand under several tag sets when the registry has changed
 * its mind about the past, become one. What comes under the tag set that the registry names now was written last, and wins.
 */
export class RowMerger {
  readonly #plan: ReadPlan;
  readonly #isNow: ((series: number, time: number, tags: RowTags) => boolean) | undefined;
  readonly #numbers: ReadonlyMap<string, number>;
  readonly #rows: { time: number[]; series: number[]; values: InfluxValue[][] };
  #time = Number.NaN;
  #atTime = new Map<number, { values: InfluxValue[]; isNow: boolean }>();

  /** @param isNow  Whether a tag set is the registry's for this series and time; undefined when tags were not asked for. */
  constructor(plan: ReadPlan, isNow?: (series: number, time: number, tags: RowTags) => boolean) {
    this.#plan = plan;
    this.#isNow = isNow;
    this.#numbers = new Map(
      Array.from(plan.sensors, ([number, { agency, sensor }]) => [`${agency}/${sensor}`, number]),
    );
    this.#rows = { time: [], series: [], values: plan.fields.map(() => []) };
  }

  /** @returns "enough" when the limit is reached. */
  add({ columns, values = [] }: InfluxSeries): "more" | "enough" | typeof needsTags {
    const at = (name: string): number => columns.indexOf(name);
    const fieldsAt = this.#plan.fields.map(at);
    const [agencyAt, sensorAt] = [at("agency"), at("sensor")];
    for (const row of values) {
      const time = row[0] as number;
      if (time !== this.#time) {
        this.#closeTime();
        if (this.#rows.time.length >= this.#plan.query.limit) return "enough";
        this.#time = time;
      }
      const number = this.#numbers.get(`${String(row[agencyAt])}/${String(row[sensorAt])}`);
      if (number === undefined) continue;
      const found = fieldsAt.map((column) => row[column] ?? null);
      if (this.#isNow === undefined) {
        if (this.#atTime.has(number)) return needsTags;
        this.#atTime.set(number, { values: found, isNow: false });
      } else this.#merge(number, time, found, tagsOf(columns, row));
    }
    return "more";
  }

  end(): ReadingRows {
    this.#closeTime();
    const { limit } = this.#plan.query;
    const { time, series, values } = this.#rows;
    return {
      fields: this.#plan.fields,
      time: time.slice(0, limit),
      series: series.slice(0, limit),
      values: values.map((column) => column.slice(0, limit)),
    };
  }

  #merge(number: number, time: number, found: InfluxValue[], tags: RowTags): void {
    const isNow = this.#isNow!(number, time, tags);
    const before = this.#atTime.get(number);
    if (before === undefined) {
      this.#atTime.set(number, { values: found, isNow });
      return;
    }
    const [over, under] = before.isNow ? [before.values, found] : [found, before.values];
    const values = over.map((value, field) => value ?? under[field] ?? null);
    this.#atTime.set(number, { values, isNow: isNow || before.isNow });
  }

  #closeTime(): void {
    if (this.#atTime.size === 0) return;
    const numbers = [...this.#atTime.keys()].toSorted((a, b) => a - b);
    for (const number of numbers) {
      this.#rows.time.push(this.#time);
      this.#rows.series.push(number);
      const { values } = this.#atTime.get(number)!;
      for (const [field, value] of values.entries()) this.#rows.values[field]!.push(value);
    }
    this.#atTime = new Map();
  }
}

function tagsOf(columns: readonly string[], row: readonly InfluxValue[]): RowTags {
  const tags: Record<string, string> = {};
  for (const name of rowTags) {
    const value = row[columns.indexOf(name)];
    if (typeof value === "string") tags[name] = value;
  }
  return tags;
}

/** Counts distinct series and times of rows that come in order of time. */
export class RowCounter {
  count = 0;
  #time = Number.NaN;
  readonly #atTime = new Set<string>();

  add({ columns, values = [] }: InfluxSeries): void {
    const [agencyAt, sensorAt] = [columns.indexOf("agency"), columns.indexOf("sensor")];
    for (const row of values) {
      if (row[0] !== this.#time) {
        this.#time = row[0] as number;
        this.#atTime.clear();
      }
      const key = `${String(row[agencyAt])}/${String(row[sensorAt])}`;
      if (this.#atTime.has(key)) continue;
      this.#atTime.add(key);
      this.count += 1;
    }
  }
}
