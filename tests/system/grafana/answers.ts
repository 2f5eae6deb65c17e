import type { InfluxSeries } from "../../support/influxd.ts";

type Value = string | number | boolean | null;
/** Relative: sums in another order. */
const rounding = 1e-9;

/** How `b` is another answer than `a`; rows of one time may stand in any order. Undefined: it is the same. */
export function unlike(a: readonly InfluxSeries[], b: readonly InfluxSeries[]): string | undefined {
  const [left, right] = [byName(a), byName(b)];
  const names = [...left.keys()];
  if (JSON.stringify(names) !== JSON.stringify([...right.keys()]))
    return `series ${names.join("; ")} and ${[...right.keys()].join("; ")}`;
  for (const name of names) {
    const [one, other] = [left.get(name)!, right.get(name)!];
    if (JSON.stringify(one.columns) !== JSON.stringify(other.columns))
      return `${name}: columns ${one.columns.join()} and ${other.columns.join()}`;
    if (one.values.length !== other.values.length)
      return `${name}: ${one.values.length} and ${other.values.length} rows`;
    const [rows, others] = [ordered(one), ordered(other)];
    for (const [i, row] of rows.entries())
      if (!row.every((value, column) => same(value, others[i]![column] ?? null)))
        return `${name}: ${JSON.stringify(row)} and ${JSON.stringify(others[i])}`;
  }
  return undefined;
}

function byName(answer: readonly InfluxSeries[]): Map<string, InfluxSeries> {
  return new Map(answer.map((series) => [`${series.name} ${JSON.stringify(series.tags ?? {})}`, series]));
}

function ordered({ values }: InfluxSeries): readonly (readonly Value[])[] {
  return values.toSorted(
    (a, b) => Number(a[0]) - Number(b[0]) || (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1),
  );
}

function same(a: Value, b: Value): boolean {
  if (typeof a === "number" && typeof b === "number")
    return Math.abs(a - b) <= rounding * Math.max(1, Math.abs(a), Math.abs(b));
  return a === b;
}
