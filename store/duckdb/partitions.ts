import { type Column, type Partition, type Place, monthOf, startOfDay, widest } from "./partition.ts";

/** The committed tables of one place, by measurement and time. */
export class Partitions {
  readonly place: Place;
  readonly #byMeasurement = new Map<string, Map<string, Partition>>();

  constructor(place: Place = "main") {
    this.place = place;
  }

  /** Adds a table, or replaces what is known of it. */
  put(partition: Partition): void {
    let tables = this.#byMeasurement.get(partition.measurement);
    if (tables === undefined) this.#byMeasurement.set(partition.measurement, (tables = new Map()));
    tables.set(key(partition.span, partition.from), partition);
  }

  /** The table is dropped. */
  remove({ measurement, span, from }: Partition): void {
    const tables = this.#byMeasurement.get(measurement);
    tables?.delete(key(span, from));
    if (tables?.size === 0) this.#byMeasurement.delete(measurement);
  }

  measurements(): string[] {
    return [...this.#byMeasurement.keys()];
  }

  /** The table that holds this measurement's rows of the UTC day that begins at `day`. */
  at(measurement: string, day: number): Partition | undefined {
    const tables = this.#byMeasurement.get(measurement);
    return tables?.get(key("day", day)) ?? tables?.get(key("month", monthOf(day).from));
  }

  /** A measurement's tables by time. */
  of(measurement: string): Partition[] {
    return [...(this.#byMeasurement.get(measurement)?.values() ?? [])].toSorted(
      (a, b) => a.from - b.from || a.to - b.to,
    );
  }

  all(): Partition[] {
    return [...this.#byMeasurement.keys()].flatMap((measurement) => this.of(measurement));
  }

  /** A measurement's fields over all of its tables, as the newest table has them, then those that only older ones have. */
  columns(measurement: string): Column[] {
    const columns = new Map<string, Column>();
    for (const partition of this.of(measurement).toReversed()) {
      for (const { name, type } of partition.columns) {
        columns.set(name, { name, type: widest(type, columns.get(name)?.type ?? type) });
      }
    }
    return [...columns.values()];
  }

  /**
   * The tables that may have rows with `from` <= time < `to`, in groups by time: the groups do not overlap, the tables
   * of a group may (a month's table and those of some of its days).
   */
  groups(measurement: string, from: number, to: number): Partition[][] {
    const groups: { to: number; partitions: Partition[] }[] = [];
    for (const partition of this.of(measurement)) {
      if (partition.to <= from || partition.from >= to) continue;
      const last = groups.at(-1);
      if (last !== undefined && partition.from < last.to) {
        last.to = Math.max(last.to, partition.to);
        last.partitions.push(partition);
      } else groups.push({ to: partition.to, partitions: [partition] });
    }
    return groups.map(({ partitions }) => partitions);
  }
}

function key(span: Partition["span"], from: number): string {
  return `${span} ${startOfDay(from)}`;
}
