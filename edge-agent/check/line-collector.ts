import type { BirthSensor } from "#telemetry/birth.ts";
import type { Catalogue } from "#telemetry/catalogue.ts";
import { quoted } from "#telemetry/check.ts";
import type { DecodeContext } from "#telemetry/decode.ts";
import { readLine } from "#telemetry/line-protocol/oracle.ts";
import { ReadingTable } from "#telemetry/reading-table.ts";
import { plausibleRange } from "#telemetry/sensor.ts";
import { BatchBuffer } from "../batch-buffer.ts";
import type { LineStage } from "../line-stage.ts";
import type { CheckedValue } from "./report.ts";

/** Fields shown at most, and refused lines. */
const maxValues = 2000;
const maxRefusals = 20;
const maxAge = 400 * 86_400_000;
const maxFuture = 5 * 60_000;

/** Takes an input's lines as the agent would, and judges them as the platform will. */
export class LineCollector {
  lines = 0;
  readonly #context: DecodeContext;
  readonly #sensors: ReadonlyMap<string, BirthSensor>;
  readonly #values = new Map<string, CheckedValue>();
  readonly #refusals = new Map<string, { line: string; count: number }>();
  readonly #batch: BatchBuffer;
  #left = 0;

  /** @param lineBytes  Of the longest line that may come. */
  constructor(catalogue: Catalogue, sensors: readonly BirthSensor[], lineBytes: number) {
    const tables = catalogue.measurements.map((measurement) => new ReadingTable(measurement, 1));
    this.#context = { tables, gateway: 0, now: 0, maxFuture, maxAge, reject: () => {} };
    this.#sensors = new Map(sensors.map((sensor) => [sensor.id, sensor]));
    this.#batch = new BatchBuffer(2 * lineBytes);
  }

  /** Where an intake puts its lines. */
  get stage(): LineStage {
    return { batch: this.#batch, seal: () => this.judge(undefined) };
  }

  /** Judges what was taken. @param raw  Where it came from. */
  judge(raw: string | undefined): void {
    if (this.#batch.count === 0) return;
    const text = this.#batch.take(Buffer.alloc(0)).toString("latin1");
    for (const line of text.split("\n").slice(0, -1)) this.#judgeLine(line, raw);
  }

  /** The newest value of each field, in the order they first came. */
  get values(): readonly CheckedValue[] {
    return [...this.#values.values()];
  }

  /** What the platform would refuse. */
  get refusals(): readonly string[] {
    return Array.from(
      this.#refusals,
      ([why, { line, count }]) => `${why}${count > 1 ? ` (${count} lines)` : ""}: ${quoted(line)}`,
    );
  }

  /** Fields beyond those that are shown. */
  get left(): number {
    return this.#left;
  }

  #judgeLine(line: string, raw: string | undefined): void {
    this.lines += 1;
    let sensor = "";
    const context = { ...this.#context, now: Date.now() };
    const reading = readLine(
      line,
      (_, id) => {
        sensor = id;
        return { series: 0, gateway: 0 };
      },
      context,
    );
    if ("reason" in reading) {
      this.#refuse(`${reading.reason}: ${reading.detail}`, line);
      return;
    }
    const { measurement } = this.#context.tables[reading.measurement]!;
    for (const [index, value] of reading.values) {
      const field = measurement.fields[index]!;
      const [low, high] = plausibleRange(field, this.#sensors.get(sensor));
      const plausible = (low === null || value >= low) && (high === null || value <= high);
      const row = {
        sensor,
        measurement: measurement.name,
        field: field.name,
        raw,
        value,
        unit: field.unit,
        plausible,
      };
      const key = `${sensor} ${measurement.name} ${field.name}`;
      if (this.#values.has(key) || this.#values.size < maxValues) this.#values.set(key, row);
      else this.#left += 1;
    }
  }

  #refuse(why: string, line: string): void {
    const known = this.#refusals.get(why);
    if (known !== undefined) known.count += 1;
    else if (this.#refusals.size < maxRefusals) this.#refusals.set(why, { line, count: 1 });
  }
}
