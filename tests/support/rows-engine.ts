import type { Expr } from "#store/influxql/ast.ts";
import type {
  Aggregate,
  Column,
  Engine,
  QueryLimits,
  ScanGroup,
  ScanRequest,
  Schema,
  ValueType,
} from "#store/influxql/engine.ts";
import { rowsWhere } from "#store/influxql/evaluate.ts";
import { compareLists, compareNames } from "#store/influxql/name-order.ts";
import { constant, nulls, type Vector } from "#store/influxql/vectors.ts";
import { Windows } from "#store/influxql/windows.ts";

export type Value = number | string | boolean;

export interface EngineRow {
  readonly policy?: string;
  readonly measurement: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly time: number;
  readonly fields: Readonly<Record<string, Value>>;
}

export interface EngineData {
  readonly rows: readonly EngineRow[];
  /** Types of the numbers; `float` where a field is not named. */
  readonly integers?: readonly string[];
  readonly now?: number;
  readonly limits?: Partial<QueryLimits>;
}

/** An engine over an array of rows, in plain code: what the executor's tests run on. */
export function makeRowsEngine(data: EngineData): Engine & { readonly requests: ScanRequest[] } {
  const requests: ScanRequest[] = [];
  const schema = schemaOf(data);
  return {
    schema,
    now: data.now ?? Date.UTC(2026, 0, 10),
    limits: { values: 10_000_000, windows: 1_000_000, ...data.limits },
    requests,
    scan(request) {
      requests.push(request);
      return Promise.resolve(scan(data.rows, schema, request));
    },
  };
}

function policyOf({ policy = "autogen" }: EngineRow): string {
  return policy;
}

function sorted(names: Iterable<string>): string[] {
  return [...new Set(names)].sort(compareNames);
}

function typeOf(value: Value, isInteger: boolean): ValueType {
  if (typeof value === "number") return isInteger ? "integer" : "float";
  return typeof value === "string" ? "string" : "boolean";
}

function schemaOf({ rows, integers = [] }: EngineData): Schema {
  const of = (policy: string, measurement?: string): EngineRow[] =>
    rows.filter(
      (row) => policyOf(row) === policy && (measurement === undefined || row.measurement === measurement),
    );
  return {
    policies: sorted(["autogen", ...rows.map(policyOf)]),
    measurements: (policy) => sorted(of(policy).map(({ measurement }) => measurement)),
    fields: (policy, measurement) => {
      const fields = of(policy, measurement).flatMap((row) => Object.entries(row.fields));
      const typed = fields.map(([name, value]): [string, ValueType] => [
        name,
        typeOf(value, integers.includes(name)),
      ]);
      return new Map(typed.sort(([a], [b]) => compareNames(a, b)));
    },
    tagKeys: (policy, measurement) =>
      sorted(of(policy, measurement).flatMap(({ tags }) => Object.keys(tags))),
  };
}

function scan(rows: readonly EngineRow[], schema: Schema, request: ScanRequest): ScanGroup[] {
  const { policy, measurement, from, to, groupBy, predicate } = request;
  const tagKeys = schema.tagKeys(policy, measurement);
  const inRange = rows.filter(
    (row) => policyOf(row) === policy && row.measurement === measurement && row.time >= from && row.time < to,
  );
  const types = schema.fields(policy, measurement);
  const wanted = predicate === undefined ? inRange : satisfying(inRange, predicate, types);
  wanted.sort((a, b) => a.time - b.time || compareLists(tagValues(a, tagKeys), tagValues(b, tagKeys)));
  const groups = Map.groupBy(wanted, (row) => tagValues(row, groupBy).join("\0"));
  const { rows: asked } = request;
  return [...groups.values()]
    .map((members): ScanGroup => {
      const [first] = members;
      const tags = first === undefined ? [] : tagValues(first, groupBy);
      if (asked.kind === "raw") return rawGroup(members, tags, types, asked);
      return windowedGroup(members, tags, types, asked, from);
    })
    .filter(({ time }) => time.length > 0)
    .sort((a, b) => compareLists(a.tags, b.tags));
}

function tagValues({ tags }: EngineRow, keys: readonly string[]): string[] {
  return keys.map((key) => tags[key] ?? "");
}

function satisfying(rows: EngineRow[], predicate: Expr, types: ReadonlyMap<string, ValueType>): EngineRow[] {
  const at = rowsWhere(predicate, {
    length: rows.length,
    column(expr): Vector | undefined {
      if (expr.kind !== "ref") return undefined;
      const { name, cast } = expr;
      if (cast === "tag") return { type: "string", values: rows.map(({ tags }) => tags[name] ?? "") };
      if (cast === "field") return columnOf(rows, name, types.get(name) ?? "float");
      return constant("", "string", rows.length);
    },
  });
  return Array.from(at, (i) => rows[i]).filter((row) => row !== undefined);
}

function columnOf(rows: readonly EngineRow[], name: string, type: ValueType): Column {
  if (type === "string")
    return { type, values: rows.map(({ fields }) => (name in fields ? String(fields[name]) : null)) };
  return {
    type,
    values: Float64Array.from(rows, ({ fields }) => (name in fields ? Number(fields[name]) : Number.NaN)),
  };
}

function rawGroup(
  rows: readonly EngineRow[],
  tags: string[],
  types: ReadonlyMap<string, ValueType>,
  { columns, order, limit }: ScanRequest["rows"] & { kind: "raw" },
): ScanGroup {
  const fields = columns.filter(({ kind }) => kind === "field").map(({ name }) => name);
  const present = rows.filter((row) => fields.some((name) => name in row.fields));
  // Descending: the later time first, and the tags in descending order too.
  if (order === "desc") present.reverse();
  const kept = present.slice(0, limit ?? present.length);
  return {
    tags,
    time: Float64Array.from(kept, ({ time }) => time),
    columns: columns.map(({ kind, name }) =>
      kind === "tag"
        ? { type: "string", values: kept.map((row) => row.tags[name] ?? "") }
        : columnOf(kept, name, types.get(name) ?? "float"),
    ),
  };
}

function windowedGroup(
  rows: readonly EngineRow[],
  tags: string[],
  types: ReadonlyMap<string, ValueType>,
  { window, aggregates }: ScanRequest["rows"] & { kind: "windowed" },
  from: number,
): ScanGroup {
  const windows = window && new Windows(window);
  const present = rows.filter((row) => aggregates.some(({ field }) => field in row.fields));
  const byWindow = [...Map.groupBy(present, ({ time }) => windows?.startOf(time) ?? from)];
  const results = aggregates.map((aggregate) =>
    byWindow.map(([, members]) =>
      aggregated(
        members.filter(({ fields }) => aggregate.field in fields),
        aggregate,
      ),
    ),
  );
  return {
    tags,
    time: Float64Array.from(byWindow, ([start]) => start),
    columns: results.map((values, i) => resultColumn(values, aggregates[i], types)),
    selected: results.map((values, i) =>
      ["min", "max", "first", "last", "percentile"].includes(aggregates[i]?.fn ?? "")
        ? Float64Array.from(values, ({ time }) => time)
        : undefined,
    ),
  };
}

interface Result {
  readonly value: Value | undefined;
  readonly time: number;
}

function resultColumn(
  results: readonly Result[],
  aggregate: Aggregate | undefined,
  types: ReadonlyMap<string, ValueType>,
): Column {
  const own = types.get(aggregate?.field ?? "") ?? "float";
  const fn = aggregate?.fn ?? "count";
  const type = fn === "count" ? "integer" : ["mean", "median", "stddev"].includes(fn) ? "float" : own;
  if (type === "string") {
    const empty = nulls("string", results.length);
    return {
      type,
      values: results.map(({ value }, i) =>
        value === undefined ? (empty.values[i] as null) : String(value),
      ),
    };
  }
  return { type, values: Float64Array.from(results, ({ value }) => Number(value ?? Number.NaN)) };
}

function value(of: number): Result {
  return { value: of, time: Number.NaN };
}

function aggregated(rows: readonly EngineRow[], { fn, field, argument = 0 }: Aggregate): Result {
  const none = { value: undefined, time: Number.NaN };
  const points = rows.map(({ fields, time }) => ({ value: fields[field] ?? 0, time }));
  const numbers = points.map(({ value }) => Number(value));
  const count = points.length;
  const total = numbers.reduce((a, b) => a + b, 0);
  const mean = total / count;
  const ascending = numbers.toSorted((a, b) => a - b);
  if (count === 0) return fn === "count" ? value(0) : none;
  const best = (isBetter: (a: (typeof points)[0], b: (typeof points)[0]) => boolean): Result =>
    points.reduce((kept, point) => (isBetter(point, kept) ? point : kept));
  switch (fn) {
    case "count":
      return value(count);
    case "sum":
      return value(total);
    case "mean":
      return value(mean);
    case "min":
      return best((a, b) => a.value < b.value || (a.value === b.value && a.time < b.time));
    case "max":
      return best((a, b) => a.value > b.value || (a.value === b.value && a.time < b.time));
    case "first":
      return best((a, b) => a.time < b.time || (a.time === b.time && a.value > b.value));
    case "last":
      return best((a, b) => a.time > b.time || (a.time === b.time && a.value > b.value));
    case "spread":
      return value(Math.max(...numbers) - Math.min(...numbers));
    case "stddev":
      return count < 2
        ? none
        : value(Math.sqrt(numbers.reduce((sum, number) => sum + (number - mean) ** 2, 0) / (count - 1)));
    case "median": {
      const [low = 0, high = 0] = [ascending[(count - 1) >> 1], ascending[count >> 1]];
      return value(low + (high - low) / 2);
    }
    case "percentile": {
      const rank = Math.floor((count * argument) / 100 + 0.5) - 1;
      return points.toSorted((a, b) => Number(a.value) - Number(b.value))[rank] ?? none;
    }
    default:
      return fn satisfies never;
  }
}
