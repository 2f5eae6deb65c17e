import type { Block, BlockTable } from "#telemetry/block.ts";
import type { MeasurementMinutes } from "../minutes.ts";
import { Columns } from "./columns.ts";
import type { Freshness } from "./freshness.ts";
import { type Partition, day_ms, startOfDay } from "./partition.ts";
import type { Plan, Survey } from "./plan.ts";
import type { Tally } from "./tally.ts";

/** A batch's rows for one table. */
export interface StagedTable {
  readonly partition: Partition;
  /** Rows newer than anything of their series: appended as they are. */
  readonly fresh: Columns;
  /** The others, in order of arrival: they may be there already, in the table or among `fresh`. */
  readonly late: Columns;
  /** Who sent the late rows: gateway numbers of the batch's `Tally`. */
  readonly lateGateways: number[];
}

type Rows = Omit<BlockTable, "fields"> & { readonly fields: readonly { readonly name: string }[] };

/** Sorts blocks by table, and fresh from late. Fresh rows are counted as stored; late ones when they are merged. */
export class Staging {
  readonly #plans: ReadonlyMap<string, Plan>;
  readonly #surveys: ReadonlyMap<string, Survey>;
  readonly #freshness: Freshness;
  readonly #tally: Tally;
  readonly #minutes: MeasurementMinutes | undefined;
  readonly #tables = new Map<string, StagedTable>();
  #isNew = new Uint8Array(4096);

  constructor(options: {
    plans: ReadonlyMap<string, Plan>;
    surveys: ReadonlyMap<string, Survey>;
    freshness: Freshness;
    tally: Tally;
    /** Gets the minutes of fresh rows. */
    minutes?: MeasurementMinutes;
  }) {
    this.#plans = options.plans;
    this.#surveys = options.surveys;
    this.#freshness = options.freshness;
    this.#tally = options.tally;
    this.#minutes = options.minutes;
  }

  get tables(): Iterable<StagedTable> {
    return this.#tables.values();
  }

  /** Gives the rows' memory back, once they are written or given up. */
  release(): void {
    for (const { fresh, late } of this.#tables.values()) {
      fresh.release();
      late.release();
    }
    this.#tables.clear();
  }

  add(block: Pick<Block, "gateways"> & { readonly tables: readonly Rows[] }): void {
    const gateways = block.gateways.map((name) => this.#tally.numberOf(name));
    for (const table of block.tables) this.#addTable(table, gateways);
  }

  #addTable(table: Rows, gateways: readonly number[]): void {
    const { rows, time } = table;
    if (rows > this.#isNew.length) this.#isNew = new Uint8Array(rows * 2);
    const isNew = this.#isNew;
    this.#freshness.mark(table.measurement, time, table.series, rows, isNew);
    this.#minutes?.of(table.measurement).addNew(time, isNew, rows);

    let staged: StagedTable | undefined;
    let sources: number[] = [];
    let dayStart = Number.NaN;
    let dayEnd = Number.NaN;
    const { runs } = table;
    let row = 0;
    for (let run = 0; run < runs.length; run += 2) {
      const gateway = gateways[runs[run]!]!;
      const runEnd = row + runs[run + 1]!;
      while (row < runEnd) {
        // A span is as long as gateway, day and freshness stay the same.
        const at = time[row]!;
        if (staged === undefined || !(at >= dayStart && at < dayEnd)) {
          dayStart = startOfDay(at);
          dayEnd = dayStart + day_ms;
          const next = this.#tableAt(table.measurement, dayStart);
          if (next !== staged) sources = sourcesOf(next.partition, table);
          staged = next;
        }
        const first = row;
        const fresh = isNew[row]!;
        do row += 1;
        while (row < runEnd && isNew[row] === fresh && time[row]! >= dayStart && time[row]! < dayEnd);
        if (fresh === 1) {
          staged.fresh.append(table, first, row, sources);
          this.#tally.addNew(gateway, row - first);
        } else {
          staged.late.append(table, first, row, sources);
          for (let i = first; i < row; i++) staged.lateGateways.push(gateway);
        }
      }
    }
  }

  #tableAt(measurement: string, day: number): StagedTable {
    const partition = this.#plans.get(measurement)!.byDay.get(day)!;
    let staged = this.#tables.get(partition.table);
    if (staged === undefined) {
      const fields = partition.columns.length;
      const expected = this.#surveys.get(measurement)!.days.get(day)!;
      staged = {
        partition,
        fresh: new Columns(fields, expected),
        late: new Columns(fields, 0),
        lateGateways: [],
      };
      this.#tables.set(partition.table, staged);
    }
    return staged;
  }
}

/** For each column of `partition`, where `table` has it; -1 if it has not. */
function sourcesOf(partition: Partition, table: Rows): number[] {
  return partition.columns.map(({ name }) => table.fields.findIndex((field) => field.name === name));
}
