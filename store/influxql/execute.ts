import type { Expr, Fill, SelectStatement } from "./ast.ts";
import { align } from "./align.ts";
import { runCall } from "./calls.ts";
import type { Engine } from "./engine.ts";
import { evaluate } from "./evaluate.ts";
import type { SelectPlan } from "./plan.ts";
import { Planner } from "./planner.ts";
import { prepare } from "./prepare.ts";
import { print } from "./print.ts";
import type { ResultSeries, StatementResult } from "./result.ts";
import { readRows, type Reading } from "./rows.ts";
import type { Scans } from "./scans.ts";
import { limited, type Sequence } from "./sequences.ts";
import { typeOf, valueType } from "./types.ts";
import { concatenate, isNull, slice, toColumn, type Vector } from "./vectors.ts";
import { Work } from "./work.ts";

export interface ExecuteOptions {
  /** Ends it. */
  readonly signal?: AbortSignal | undefined;
  /** Retention policy of measurements that name none; undefined: `autogen`. */
  readonly policy?: string | undefined;
  /** `false`: every function is computed here, of raw rows. The answer is the same. */
  readonly pushDown?: boolean | undefined;
}

/**
 * Answers a SELECT, as InfluxDB 1.6 would answer it.
 * @throws InfluxqlError  what the statement gets wrong, or costs too much
 */
export async function execute(
  statement: SelectStatement,
  engine: Engine,
  { signal = new AbortController().signal, ...options }: ExecuteOptions = {},
): Promise<StatementResult> {
  const work = new Work(engine.limits, signal);
  const { plan } = planOf(statement, engine, work, options);
  const known = new Map<SelectPlan, Promise<Sequence[]>>();
  const reading: Reading = {
    engine,
    work,
    select(inner) {
      const rows = known.get(inner) ?? runSelect(inner, reading);
      known.set(inner, rows);
      return rows;
    },
  };
  const tables = await runSelect(plan, reading);
  return { series: tables.map((table) => resultOf(table, plan)) };
}

/** What `execute` does, before it reads anything. */
export function planOf(
  statement: SelectStatement,
  { schema, now }: Pick<Engine, "schema" | "now">,
  work: Work,
  { policy = "autogen", pushDown = true }: Omit<ExecuteOptions, "signal"> = {},
): { readonly plan: SelectPlan; readonly scans: Scans } {
  const around = { schema, now, defaultPolicy: policy };
  const planner = new Planner(around, work, pushDown);
  const plan = planner.statement(prepare(statement, around));
  return { plan, scans: planner.scans };
}

function resultOf({ name, tags, time, columns }: Sequence, { ready, scope }: SelectPlan): ResultSeries {
  const tagged = Object.fromEntries(scope.tagKeys.map((key, i) => [key, tags[i] ?? ""]));
  return {
    name,
    ...(scope.tagKeys.length > 0 && { tags: tagged }),
    columns: [ready.timeColumn, ...ready.columns],
    values: [{ type: "time", values: time }, ...columns.map(toColumn)],
    rows: time.length,
  };
}

/** A statement's rows, one table a series, with a column for each of its fields. */
async function runSelect(plan: SelectPlan, reading: Reading): Promise<Sequence[]> {
  const { calls, beside, rows, ready } = plan;
  const { limit, offset } = ready;
  const keys = [...calls.map(({ key }) => key), ...beside.map((ref) => print(ref))];
  if (calls.length === 0) {
    if (rows === undefined) return [];
    const sequences = (await readRows(rows, reading)).map((sequence) => limited(sequence, limit, offset));
    return await withFields(sequences, keys, plan, reading);
  }
  const points: Sequence[][] = [];
  for (const { plan: call } of calls)
    points.push((await runCall(call, reading)).map((sequence) => limited(sequence, limit, offset)));
  const types = calls.map(({ plan: { call } }) => valueType(typeOf(call)));
  return await withFields(align(points, types, plan.scope.isAscending), keys, plan, reading);
}

async function withFields(
  sequences: readonly Sequence[],
  keys: readonly string[],
  { ready, fill }: SelectPlan,
  { work }: Reading,
): Promise<Sequence[]> {
  const tables: Sequence[] = [];
  for (const sequence of sequences) {
    const { length } = sequence.time;
    if (length === 0) continue;
    const symbols = new Map(keys.map((key, i) => [key, filledNulls(sequence.columns[i], fill)]));
    const columns: Vector[] = [];
    for (const field of ready.outputs) {
      columns.push(await column(field, symbols, length, work));
    }
    tables.push({ ...sequence, columns });
  }
  return tables;
}

/** A field or call as it is, arithmetic in pieces. */
async function column(
  field: Expr,
  symbols: ReadonlyMap<string, Vector | undefined>,
  length: number,
  work: Work,
): Promise<Vector> {
  const known = isSymbol(field) ? symbols.get(print(field)) : undefined;
  if (known !== undefined) return known;
  const pieces: Vector[] = [];
  await work.inTurns(length, (from, to) => {
    const at = (expr: Expr): Vector | undefined => {
      const symbol = isSymbol(expr) ? symbols.get(print(expr)) : undefined;
      return symbol && slice(symbol, from, to);
    };
    pieces.push(evaluate(field, { length: to - from, column: at }));
  });
  const [first] = pieces;
  return first !== undefined && pieces.length === 1 ? first : concatenate(pieces, first?.type ?? "float");
}

function isSymbol({ kind }: Expr): boolean {
  return kind === "ref" || kind === "call";
}

/** Nulls beside values: a number, or what was there before. */
function filledNulls(vector: Vector | undefined, fill: Fill): Vector | undefined {
  if (vector === undefined || (fill.kind !== "number" && fill.kind !== "previous")) return vector;
  if (vector.type === "string") {
    if (fill.kind === "number" || !vector.values.includes(null)) return vector;
    let previous: string | null = null;
    return { type: "string", values: vector.values.map((value) => (previous = value ?? previous)) };
  }
  const values = Float64Array.from(vector.values);
  for (let i = 0; i < values.length; i++) {
    if (!isNull(vector, i)) continue;
    if (fill.kind === "previous") values[i] = values[i - 1] ?? Number.NaN;
    else if (fill.kind === "number" && vector.type !== "boolean")
      values[i] = vector.type === "integer" ? Math.trunc(fill.value) : fill.value;
  }
  return { ...vector, values };
}
