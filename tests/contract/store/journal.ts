import { randomUUID } from "node:crypto";
import type { StoreBatch } from "#store/port.ts";
import { encodeBlock } from "#telemetry/block.ts";
import type { FieldType, Measurement } from "#telemetry/catalogue.ts";
import { ReadingTable } from "#telemetry/reading-table.ts";
import type { SeriesEntry } from "#telemetry/series.ts";

export type FieldValue = number | boolean;

export interface Reading {
  readonly measurement: string;
  readonly sensor: string;
  /** ms since 1970 */
  readonly time: number;
  readonly fields: Readonly<Record<string, FieldValue>>;
  readonly gateway?: string;
}

/** Measurement -> field -> type. */
export type Shapes = Readonly<Record<string, Readonly<Record<string, FieldType>>>>;

export const shapes: Shapes = {
  traffic_flow: { vehicles: "float", speed_avg: "float" },
  food_stock: { stock: "float" },
  everything: { level: "float", total: "integer", open: "boolean" },
};

/** A journal as ingest would keep it: gives series their numbers and blocks their positions, and can give them again. */
export class TestJournal {
  readonly uuid: string;
  readonly #shapes: Shapes;
  readonly #numbers = new Map<string, number>();
  /** Copies: a batch gives its blocks away. */
  readonly #blocks: ArrayBuffer[] = [];

  constructor(measurements: Shapes = shapes, uuid: string = randomUUID()) {
    this.#shapes = measurements;
    this.uuid = uuid;
  }

  get next(): number {
    return this.#blocks.length;
  }

  seriesOf(measurement: string, sensor: string): number {
    const number = this.#numbers.get(`${measurement}/${sensor}`);
    if (number === undefined) throw new Error(`no reading of ${measurement} came from ${sensor}`);
    return number;
  }

  /** Appends readings as one block. */
  append(readings: readonly Reading[], changed: Shapes = {}): this {
    const known = { ...this.#shapes, ...changed };
    const tables = new Map<string, ReadingTable>();
    const gateways: string[] = [];
    const newSeries: SeriesEntry[] = [];
    for (const { measurement, sensor, time, fields, gateway = "gw-1" } of readings) {
      let table = tables.get(measurement);
      if (table === undefined) {
        table = new ReadingTable(measurementOf(measurement, known[measurement]!), 2);
        tables.set(measurement, table);
      }
      if (!gateways.includes(gateway)) gateways.push(gateway);
      const key = `${measurement}/${sensor}`;
      let series = this.#numbers.get(key);
      if (series === undefined) {
        series = this.#numbers.size;
        this.#numbers.set(key, series);
        newSeries.push({ series, measurement, agency: "test", sensor });
      }
      const row = table.nextRow();
      table.time[row] = time;
      table.series[row] = series;
      for (const [i, { name }] of table.measurement.fields.entries()) {
        table.values[i]![row] = Number(fields[name] ?? Number.NaN);
      }
      table.commitRow(gateways.indexOf(gateway));
    }
    this.#blocks.push(
      encodeBlock({ tables: tables.values(), newSeries, gatewayName: (gateway) => gateways[gateway]! }),
    );
    return this;
  }

  /** Blocks `first` … `next - 1`; by default all that were appended since `first`. */
  batch(first: number, next: number = this.next): StoreBatch {
    const blocks = this.#blocks.slice(first, next).map((block) => block.slice());
    return { journal: this.uuid, first, next, blocks };
  }

  /** One block of these readings, as a batch. */
  batchOf(readings: readonly Reading[], changed: Shapes = {}): StoreBatch {
    return this.append(readings, changed).batch(this.next - 1);
  }
}

function measurementOf(name: string, fields: Readonly<Record<string, FieldType>>): Measurement {
  const title = { en: name, ar: name };
  return {
    name,
    domain: "test",
    title,
    period_s: 60,
    seasons: [],
    bad: "none",
    fields: Object.entries(fields).map(([field, type]) => ({
      name: field,
      type,
      kind: "gauge",
      unit: "1",
      physical: [null, null],
      plausible: [null, null],
      title,
    })),
  };
}
