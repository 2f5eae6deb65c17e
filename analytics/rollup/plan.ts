import type { Field, Measurement } from "#telemetry/catalogue.ts";
import { type RollupField, type RollupKind, rollupFields, rollupKind } from "#telemetry/rollup-fields.ts";
import { conversion, convert } from "#telemetry/units.ts";

/** How a measurement's readings become rows: made once of the catalogue. */
export interface RollupPlan {
  readonly measurement: string;
  /** Seconds between a sensor's readings, where the sensor says nothing else. */
  readonly period_s: number;
  readonly fields: readonly PlannedField[];
  /** The columns of a row. */
  readonly columns: readonly RollupField[];
}

export interface PlannedField {
  readonly name: string;
  readonly kind: RollupKind;
  /** Of a weighted one: the place of its weight in `fields`. */
  readonly weight: number;
  /** Of a counter: the increase a second above which it is not believed; Infinity where no rated flow is known. */
  readonly mostPerSecond: number;
  /** The place in `columns` of its first; the others follow in the order of `rollupFields`. */
  readonly column: number;
}

export function rollupPlan({ name, period_s, fields }: Measurement): RollupPlan {
  const columns: RollupField[] = [];
  const planned = fields.map((field): PlannedField => {
    const column = columns.length;
    columns.push(...rollupFields(field));
    return {
      name: field.name,
      kind: rollupKind(field),
      weight: fields.findIndex((other) => other.name === field.weighted_by),
      mostPerSecond: mostPerSecond(field, fields),
      column,
    };
  });
  return { measurement: name, period_s, fields: planned, columns };
}

/** A counter that is a gauge's integral rises by no more than the gauge's highest plausible value makes of a second. */
function mostPerSecond(counter: Field, fields: readonly Field[]): number {
  const rated = fields.find(({ name }) => name === counter.integral_of);
  const highest = rated?.plausible[1];
  if (rated === undefined || highest === undefined || highest === null) return Infinity;
  const overTime = conversion(`${rated.unit}.s`, counter.unit);
  return overTime === undefined ? Infinity : convert(highest, overTime);
}
