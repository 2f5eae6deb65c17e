import { z } from "zod";
import { resultNames } from "./result-names.ts";

export const fieldTypes = ["float", "integer", "boolean"] as const;
export type FieldType = (typeof fieldTypes)[number];

/** Columns that every store adds by itself, and the tags that come from the registry: no field is named so. */
export const tagNames = [
  "agency",
  "municipality",
  "district",
  "site",
  "gateway",
  "sensor",
  "role",
  "commodity",
  "lane",
  "corridor",
  "dma",
] as const;
export type TagName = (typeof tagNames)[number];
const reservedFields: ReadonlySet<string> = new Set(["time", "series", ...tagNames]);

/** Measurements that the platform's own jobs write; no catalogue file may define them. */
const reservedMeasurements: ReadonlySet<string> = new Set(resultNames);

/** Lowest and highest, both inclusive; null = no bound. */
export const Range = z
  .tuple([z.number().nullable(), z.number().nullable()])
  .refine(
    ([low, high]) => low === null || high === null || low <= high,
    "the lower bound is above the upper one",
  );
export type Range = z.infer<typeof Range>;

const Name = z
  .string()
  .regex(/^[a-z][a-z0-9_]{0,62}$/, "a lower-case letter, then lower-case letters, digits and _, at most 63");
const Title = z.strictObject({ en: z.string().min(1), ar: z.string().min(1) });

export const Field = z
  .strictObject({
    name: Name.refine((name) => !reservedFields.has(name), {
      error: ({ input }) => `"${String(input)}" is reserved: it is a tag or a column of every reading`,
    }),
    type: z.enum(fieldTypes).default("float"),
    /** A level, an amount over the sensor's window, or a total that only rises. */
    kind: z.enum(["gauge", "delta", "counter"]).default("gauge"),
    /** A UCUM code. */
    unit: z.string().min(1),
    /** The delta of the same reading that a mean over several is weighted by. */
    weighted_by: Name.optional(),
    /** 0 or 1, something is or is not: where readings are averaged the last one counts. */
    state: z.literal(true).optional(),
    /** Outside: refused (`out-of-range`). */
    physical: Range,
    /** Outside: stored, and suspect when read; see `plausibleRange`. */
    plausible: Range,
    /** Where the plausible range is a share around an attribute of the sensor: 0.15 = 15 % on both sides. */
    plausible_around: z
      .strictObject({ attribute: z.enum(["nominal_v"]), share: z.number().positive() })
      .optional(),
    /** Of a counter: the field whose integral over time it is. A sum of that field (SenML) goes here. */
    integral_of: Name.optional(),
    title: Title,
  })
  .refine((field) => field.integral_of === undefined || field.kind === "counter", {
    path: ["integral_of"],
    error: "only a counter is an integral",
  })
  .refine((field) => field.kind === "gauge" || (field.physical[0] ?? -1) >= 0, {
    path: ["physical"],
    error: "a counter or delta is never negative: give a lower bound of 0 or more",
  })
  .refine((field) => within(field.plausible, field.physical), {
    path: ["plausible"],
    error: "the plausible range leaves the physical one",
  });
export type Field = z.infer<typeof Field>;

export const Measurement = z.strictObject({
  name: Name.refine((name) => !reservedMeasurements.has(name), {
    error: ({ input }) => `"${String(input)}" is reserved: the platform's own jobs write it`,
  }),
  domain: Name,
  title: Title,
  /** Seconds between a sensor's readings, usually. */
  period_s: z.number().positive(),
  seasons: z.array(z.enum(["day", "week"])),
  /** Which direction of change is bad. */
  bad: z.enum(["up", "down", "both", "none"]),
  fields: z
    .array(Field)
    .min(1)
    .max(64)
    .superRefine((fields, context) => {
      for (const [at, { weighted_by: weight }] of fields.entries()) {
        if (weight === undefined || fields.some(({ name, kind }) => name === weight && kind === "delta"))
          continue;
        const message = `"${weight}" is no delta of this measurement`;
        context.addIssue({ code: "custom", path: [at, "weighted_by"], message });
      }
      for (const { name, at } of repeated(fields)) {
        context.addIssue({
          code: "custom",
          path: [at, "name"],
          message: `the field "${name}" is given twice`,
        });
      }
      const integrated = new Set<string>();
      for (const [at, { integral_of: summed }] of fields.entries()) {
        if (summed === undefined) continue;
        const isField = fields.some(({ name, kind }) => name === summed && kind === "gauge");
        if (!isField || integrated.has(summed)) {
          const why = isField ? "has another counter already" : "is no gauge of this measurement";
          context.addIssue({ code: "custom", path: [at, "integral_of"], message: `"${summed}" ${why}` });
        }
        integrated.add(summed);
      }
    }),
});
export type Measurement = z.infer<typeof Measurement>;

/** A file in `catalogue.d/`. */
export const CatalogueFile = z.strictObject({ measurements: z.array(Measurement).min(1) });

/** The measurements a city knows, by index and by name. Frozen once made. */
export interface Catalogue {
  readonly measurements: readonly Measurement[];
  indexOf(name: string): number | undefined;
}

/** @throws RangeError when two measurements have one name. */
export function makeCatalogue(measurements: readonly Measurement[]): Catalogue {
  const byName = new Map(measurements.map((measurement, index) => [measurement.name, index]));
  for (const { name } of repeated(measurements))
    throw new RangeError(`the measurement "${name}" is given twice`);
  return Object.freeze({
    measurements: Object.freeze([...measurements]),
    indexOf: (name: string) => byName.get(name),
  });
}

/** `problems` are sentences that begin with file and key: `parking.yaml: measurements[0].fields[1].unit: …`. */
export type MergedCatalogue =
  | { readonly ok: true; readonly catalogue: Catalogue }
  | { readonly ok: false; readonly problems: readonly string[] };

/** The base, then the measurements of `documents` (parsed `catalogue.d/*.yaml`) in their order; none may be defined twice. */
export function mergeCatalogue(
  base: Catalogue,
  documents: readonly { readonly file: string; readonly document: unknown }[],
): MergedCatalogue {
  const measurements = [...base.measurements];
  const definedIn = new Map(measurements.map(({ name }) => [name, "the built-in catalogue"]));
  const problems: string[] = [];
  for (const { file, document } of documents) {
    const parsed = CatalogueFile.safeParse(document);
    if (!parsed.success) {
      problems.push(
        ...parsed.error.issues.map(({ path, message }) => `${file}: ${keyPath(path)}: ${message}`),
      );
      continue;
    }
    for (const [index, measurement] of parsed.data.measurements.entries()) {
      const elsewhere = definedIn.get(measurement.name);
      if (elsewhere === undefined) {
        measurements.push(measurement);
        definedIn.set(measurement.name, file);
      } else {
        problems.push(
          `${file}: measurements[${index}].name: "${measurement.name}" is already defined in ${elsewhere}`,
        );
      }
    }
  }
  return problems.length > 0 ? { ok: false, problems } : { ok: true, catalogue: makeCatalogue(measurements) };
}

/** What a catalogue that was read again brings to the one that is in use. */
export interface ExtendedCatalogue {
  /** The one in use with the new measurements behind its own, which keep their indices. */
  readonly catalogue: Catalogue;
  readonly added: readonly Measurement[];
  /** Names of measurements that are others now, or gone: those in use stay until a restart. */
  readonly changed: readonly string[];
  readonly removed: readonly string[];
}

/** What can be taken over from `next` while `current` is in use: new measurements. */
export function extendCatalogue(current: Catalogue, next: Catalogue): ExtendedCatalogue {
  const named = (catalogue: Catalogue, name: string): Measurement | undefined =>
    catalogue.measurements[catalogue.indexOf(name) ?? -1];
  const added = next.measurements.filter(({ name }) => named(current, name) === undefined);
  const removed = current.measurements.filter(({ name }) => named(next, name) === undefined);
  const changed = current.measurements.filter((measurement) => {
    const now = named(next, measurement.name);
    return now !== undefined && JSON.stringify(now) !== JSON.stringify(measurement);
  });
  return {
    catalogue: added.length === 0 ? current : makeCatalogue([...current.measurements, ...added]),
    added,
    changed: changed.map(({ name }) => name),
    removed: removed.map(({ name }) => name),
  };
}

/** `["measurements", 0, "name"]` -> `measurements[0].name`; the empty path is the document itself. */
function keyPath(path: readonly PropertyKey[]): string {
  if (path.length === 0) return "(the whole file)";
  return path.reduce<string>(
    (text, key) =>
      typeof key === "number" ? `${text}[${key}]` : text === "" ? String(key) : `${text}.${String(key)}`,
    "",
  );
}

function* repeated(named: readonly { readonly name: string }[]): Generator<{ name: string; at: number }> {
  const names = new Set<string>();
  for (const [at, { name }] of named.entries()) {
    if (names.has(name)) yield { name, at };
    names.add(name);
  }
}

function within([low, high]: Range, [outerLow, outerHigh]: Range): boolean {
  return (
    (outerLow === null || (low !== null && low >= outerLow)) &&
    (outerHigh === null || (high !== null && high <= outerHigh))
  );
}
