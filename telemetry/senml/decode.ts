import { checkField, checkOwner, checkTime, problem, quoted } from "../check.ts";
import type { Problem } from "../check.ts";
import type { Field, Measurement } from "../catalogue.ts";
import type { DecodeContext, DecodeCount, ResolveSeries } from "../decode.ts";
import { parseJson } from "../json.ts";
import { convert } from "../units.ts";
import { type NamedField, type NamedSeries, type SenmlNames, spelledOut } from "./names.ts";
import { checkName, formatPack, resolvePack, type SenmlRecord } from "./pack.ts";
import { fieldConversion, sumConversion } from "./units.ts";

/**
 * SenML JSON of `up/senml` (RFC 8428), a pack of records:
 *
 *     [{"bn":"tf-012/traffic_flow/","bt":1763860000,"n":"vehicles","u":"count","v":31},{"n":"speed_avg","u":"km/h","v":48.2}]
 *
 * `resolvePack` says what refuses a pack, which then is one refused reading; `SenmlNames` what a name stands for. Records named
 * `SENSOR/MEASUREMENT/FIELD` with sensor, measurement and time in common are **one reading**; any other record is one by itself, and the store
 * joins those of one time. So how many readings a pack has does not depend on what is registered.
 *
 * A value goes to its field, converted to the field's unit. A sum goes to the counter that is the field's integral (the catalogue's `integral_of`), or to
 * the field if that is a counter. The first thing wrong in a reading, in this order, is the reason: the series; each record (`syntax`, `wrong-type`),
 * its field, unit (`wrong-unit`) and value; the time.
 *
 * A rejection's bytes are the refused reading's records, resolved: a pack whose times no longer depend on when it is read.
 */
export function decodeSenml(
  bytes: Uint8Array,
  names: SenmlNames,
  resolve: ResolveSeries,
  context: DecodeContext,
): DecodeCount {
  const count: DecodeCount = { accepted: 0, seen: 0, refused: 0 };
  const json = parseJson(bytes);
  const records = json.ok ? resolvePack(json.value, context.now) : json;
  if ("reason" in records) {
    const { reason, detail } = records;
    context.reject({ reason, detail, start: 0, end: bytes.length, ordinal: 0 });
    count.refused = 1;
    return count;
  }
  for (const [ordinal, reading] of gather(records, names, resolve, context).entries()) {
    if (context.seen?.(ordinal) === true) {
      count.seen += 1;
      continue;
    }
    const refused = reading.problem ?? readTime(reading, context);
    if (refused || reading.series === undefined) {
      context.reject(rejection(reading, refused!, ordinal));
      count.refused += 1;
    } else {
      addRow(reading.series, reading, context);
      count.accepted += 1;
    }
  }
  return count;
}

/** Records that are one reading. */
interface OpenReading {
  readonly series: NamedSeries | undefined;
  readonly time: number;
  readonly records: SenmlRecord[];
  /** By the field's index; NaN = absent. */
  readonly values: number[];
  problem: Problem | undefined;
}

/** The pack's readings, in the order of their first records. */
function gather(
  records: readonly SenmlRecord[],
  names: SenmlNames,
  resolve: ResolveSeries,
  context: DecodeContext,
): OpenReading[] {
  const readings: OpenReading[] = [];
  /** By series, or `SENSOR/MEASUREMENT` where there is none; then by time. */
  const shared = new Map<NamedSeries | string, Map<number, OpenReading>>();
  let last: OpenReading | undefined;
  for (const record of records) {
    const { baseName, ownName, time, unit } = record;
    let named: NamedField | Problem | undefined = names.known(baseName, ownName);
    let group: NamedSeries | string | undefined = named?.series;
    if (named === undefined) {
      const name = baseName + ownName;
      const prefixEnd = spelledOut(name);
      if (prefixEnd !== -1) {
        named = names.find(baseName, ownName, prefixEnd, resolve, context);
        group = "reason" in named ? name.slice(0, prefixEnd) : named.series;
      } else {
        named = record.problem ?? checkName(name) ?? names.findDeviceName(name, unit, resolve, context);
      }
    }
    let reading: OpenReading | undefined;
    if (group === undefined || Number.isNaN(time)) {
      reading = open(named, time, context);
      readings.push(reading);
    } else if (last !== undefined && last.series === group && last.time === time) reading = last;
    else {
      const ofSeries = shared.get(group);
      reading = ofSeries?.get(time);
      if (reading === undefined) {
        reading = open(named, time, context);
        readings.push(reading);
        if (ofSeries) ofSeries.set(time, reading);
        else shared.set(group, new Map([[time, reading]]));
      }
      last = reading;
    }
    reading.records.push(record);
    reading.problem ??= "reason" in named ? named : takeRecord(record, named, reading, context);
  }
  return readings;
}

function open(named: NamedField | Problem, time: number, context: DecodeContext): OpenReading {
  if ("reason" in named) return { series: undefined, time, records: [], values: [], problem: named };
  const { series } = named;
  const { length } = context.tables[series.measurement]!.values;
  const values: number[] = [];
  for (let i = 0; i < length; i += 1) values.push(Number.NaN);
  return { series, time, records: [], values, problem: checkOwner(series.handle, series.sensor, context) };
}

/** Puts a record's value and sum into its reading. */
function takeRecord(
  record: SenmlRecord,
  named: NamedField,
  reading: OpenReading,
  context: DecodeContext,
): Problem | undefined {
  if (record.problem) return record.problem;
  const { measurement } = context.tables[named.series.measurement]!;
  const field = measurement.fields[named.field];
  if (field === undefined) {
    return problem("unknown-field", `${measurement.name} has no field ${quoted(named.fieldName)}`);
  }
  const { unit, value, sum } = record;
  if (value !== undefined) {
    let { conversion } = named;
    if (conversion === undefined || named.unit !== unit) {
      conversion = fieldConversion(unit, field.unit);
      if (conversion === undefined) return wrongUnit(field.name, field.unit, unit!);
      named.unit = unit;
      named.conversion = conversion;
    }
    const checked = checkField(field, typeof value === "number" ? convert(value, conversion) : value);
    if (typeof checked !== "number") return checked;
    reading.values[named.field] = checked;
  }
  return sum === undefined ? undefined : takeSum(sum, unit, field, reading, measurement);
}

/** Puts a sum into its reading: at the counter that is the field's integral. */
function takeSum(
  sum: number,
  unit: string | undefined,
  field: Field,
  reading: OpenReading,
  measurement: Measurement,
): Problem | undefined {
  const at = measurement.fields.findIndex(({ name, kind, integral_of }) =>
    field.kind === "counter" ? name === field.name : kind === "counter" && integral_of === field.name,
  );
  const counter = measurement.fields[at];
  if (counter === undefined) {
    return problem("unknown-field", `${measurement.name} has no counter for a sum of ${field.name}`);
  }
  const conversion = sumConversion(unit, counter === field ? undefined : field.unit, counter.unit);
  if (conversion === undefined) return wrongUnit(counter.name, counter.unit, `${unit ?? field.unit}.s`);
  const checked = checkField(counter, convert(sum, conversion));
  if (typeof checked !== "number") return checked;
  reading.values[at] = checked;
  return undefined;
}

function wrongUnit(field: string, wanted: string, given: string): Problem {
  return problem("wrong-unit", `${field} is in ${wanted}, which ${quoted(given)} does not become`);
}

function readTime({ time, records }: OpenReading, context: DecodeContext): Problem | undefined {
  if (!Number.isNaN(time)) return checkTime(time, context);
  return problem(
    "syntax",
    `${quoted(JSON.stringify(records[0]?.source["t"]))} is no time: seconds, a number`,
  );
}

function addRow(series: NamedSeries, { time, values }: OpenReading, context: DecodeContext): void {
  const table = context.tables[series.measurement]!;
  const row = table.nextRow();
  table.time[row] = time;
  table.series[row] = series.handle.series;
  for (let i = 0; i < values.length; i += 1) table.values[i]![row] = values[i]!;
  table.commitRow(context.gateway);
}

const encoder = new TextEncoder();

function rejection({ records }: OpenReading, { reason, detail }: Problem, ordinal: number) {
  return { reason, detail, start: 0, end: 0, ordinal, bytes: encoder.encode(formatPack(records)) };
}
