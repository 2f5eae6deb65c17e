import type { Catalogue, Measurement } from "./catalogue.ts";
import { hasAt, isDigit } from "./bytes.ts";
import type { DecodeContext, DecodeCount, ResolveSeries } from "./decode.ts";
import { decodeEnvelope } from "./envelope.ts";
import type { SeriesIndex } from "./line-protocol/series-index.ts";
import { AddedRows } from "./plain-json/added-rows.ts";
import {
  booleanField,
  findField,
  findMeasurement,
  integerField,
  type MeasurementPlan,
  planMeasurement,
} from "./plain-json/plans.ts";
import { SeriesKeys } from "./plain-json/series-keys.ts";
import { TextTimes } from "./plain-json/text-time.ts";
import { PlainValues, skipBlanks, textEnd, valueAfter } from "./plain-json/values.ts";
import type { ReadingTable } from "./reading-table.ts";

/**
 * The JSON envelope from bytes to columns, for rate: no object and no text for a reading of a known series
 * (tests/bench/formats.bench.ts: a fraction of `JSON.parse` of the same bytes).
 *
 * It knows only the good way through a payload: four keys in any order, each once; texts without escapes; numbers, true and false. At the first byte that is not
 * plainly good it takes its rows back, and `decodeEnvelope` reads the payload from its beginning: there alone stand the order of checks and the
 * reasons. A payload is JSON as a whole or not at all, so there is no going on behind a bad reading, as there is with lines.
 */
export class EnvelopeScanner {
  readonly #plans: MeasurementPlan[] = [];
  readonly #keys = new SeriesKeys();
  readonly #values = new PlainValues();
  readonly #times = new TextTimes();
  readonly #added = new AddedRows();
  readonly #count: DecodeCount = { accepted: 0, seen: 0, refused: 0 };
  /** What the reading before was of, which the next mostly is, too. */
  #measurement = 0;

  /** @param catalogue  The one that the contexts' tables are made from. */
  constructor(catalogue: Catalogue) {
    this.addMeasurements(catalogue.measurements);
  }

  /** Measurements that were put behind those that it knows, in the catalogue and in the contexts' tables. */
  addMeasurements(measurements: readonly Measurement[]): void {
    this.#plans.push(...measurements.map(planMeasurement));
    this.#keys.addMeasurements(measurements);
  }

  /**
   * Adds a payload's readings to the context's tables.
   * @param index  The agency's known series; new ones are added.
   * @returns Valid until the next call.
   */
  scan(bytes: Uint8Array, index: SeriesIndex, resolve: ResolveSeries, context: DecodeContext): DecodeCount {
    const count = this.#count;
    count.accepted = 0;
    count.seen = 0;
    this.#added.clear();
    if (this.#scanPayload(bytes, index, resolve, context)) return count;
    this.#added.takeBack(context.tables);
    return decodeEnvelope(bytes, resolve, context);
  }

  /** @returns false: the payload is not plainly good. */
  #scanPayload(
    bytes: Uint8Array,
    index: SeriesIndex,
    resolve: ResolveSeries,
    context: DecodeContext,
  ): boolean {
    const end = bytes.length;
    let at = skipBlanks(bytes, 0, end);
    const isWrapped = bytes[at] === openBrace;
    if (isWrapped) {
      const key = skipBlanks(bytes, at + 1, end);
      if (!hasAt(bytes, key, readingsKey)) {
        at = this.#scanReading(bytes, at, 0, index, resolve, context);
        return at !== -1 && skipBlanks(bytes, at, end) === end;
      }
      at = valueAfter(bytes, key + readingsKey.length, end);
      if (at === -1) return false;
    }
    if (bytes[at] !== openBracket) return false;
    for (let ordinal = 0; ; ordinal += 1) {
      at = this.#scanReading(bytes, skipBlanks(bytes, at + 1, end), ordinal, index, resolve, context);
      if (at === -1) return false;
      at = skipBlanks(bytes, at, end);
      if (bytes[at] === closeBracket) break;
      if (bytes[at] !== comma) return false;
    }
    at = skipBlanks(bytes, at + 1, end);
    if (isWrapped) {
      if (bytes[at] !== closeBrace) return false;
      at = skipBlanks(bytes, at + 1, end);
    }
    return at === end;
  }

  /** Adds the reading at `start`. @returns Where it ends; -1: it is not plainly good. */
  #scanReading(
    bytes: Uint8Array,
    start: number,
    ordinal: number,
    index: SeriesIndex,
    resolve: ResolveSeries,
    context: DecodeContext,
  ): number {
    const end = bytes.length;
    if (bytes[start] !== openBrace) return -1;
    let at = start;
    let measurement = -1;
    let sensorStart = -1;
    let sensorEnd = -1;
    let time = Number.NaN;
    /** Fields that stand before their measurement wait for it. */
    let fieldsStart = -1;
    let fieldsEnd = -1;
    do {
      at = skipBlanks(bytes, at + 1, end);
      if (hasAt(bytes, at, measurementKey)) {
        at = valueAfter(bytes, at + measurementKey.length, end);
        if (at === -1 || bytes[at] !== quote || measurement !== -1) return -1;
        const nameEnd = textEnd(bytes, at + 1, end);
        if (nameEnd === -1) return -1;
        measurement = findMeasurement(this.#plans, this.#measurement, bytes, at + 1, nameEnd);
        if (measurement === -1) return -1;
        this.#measurement = measurement;
        at = nameEnd + 1;
      } else if (hasAt(bytes, at, sensorKey)) {
        at = valueAfter(bytes, at + sensorKey.length, end);
        if (at === -1 || bytes[at] !== quote || sensorStart !== -1) return -1;
        sensorStart = at + 1;
        sensorEnd = textEnd(bytes, sensorStart, end);
        if (sensorEnd === -1) return -1;
        at = sensorEnd + 1;
      } else if (hasAt(bytes, at, timeKey)) {
        at = valueAfter(bytes, at + timeKey.length, end);
        if (at === -1 || !Number.isNaN(time)) return -1;
        time = this.#scanTime(bytes, at);
        if (Number.isNaN(time)) return -1;
        at = this.#values.end;
      } else if (hasAt(bytes, at, fieldsKey)) {
        at = valueAfter(bytes, at + fieldsKey.length, end);
        if (at === -1 || fieldsStart !== -1) return -1;
        fieldsStart = at;
        if (measurement === -1) {
          const brace = bytes.indexOf(closeBrace, at);
          if (brace === -1) return -1;
          at = brace + 1;
        } else {
          at = this.#scanFields(bytes, at, this.#plans[measurement]!, context.tables[measurement]!);
          if (at === -1) return -1;
        }
        fieldsEnd = measurement === -1 ? at : -1;
      } else return -1;
      at = skipBlanks(bytes, at, end);
    } while (bytes[at] === comma);
    if (bytes[at] !== closeBrace || measurement === -1 || sensorStart === -1 || fieldsStart === -1) return -1;
    const table = context.tables[measurement]!;
    if (
      fieldsEnd !== -1 &&
      this.#scanFields(bytes, fieldsStart, this.#plans[measurement]!, table) !== fieldsEnd
    )
      return -1;
    if (context.seen !== undefined && context.seen(ordinal)) {
      if (Number.isNaN(time)) return -1;
      this.#count.seen += 1;
      return at + 1;
    }
    const entry = this.#keys.find(measurement, bytes, sensorStart, sensorEnd, index, resolve, context);
    if (entry === -1 || index.gateway[entry] !== context.gateway) return -1;
    // NaN, which is no time, fails here too.
    if (!(time <= context.now + context.maxFuture && time >= context.now - context.maxAge)) return -1;
    const row = table.length;
    table.time[row] = time;
    table.series[row] = index.series[entry]!;
    table.commitRow(context.gateway);
    this.#added.add(measurement);
    this.#count.accepted += 1;
    return at + 1;
  }

  /** The time at `start`, milliseconds since 1970, which ends at `#values.end`; NaN: not plainly good. */
  #scanTime(bytes: Uint8Array, start: number): number {
    let at = start;
    if (bytes[at] === quote) {
      const last = textEnd(bytes, at + 1, bytes.length);
      if (last === -1) return Number.NaN;
      this.#values.end = last + 1;
      return this.#times.read(bytes, at + 1, last);
    }
    let time = 0;
    while (at < bytes.length && isDigit(bytes[at]!)) {
      time = time * 10 + (bytes[at]! - zero);
      at += 1;
    }
    this.#values.end = at;
    // 15 digits are exact, and milliseconds of the next 30,000 years. What follows, a fraction too, is no comma or brace.
    return at === start || at - start > 15 || bytes[start] === zero ? Number.NaN : time;
  }

  /** Fills the values of the table's next row. @returns Where the fields' object ends; -1: not plainly good. */
  #scanFields(bytes: Uint8Array, start: number, plan: MeasurementPlan, table: ReadingTable): number {
    const end = bytes.length;
    if (bytes[start] !== openBrace) return -1;
    const row = table.nextRow();
    const { values } = table;
    for (let i = 0; i < values.length; i += 1) values[i]![row] = Number.NaN;
    const scanned = this.#values;
    let at = start;
    let expected = 0;
    do {
      at = skipBlanks(bytes, at + 1, end);
      if (bytes[at] !== quote) return -1;
      const field = findField(plan, expected, bytes, at + 1, end);
      if (field === -1) return -1;
      expected = field + 1;
      at = valueAfter(bytes, at + 1 + plan.names[field]!.length, end);
      if (at === -1) return -1;
      const type = plan.types[field]!;
      const value = type === booleanField ? scanned.boolean(bytes, at) : scanned.number(bytes, at, end);
      // NaN, which is no value, fails here too.
      if (!(value >= plan.lows[field]! && value <= plan.highs[field]!)) return -1;
      if (type === integerField && !Number.isSafeInteger(value)) return -1;
      const column = values[field]!;
      if (!Number.isNaN(column[row]!)) return -1; // given twice
      column[row] = value;
      at = skipBlanks(bytes, scanned.end, end);
    } while (bytes[at] === comma);
    return bytes[at] === closeBrace ? at + 1 : -1;
  }
}

const encoder = new TextEncoder();
const readingsKey = encoder.encode('"readings"');
const measurementKey = encoder.encode('"measurement"');
const sensorKey = encoder.encode('"sensor"');
const timeKey = encoder.encode('"time"');
const fieldsKey = encoder.encode('"fields"');
const quote = 0x22;
const comma = 0x2c;
const zero = 0x30;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const openBrace = 0x7b;
const closeBrace = 0x7d;
