import type { Field } from "./catalogue.ts";

/** What a roll-up says of a field; the name is the field's with this behind it: `flow_mean`. */
export const rollupOf = [
  /** Gauge: weighted by time, or by `weighted_by`. State: share of the covered time that it was on. Delta: plain. */
  "mean",
  "min",
  "max",
  /** Plain sum of the readings' values. */
  "sum",
  /** Of a counter, by the counter rule. */
  "increase",
  /** The newest reading of the window. */
  "last",
  /** Readings that have the field. */
  "count",
  /** Seconds of the window in which a value was known. */
  "covered_s",
  /** What `mean` is weighted by, summed up: means of several windows or sensors are averaged by it. */
  "weight",
] as const;
export type RollupOf = (typeof rollupOf)[number];

export interface RollupField {
  readonly name: string;
  readonly of: RollupOf;
  /** UCUM. */
  readonly unit: string;
  readonly type: "float" | "integer";
  readonly title: { readonly en: string; readonly ar: string };
}

/** How a field is rolled up. A state, or any boolean, is on or off. */
export type RollupKind = "gauge" | "weighted" | "state" | "delta" | "counter";

export function rollupKind(field: Field): RollupKind {
  if (field.state === true || field.type === "boolean") return "state";
  if (field.kind !== "gauge") return field.kind;
  return field.weighted_by === undefined ? "gauge" : "weighted";
}

const parts: Readonly<Record<RollupKind, readonly RollupOf[]>> = {
  gauge: ["mean", "min", "max", "sum", "last", "count", "covered_s"],
  weighted: ["mean", "min", "max", "sum", "last", "count", "covered_s", "weight"],
  state: ["mean", "last", "count", "covered_s"],
  delta: ["sum", "mean", "min", "max", "last", "count"],
  counter: ["increase", "last", "count"],
};

/** The part that stands for the field where only one is drawn. */
const mainPart = {
  gauge: "mean",
  weighted: "mean",
  state: "mean",
  delta: "sum",
  counter: "increase",
} as const;

/** The fields of a roll-up row that are made of `field`, in every roll-up policy. */
export function rollupFields(field: Field): RollupField[] {
  return parts[rollupKind(field)].map((of) => rollupField(field, of));
}

/** The one of them to draw where only one is drawn. */
export function mainRollupField(field: Field): RollupField {
  return rollupField(field, mainPart[rollupKind(field)]);
}

function rollupField(field: Field, of: RollupOf): RollupField {
  const isShare = rollupKind(field) === "state" && of === "mean";
  const said = isShare ? { en: "share of time on", ar: "نسبة زمن التشغيل" } : titles[of];
  return {
    name: `${field.name}_${of}`,
    of,
    unit: unitOf(field, of),
    type: of === "count" ? "integer" : "float",
    title: { en: `${field.title.en}, ${said.en}`, ar: `${field.title.ar}، ${said.ar}` },
  };
}

function unitOf({ unit }: Field, of: RollupOf): string {
  if (of === "count") return "{reading}";
  if (of === "covered_s") return "s";
  return of === "weight" ? "1" : unit;
}

const titles: Readonly<Record<RollupOf, { readonly en: string; readonly ar: string }>> = {
  mean: { en: "mean", ar: "المتوسط" },
  min: { en: "lowest", ar: "الأدنى" },
  max: { en: "highest", ar: "الأعلى" },
  sum: { en: "sum", ar: "المجموع" },
  increase: { en: "increase", ar: "الزيادة" },
  last: { en: "last", ar: "الأخيرة" },
  count: { en: "readings", ar: "عدد القراءات" },
  covered_s: { en: "time covered", ar: "الزمن المغطى" },
  weight: { en: "weight", ar: "الوزن" },
};
