import { type AggregateFunction, aggregateFunctions, type ValueType } from "./engine.ts";
import type { Call } from "./expressions.ts";
import type { ReadySource } from "./ready.ts";
import type { DataType } from "./types.ts";

/** Selectors whose answer over several series is one of the answers of each. */
const ofSeveral: ReadonlySet<string> = new Set(["min", "max", "first", "last"]);

/**
 * May the engine compute this call over a source? Only over a measurement that no other source shares the name with (their points go together),
 * only functions that it knows, only of a field as it is kept, and only when nothing stands beside it.
 */
export function mayPushDown(call: Call, fieldType: ValueType | undefined, where: PushDownCase): boolean {
  const { source, sources, wanted, beside } = where;
  if (source.kind !== "measurement" || sharesItsName(source, sources)) return false;
  if (!isEngineFunction(call.name) || fieldType === undefined || fieldType !== wanted) return false;
  const argument = percentileOf(call);
  return beside.length === 0 && (argument === undefined || (argument >= 0 && argument <= 100));
}

/** The same of a selector's best point of each series, where tags stand beside it: of those the executor then takes the best. */
export function mayPushCandidates(
  call: Call,
  fieldType: ValueType | undefined,
  where: PushDownCase,
): boolean {
  const areTags = where.beside.every((type) => type === "tag");
  return ofSeveral.has(call.name) && areTags && mayPushDown(call, fieldType, { ...where, beside: [] });
}

export interface PushDownCase {
  readonly source: ReadySource;
  readonly sources: readonly ReadySource[];
  /** What type the statement takes the field for. */
  readonly wanted: DataType;
  /** Types of the fields and tags that are selected beside. */
  readonly beside: readonly DataType[];
}

/** A limit of rows of each series holds for a source alone only if its series have no rows of others. */
export function sharesItsName(source: ReadySource, sources: readonly ReadySource[]): boolean {
  if (sources.length === 1) return false;
  return sources.some(
    (other) =>
      other !== source &&
      (source.kind === "subquery" || other.kind === "subquery" || other.name === source.name),
  );
}

export function isEngineFunction(name: string): name is AggregateFunction {
  return (aggregateFunctions as readonly string[]).includes(name);
}

/** The number of `percentile(field, number)`. */
export function percentileOf(call: Call): number | undefined {
  const [, argument] = call.args;
  if (call.name !== "percentile" || argument === undefined) return undefined;
  return argument.kind === "integer" || argument.kind === "number" ? Number(argument.value) : undefined;
}
