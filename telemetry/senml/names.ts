import { checkMeasurement, checkSensor, problem, quoted } from "../check.ts";
import type { Problem } from "../check.ts";
import type { DecodeContext, ResolveSeries, SeriesHandle } from "../decode.ts";
import { maxSensorIdLength } from "../names.ts";
import type { Conversion } from "../units.ts";
import { DeviceFields } from "./device-fields.ts";

/** What a registered sensor's device calls its fields: its attribute `senml`. Undefined: no such sensor. */
export type DeviceNames = (sensor: string) => Readonly<Record<string, string>> | undefined;

/** One sensor's readings of one measurement. */
export interface NamedSeries {
  /** The measurement's index in the catalogue. */
  readonly measurement: number;
  readonly sensor: string;
  readonly handle: SeriesHandle;
}

/** What a name stands for. */
export interface NamedField {
  readonly series: NamedSeries;
  /** The field's index in its measurement; -1: it has none of that name. */
  readonly field: number;
  readonly fieldName: string;
  /** The unit of the record before, and what makes it the field's. */
  unit: string | undefined;
  conversion: Conversion | undefined;
}

/** A device's own name for something: which sensor it is of, and what its units make of it, as `SENSOR/MEASUREMENT/FIELD`. */
interface DeviceName {
  readonly sensor: string;
  readonly rest: string;
  /** By unit; "" without one. */
  readonly byUnit: ReadonlyMap<string, string>;
  /** For any other unit. */
  readonly otherwise: string | undefined;
}

/** Between a sensor's id and what follows in a name: `urn:dev:ow:10e2073a01080063:voltage`, `2001:db8::2/temperature`. */
const separators: ReadonlySet<string> = new Set("/:._");

/**
 * The names of an agency's SenML records.
 *
 * A name with two slashes is `SENSOR/MEASUREMENT/FIELD`. In any other the longest beginning that is a registered sensor's id names the sensor, and what
 * follows the separator is looked up in that sensor's attribute `senml`: with the record's unit (`[Cel]`, `voltage[V]`), then without.
 *
 * What it remembers is bounded by what is registered, whatever is sent.
 */
export class SenmlNames {
  readonly #devices: DeviceNames;
  /** By spelled-out name. */
  readonly #fields = new Map<string, NamedField>();
  /** The same by base name and own name, as packs bring them: no text is joined, and none hashed but the own name. */
  readonly #byBase = new Map<string, Map<string, NamedField>>();
  #lastBase = "";
  #ofLastBase: ReadonlyMap<string, NamedField> = new Map();
  readonly #series = new Map<string, NamedSeries>();
  readonly #deviceNames = new Map<string, DeviceName>();
  /** The same by their bytes, with the unit: for the scanner, which adds to it. */
  readonly deviceFields = new DeviceFields();

  constructor(devices: DeviceNames) {
    this.#devices = devices;
  }

  /** Sensors came, moved or went, or are called otherwise. */
  clear(): void {
    this.#fields.clear();
    this.#byBase.clear();
    this.#ofLastBase = new Map();
    this.#series.clear();
    this.#deviceNames.clear();
    this.deviceFields.clear();
  }

  /** A spelled-out name that was found before. */
  known(base: string, own: string): NamedField | undefined {
    if (base !== this.#lastBase) {
      this.#lastBase = base;
      this.#ofLastBase = this.#byBase.get(base) ?? new Map();
    }
    return this.#ofLastBase.get(own);
  }

  /** What a spelled-out name stands for; `prefixEnd` is where its last slash is. */
  find(
    base: string,
    own: string,
    prefixEnd: number,
    resolve: ResolveSeries,
    context: DecodeContext,
  ): NamedField | Problem {
    const found = this.#find(base + own, prefixEnd, resolve, context);
    if ("reason" in found || found.field === -1) return found;
    const ofBase = this.#byBase.get(base) ?? new Map<string, NamedField>();
    this.#byBase.set(base, ofBase.set(own, found));
    this.#lastBase = base;
    this.#ofLastBase = ofBase;
    return found;
  }

  #find(
    name: string,
    prefixEnd: number,
    resolve: ResolveSeries,
    context: DecodeContext,
  ): NamedField | Problem {
    const known = this.#fields.get(name);
    if (known !== undefined) return known;
    const series = this.#findSeries(name.slice(0, prefixEnd), resolve, context);
    if ("reason" in series) return series;
    const fieldName = name.slice(prefixEnd + 1);
    const { fields } = context.tables[series.measurement]!.measurement;
    const field = fields.findIndex((candidate) => candidate.name === fieldName);
    const found = { series, field, fieldName, unit: undefined, conversion: undefined };
    if (field !== -1) this.#fields.set(name, found);
    return found;
  }

  /** What a device's own name stands for, in a record of this unit. */
  findDeviceName(
    name: string,
    unit: string | undefined,
    resolve: ResolveSeries,
    context: DecodeContext,
  ): NamedField | Problem {
    const device = this.#deviceNames.get(name) ?? this.#findDevice(name);
    if (device === undefined) {
      return problem(
        "unknown-sensor",
        `no sensor is registered under ${quoted(name)} or a beginning of it: send a birth that names it`,
      );
    }
    const spelled = device.byUnit.get(unit ?? "") ?? device.otherwise;
    if (spelled !== undefined) return this.#find(spelled, spelled.lastIndexOf("/"), resolve, context);
    const called = unit === undefined ? device.rest : `${device.rest}[${unit}]`;
    return problem(
      "unknown-field",
      `the attribute senml of the sensor ${device.sensor} does not say what ${quoted(called)} is; or send SENSOR/MEASUREMENT/FIELD`,
    );
  }

  #findDevice(name: string): DeviceName | undefined {
    // A longer one is nobody's id: of a pack of 250 kB each record may have a name of 255 characters that nobody knows, with a separator at every other.
    for (let end = Math.min(name.length, maxSensorIdLength); end > 0; end -= 1) {
      if (end < name.length && !separators.has(name[end]!)) continue;
      const sensor = name.slice(0, end);
      const names = this.#devices(sensor);
      if (names === undefined) continue;
      const rest = name.slice(end + 1);
      const byUnit = new Map<string, string>();
      let otherwise: string | undefined;
      for (const [key, target] of Object.entries(names)) {
        const spelled = `${sensor}/${target.replace(".", "/")}`;
        if (key === rest) otherwise = spelled;
        else if (key.startsWith(`${rest}[`)) byUnit.set(key.slice(rest.length + 1, -1), spelled);
      }
      const device = { sensor, rest, byUnit, otherwise };
      if (otherwise !== undefined || byUnit.size > 0) this.#deviceNames.set(name, device);
      return device;
    }
    return undefined;
  }

  /** @param key  `SENSOR/MEASUREMENT` */
  #findSeries(key: string, resolve: ResolveSeries, context: DecodeContext): NamedSeries | Problem {
    const known = this.#series.get(key);
    if (known !== undefined) return known;
    const [sensor, name] = key.split("/") as [string, string];
    const measurement = checkMeasurement(name, context);
    if (typeof measurement !== "number") return measurement;
    const handle = checkSensor(name, sensor, resolve);
    if ("reason" in handle) return handle;
    const series = { measurement, sensor, handle };
    this.#series.set(key, series);
    return series;
  }
}

/** Where the last of exactly two slashes is; -1 for any other name. */
export function spelledOut(name: string): number {
  const first = name.indexOf("/");
  if (first === -1) return -1;
  const second = name.indexOf("/", first + 1);
  return second !== -1 && !name.includes("/", second + 1) ? second : -1;
}
