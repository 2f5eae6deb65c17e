import type { Catalogue } from "#telemetry/catalogue.ts";
import { SensorId } from "#telemetry/names.ts";
import { slug } from "./slug.ts";

/** One `--map`: a column of the file becomes a field of a sensor's measurement. */
export interface ColumnMap {
  readonly measurement: string;
  readonly field: string;
  readonly column: string;
  readonly sensor: string;
}

export type ParsedMap =
  | { readonly ok: true; readonly map: ColumnMap }
  | { readonly ok: false; readonly detail: string };

/**
 * `traffic_flow.vehicles=traffic_volume@i94` -> its parts. A column may hold `=` and `@`; what follows the last `@` is the sensor, if it
 * can be an id. Without one the sensor is named after the column.
 */
export function parseMap(text: string, catalogue: Catalogue): ParsedMap {
  const [, measurement = "", field = "", rest = ""] = /^([^.=]+)\.([^.=]+)=(.+)$/s.exec(text) ?? [];
  if (rest === "")
    return refuse(text, "expected MEASUREMENT.FIELD=COLUMN or MEASUREMENT.FIELD=COLUMN@SENSOR");
  const index = catalogue.indexOf(measurement);
  const known = index === undefined ? undefined : catalogue.measurements[index];
  if (known === undefined) {
    const names = catalogue.measurements.map(({ name }) => name).join(", ");
    return refuse(text, `there is no measurement "${measurement}"; known are ${names}`);
  }
  if (!known.fields.some(({ name }) => name === field)) {
    const names = known.fields.map(({ name }) => name).join(", ");
    return refuse(text, `${measurement} has no field "${field}"; it has ${names}`);
  }
  const at = rest.lastIndexOf("@");
  const named = at > 0 ? SensorId.safeParse(rest.slice(at + 1)) : undefined;
  if (named?.success)
    return { ok: true, map: { measurement, field, column: rest.slice(0, at), sensor: named.data } };
  const sensor = slug(rest);
  if (sensor === "") return refuse(text, `no sensor can be named after the column "${rest}": add @SENSOR`);
  return { ok: true, map: { measurement, field, column: rest, sensor } };
}

function refuse(text: string, detail: string): ParsedMap {
  return { ok: false, detail: `--map ${text}: ${detail}` };
}
