import { type Catalogue, type Field, type Measurement } from "#telemetry/catalogue.ts";
import { type Conversion, conversion } from "#telemetry/units.ts";
import { nearest } from "#runtime/config-schema.ts";
import { scaler } from "./scaling.ts";

/** One field as an input fills it. */
export interface FieldPlan {
  readonly field: Field;
  /** The device's own number as a value in the field's unit. */
  readonly scale: (raw: number) => number;
}

/** How a field of a measurement is written in a configuration. */
interface FieldSettings {
  readonly scale: number;
  readonly offset: number;
  readonly unit?: string | undefined;
}

/** As people write units, and UCUM's code for them. */
const spellings: Readonly<Record<string, string>> = {
  "°C": "Cel",
  degC: "Cel",
  "°F": "[degF]",
  degF: "[degF]",
  kWh: "kW.h",
  Wh: "W.h",
  MWh: "MW.h",
  "m³": "m3",
  "m³/h": "m3/h",
  "l/s": "L/s",
  lps: "L/s",
  "l/min": "L/min",
  psi: "[psi]",
  ppm: "[ppm]",
  gpm: "[gal_us]/min",
  "µS/cm": "uS/cm",
  "μS/cm": "uS/cm",
  "µg/m3": "ug/m3",
  "µg/m³": "ug/m3",
  NTU: "{NTU}",
  pH: "[pH]",
};

/** Units that devices use, to choose from in an error. */
const common = [
  "L/s m3/h m3/s L/min L/h [gal_us]/min m3 L [gal_us]",
  "kPa Pa bar mbar MPa [psi] m cm mm t kg Cel [degF] K",
  "kW W MW kW.h W.h MW.h V mV kV A mA Hz W/m2 kW/m2",
  "km/h m/s s ms min h 1 % mg/L ug/L ug/m3 mg/m3 uS/cm mS/cm S/m",
].flatMap((line) => line.split(" "));

export type Planned<Plan> =
  | { readonly ok: true; readonly plan: Plan }
  /** Each begins with the key it is about: `fields.flow.unit: …`. */
  | { readonly ok: false; readonly problems: readonly string[] };

/** The measurement called `name`. */
export function planMeasurement(name: string, catalogue: Catalogue): Planned<Measurement> {
  const index = catalogue.indexOf(name);
  if (index !== undefined) return { ok: true, plan: catalogue.measurements[index]! };
  const names = catalogue.measurements.map((measurement) => measurement.name);
  const problem = `measurement: the catalogue has no "${name}"${hint(name, names)}; a city's own measurements stand in the folder that \`catalogue\` names`;
  return { ok: false, problems: [problem] };
}

/** A field of `measurement` with its unit settled. */
export function planField(
  name: string,
  settings: FieldSettings,
  measurement: Measurement,
): Planned<FieldPlan> {
  const field = measurement.fields.find((known) => known.name === name);
  if (field === undefined) {
    const names = measurement.fields.map((known) => known.name);
    return {
      ok: false,
      problems: [`fields.${name}: ${measurement.name} has no such field${hint(name, names)}`],
    };
  }
  const found = conversionOf(settings.unit, field);
  if (typeof found === "string") return { ok: false, problems: [`fields.${name}.unit: ${found}`] };
  const { scale, offset } = settings;
  return { ok: true, plan: { field, scale: scaler({ scale, offset, conversion: found }) } };
}

/** @returns what is wrong, as a text */
function conversionOf(written: string | undefined, field: Field): Conversion | string {
  const convertible = common.filter((unit) => conversion(unit, field.unit) !== undefined);
  const choice = convertible.length > 1 ? `write one of ${convertible.join(", ")}` : `write ${field.unit}`;
  if (written === undefined) {
    if (field.unit === "1") return conversion("1", "1")!;
    return `in which unit does the device show it? For ${field.name} ${choice}`;
  }
  const unit = Object.hasOwn(spellings, written) ? spellings[written]! : written;
  return (
    conversion(unit, field.unit) ??
    `"${written}" does not become ${field.unit}, the unit of ${field.name}: ${choice}`
  );
}

function hint(name: string, names: readonly string[]): string {
  const meant = nearest(name, names);
  return meant === undefined ? `; it has ${names.join(", ")}` : `; did you mean ${meant}?`;
}

/** A value as line protocol spells it for its field's type; undefined if it is none. */
export function spell(value: number, { type }: Field): string | undefined {
  if (!Number.isFinite(value)) return undefined;
  if (type === "boolean") return value === 0 ? "false" : "true";
  return type === "integer" && Number.isSafeInteger(value) ? `${value}i` : String(value);
}
