import type { SeriesEntry } from "#telemetry/series.ts";
import type { ReadingRows } from "../port.ts";
import type { RowPiece, RowsQuery } from "../results.ts";
import { type InfluxSeries, type InfluxValue, earliest, latest, quoted, sourceOf } from "./query.ts";
import { namedSensors } from "./rows.ts";

/** Rows of a piece, about. */
const rowsOfPiece = 100_000;

export interface JobPlan {
  readonly query: RowsQuery;
  /** By series number, of the queried series. */
  readonly sensors: ReadonlyMap<number, SeriesEntry>;
  /** Series that the measurement has in all. */
  readonly known: number;
}

/** The rows of each sensor together, by time, whatever its other tags were. */
export function jobStatement({ query, sensors, known }: JobPlan): string {
  const { fields } = query;
  const from = Math.max(Math.ceil(query.from), earliest);
  const to = Math.min(Math.ceil(query.to), latest);
  const columns =
    fields === undefined ? "*::field" : fields.map((name) => `${quoted(name)}::field`).join(", ");
  const which = query.series === undefined ? "" : namedSensors(sensors, known);
  return `SELECT ${columns} FROM ${sourceOf(query)} WHERE time >= ${from}ms AND time < ${to}ms${which} GROUP BY "agency", "sensor"`;
}

/** A piece, and where two of its rows became one: between which times of which series. */
export interface Gathered {
  readonly piece: RowPiece;
  readonly twofold: ReadonlyMap<number, { from: number; to: number }>;
}

/**
 * Gathers a statement's answer into pieces. Rows of one series and time, of several tag sets, become one with the values of any: the registry
 * has changed its mind about the past, and `Gathered.twofold` says where.
 */
export class PieceGatherer {
  readonly #numbers: ReadonlyMap<string, number>;
  readonly #pieceRows: number;
  #names: readonly string[] = [];
  #series: number[] = [];
  #time: number[] = [];
  #values: number[][] = [];
  #twofold = new Map<number, { from: number; to: number }>();

  constructor({ sensors }: Pick<JobPlan, "sensors">, pieceRows = rowsOfPiece) {
    this.#pieceRows = pieceRows;
    this.#numbers = new Map(
      Array.from(sensors, ([number, { agency, sensor }]) => [`${agency}/${sensor}`, number]),
    );
  }

  get isFull(): boolean {
    return this.#time.length > this.#pieceRows;
  }

  /** All series of a statement have the same columns. */
  add({ columns, tags = {}, values = [] }: InfluxSeries): void {
    const number = this.#numbers.get(`${tags["agency"]}/${tags["sensor"]}`);
    if (number === undefined) return;
    if (this.#values.length === 0) {
      this.#names = columns.slice(1);
      this.#values = this.#names.map(() => []);
    }
    for (const row of values) {
      const time = row[0] as number;
      let at = this.#time.length - 1;
      if (this.#series[at] === number && this.#time[at] === time) this.#note(number, time);
      else {
        at += 1;
        this.#series.push(number);
        this.#time.push(time);
      }
      for (const [i, column] of this.#values.entries()) {
        const value = numberOf(row[i + 1]);
        if (at === column.length) column.push(value);
        else if (!Number.isNaN(value)) column[at] = value;
      }
    }
  }

  /** What was gathered; the last row stays behind for the next piece, unless nothing comes any more: it may have a second part. */
  take(isLast: boolean): Gathered {
    const rows = Math.max(0, this.#time.length - (isLast ? 0 : 1));
    const piece = {
      series: Uint32Array.from(this.#series.splice(0, rows)),
      time: Float64Array.from(this.#time.splice(0, rows)),
      fields: this.#names.map((name, i) => ({
        name,
        values: Float64Array.from(this.#values[i]!.splice(0, rows)),
      })),
    };
    const twofold = this.#twofold;
    this.#twofold = new Map();
    return { piece, twofold };
  }

  #note(series: number, time: number): void {
    const known = this.#twofold.get(series);
    if (known === undefined) this.#twofold.set(series, { from: time, to: time + 1 });
    else known.to = time + 1;
  }
}

/** Lays rows of one series over those of the piece. */
export function correct({ series, time, fields }: RowPiece, number: number, rows: ReadingRows): void {
  const places = new Map(rows.time.map((at, row) => [at, row]));
  for (let at = 0; at < time.length; at++) {
    const row = series[at] === number ? places.get(time[at]!) : undefined;
    if (row === undefined) continue;
    for (const { name, values } of fields)
      values[at] = numberOf(rows.values[rows.fields.indexOf(name)]?.[row]);
  }
}

/** Booleans as 0 and 1; what is absent, or a text, as NaN. */
function numberOf(value: InfluxValue | undefined): number {
  return typeof value === "number" ? value : typeof value === "boolean" ? Number(value) : Number.NaN;
}
