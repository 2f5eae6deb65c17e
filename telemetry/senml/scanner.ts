import type { Catalogue, Measurement } from "../catalogue.ts";
import type { DecodeContext, DecodeCount, ResolveSeries } from "../decode.ts";
import type { SeriesIndex } from "../line-protocol/series-index.ts";
import { AddedRows } from "../plain-json/added-rows.ts";
import {
  booleanField,
  findField,
  findMeasurement,
  integerField,
  type MeasurementPlan,
  planMeasurement,
} from "../plain-json/plans.ts";
import { SeriesKeys } from "../plain-json/series-keys.ts";
import { plainText, skipBlanks } from "../plain-json/values.ts";
import { convert } from "../units.ts";
import { decodeSenml } from "./decode.ts";
import { FieldUnits } from "./field-units.ts";
import type { SenmlNames } from "./names.ts";
import { OpenReadings } from "./open-readings.ts";
import { checkName, maxBaseUnitLength, maxNameLength, resolveTime } from "./pack.ts";
import { RecordScanner } from "./record-scanner.ts";

/**
 * SenML from bytes to columns, for rate: no object and no text for a record of a known series (tests/bench/formats.bench.ts: a fraction of
 * `JSON.parse` of the same bytes).
 *
 * It knows only the good way through a pack: names that are known, values (`v`, `vb`), times, units, and their base values, each once
 * in a record. At the first byte that is not plainly good, at a sum and at any other label, it takes its rows back,
 * and `decodeSenml` reads the pack from its beginning: there alone stand the order of checks and the reasons.
 */
export class SenmlScanner {
  readonly #plans: MeasurementPlan[] = [];
  /** By measurement and field. */
  readonly #units: FieldUnits[][] = [];
  readonly #keys = new SeriesKeys();
  readonly #added = new AddedRows();
  readonly #readings = new OpenReadings();
  readonly #count: DecodeCount = { accepted: 0, seen: 0, refused: 0 };
  readonly #records = new RecordScanner();
  readonly #base = this.#records.base;
  readonly #record = this.#records.record;
  /** The agency's. */
  #names: SenmlNames | undefined;
  /** A name that stands in two texts is put together here, with a quote behind it. */
  readonly #joined = new Uint8Array(maxNameLength + maxBaseUnitLength + 2);
  /** A device's own name: its record is a reading by itself. */
  #isAlone = false;
  /** What the record before was of: the entry in the series index, and the measurement and field by their index. */
  #entry = -1;
  #measurement = 0;
  #field = 0;
  /** The reading that took the record before, and what it is of. */
  #reading = -1;
  #readingEntry = -1;
  #readingTime = Number.NaN;

  /** @param catalogue  The one that the contexts' tables are made from. */
  constructor(catalogue: Catalogue) {
    this.addMeasurements(catalogue.measurements);
  }

  /** Measurements that were put behind those that it knows, in the catalogue and in the contexts' tables. */
  addMeasurements(measurements: readonly Measurement[]): void {
    this.#plans.push(...measurements.map(planMeasurement));
    this.#units.push(...measurements.map(({ fields }) => fields.map(({ unit }) => new FieldUnits(unit))));
    this.#keys.addMeasurements(measurements);
  }

  /**
   * Adds a pack's readings to the context's tables.
   * @param names  What the agency's devices call their fields.
   * @param index  The agency's known series; new ones are added. What `names` remembers is of this index: both are cleared together.
   * @returns Valid until the next call.
   */
  scan(
    bytes: Uint8Array,
    names: SenmlNames,
    index: SeriesIndex,
    resolve: ResolveSeries,
    context: DecodeContext,
  ): DecodeCount {
    const count = this.#count;
    count.accepted = 0;
    count.seen = 0;
    this.#added.clear();
    this.#readings.clear();
    this.#base.clear();
    this.#names = names;
    this.#reading = -1;
    this.#readingEntry = -1;
    if (this.#scanPack(bytes, index, resolve, context)) return count;
    this.#added.takeBack(context.tables);
    return decodeSenml(bytes, names, resolve, context);
  }

  /** @returns false: the pack is not plainly good. */
  #scanPack(bytes: Uint8Array, index: SeriesIndex, resolve: ResolveSeries, context: DecodeContext): boolean {
    const end = bytes.length;
    let at = skipBlanks(bytes, 0, end);
    if (bytes[at] !== openBracket) return false;
    do {
      at = this.#records.scan(bytes, skipBlanks(bytes, at + 1, end));
      if (at === -1) return false;
      if (this.#record.isReading && !this.#takeRecord(bytes, index, resolve, context)) return false;
      at = skipBlanks(bytes, at, end);
    } while (bytes[at] === comma);
    return bytes[at] === closeBracket && skipBlanks(bytes, at + 1, end) === end;
  }

  /** Puts the record into its reading, which is opened by its first. @returns false: it is not plainly good. */
  #takeRecord(
    bytes: Uint8Array,
    index: SeriesIndex,
    resolve: ResolveSeries,
    context: DecodeContext,
  ): boolean {
    const record = this.#record;
    const base = this.#base;
    if (!this.#findName(bytes, index, resolve, context)) return false;
    const measurement = this.#measurement;
    const field = this.#field;
    const plan = this.#plans[measurement]!;
    const type = plan.types[field]!;
    if (record.isBoolean !== (type === booleanField)) return false;
    let { value } = record;
    if (!record.isBoolean) value += base.value;
    const unit = record.unitStart === -1 ? base : record;
    if (unit.unitStart !== -1) {
      const conversion = this.#units[measurement]![field]!.find(bytes, unit.unitStart, unit.unitEnd);
      if (conversion === undefined) return false;
      if (!record.isBoolean) value = convert(value, conversion);
    }
    // NaN, which is no value, fails here too.
    if (!(value >= plan.lows[field]! && value <= plan.highs[field]!)) return false;
    if (type === integerField && !Number.isSafeInteger(value)) return false;
    const time = resolveTime(Number.isNaN(record.time) ? undefined : record.time, base.time, context.now);
    if (this.#isAlone || time !== this.#readingTime || this.#entry !== this.#readingEntry) {
      if (!this.#openReading(this.#entry, time, index, context)) return false;
    }
    const row = this.#readings.row[this.#reading]!;
    if (row !== -1) context.tables[measurement]!.values[field]![row] = value;
    return true;
  }

  /** What the record's name stands for, into `#entry`, `#measurement` and `#field`. */
  #findName(bytes: Uint8Array, index: SeriesIndex, resolve: ResolveSeries, context: DecodeContext): boolean {
    const { nameStart, nameEnd } = this.#record;
    const base = this.#base;
    this.#isAlone = false;
    if (base.isPrefix) {
      if (
        base.isNew &&
        !this.#findSeries(bytes, base.nameStart, base.slash, base.nameEnd - 1, index, resolve, context)
      )
        return false;
      base.isNew = false;
      this.#field = findField(
        this.#plans[this.#measurement]!,
        this.#field + 1,
        bytes,
        nameStart,
        nameEnd + 1,
      );
      return nameStart !== -1 && this.#field !== -1;
    }
    // A base name that is the whole name: a history of one field.
    if (!base.isNew && nameStart === -1) return true;
    base.isNew = nameStart !== -1;
    const joined = this.#joined;
    let length = 0;
    for (let at = base.nameStart; at < base.nameEnd; at += 1) joined[length++] = bytes[at]!;
    for (let at = nameStart; at < nameEnd; at += 1) joined[length++] = bytes[at]!;
    if (length > maxNameLength) return false;
    joined[length] = quote;
    let slashes = 0;
    let first = 0;
    let second = 0;
    for (let at = 0; at < length; at += 1) {
      if (joined[at] !== slash) continue;
      slashes += 1;
      if (slashes === 1) first = at;
      else second = at;
    }
    if (slashes !== 2) return this.#findDeviceField(bytes, length, index, resolve, context);
    if (!this.#findSeries(joined, 0, first, second, index, resolve, context)) return false;
    this.#field = findField(this.#plans[this.#measurement]!, 0, joined, second + 1, length + 1);
    return this.#field !== -1;
  }

  /** What a device's own name in `#joined` stands for, in a record of this unit; the same results. @param length  Of the name. */
  #findDeviceField(
    bytes: Uint8Array,
    length: number,
    index: SeriesIndex,
    resolve: ResolveSeries,
    context: DecodeContext,
  ): boolean {
    const base = this.#base;
    const { unitStart, unitEnd } = this.#record.unitStart === -1 ? base : this.#record;
    if (unitEnd - unitStart > maxBaseUnitLength) return false;
    const key = this.#joined;
    // name" without a unit, name""unit with one: no name and no plain text has a quote.
    let keyLength = length + 1;
    if (unitStart !== -1) key[keyLength++] = quote;
    for (let at = unitStart; at < unitEnd; at += 1) key[keyLength++] = bytes[at]!;
    const names = this.#names!;
    const { deviceFields } = names;
    if (!deviceFields.find(key, keyLength)) {
      const name = plainText(key, 0, length);
      const unit = unitStart === -1 ? undefined : plainText(bytes, unitStart, unitEnd);
      const found = checkName(name) ?? names.findDeviceName(name, unit, resolve, context);
      if ("reason" in found || found.field === -1) return false;
      const { measurement, sensor } = found.series;
      const id = encoder.encode(sensor);
      const entry = this.#keys.find(measurement, id, 0, id.length, index, resolve, context);
      if (entry === -1) return false;
      deviceFields.add(key, keyLength, entry, found.field);
    }
    this.#entry = deviceFields.entry;
    this.#field = deviceFields.field;
    this.#measurement = index.measurement[this.#entry]!;
    this.#isAlone = true;
    // Another unit may mean another field.
    base.isNew = true;
    return index.gateway[this.#entry] === context.gateway;
  }

  /** @param start  Of `SENSOR/MEASUREMENT`, whose slash is at `slashAt`. */
  #findSeries(
    bytes: Uint8Array,
    start: number,
    slashAt: number,
    end: number,
    index: SeriesIndex,
    resolve: ResolveSeries,
    context: DecodeContext,
  ): boolean {
    const measurement = findMeasurement(this.#plans, this.#measurement, bytes, slashAt + 1, end);
    if (measurement === -1) return false;
    this.#measurement = measurement;
    this.#field = -1;
    this.#entry = this.#keys.find(measurement, bytes, start, slashAt, index, resolve, context);
    return this.#entry !== -1 && index.gateway[this.#entry] === context.gateway;
  }

  /** The reading of that series and time, into `#reading`: one of before, or a new one. @returns false: its time is out of bounds. */
  #openReading(entry: number, time: number, index: SeriesIndex, context: DecodeContext): boolean {
    const readings = this.#readings;
    this.#readingEntry = this.#isAlone ? -1 : entry;
    this.#readingTime = time;
    this.#reading = this.#isAlone ? -1 : readings.find(entry, time);
    if (this.#reading !== -1) return true;
    // NaN, which is no time, fails here too.
    if (!(time <= context.now + context.maxFuture && time >= context.now - context.maxAge)) return false;
    if (context.seen !== undefined && context.seen(readings.size)) {
      this.#reading = this.#isAlone ? readings.addAlone(-1) : readings.add(entry, time, -1);
      this.#count.seen += 1;
      return true;
    }
    const table = context.tables[this.#measurement]!;
    const row = table.nextRow();
    for (let i = 0; i < table.values.length; i += 1) table.values[i]![row] = Number.NaN;
    table.time[row] = time;
    table.series[row] = index.series[entry]!;
    table.commitRow(context.gateway);
    this.#added.add(this.#measurement);
    this.#reading = this.#isAlone ? readings.addAlone(row) : readings.add(entry, time, row);
    this.#count.accepted += 1;
    return true;
  }
}

const encoder = new TextEncoder();
const quote = 0x22;
const comma = 0x2c;
const slash = 0x2f;
const openBracket = 0x5b;
const closeBracket = 0x5d;
