import type { SelectStatement } from "./ast.ts";
import { align } from "./align.ts";
import { runCall } from "./calls.ts";
import type { Engine } from "./engine.ts";
import { Outputs } from "./outputs.ts";
import type { SelectPlan } from "./plan.ts";
import { Planner } from "./planner.ts";
import { prepare } from "./prepare.ts";
import type { ResultSeries, StatementResult } from "./result.ts";
import { readRows, type Reading } from "./rows.ts";
import type { Scans } from "./scans.ts";
import { limited, type Sequence } from "./sequences.ts";
import { typeOf, valueType } from "./types.ts";
import { toColumn } from "./vectors.ts";
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
  const { calls, rows, ready } = plan;
  const { limit, offset } = ready;
  if (calls.length === 0) {
    if (rows === undefined) return [];
    const sequences = (await readRows(rows, reading)).map((sequence) => limited(sequence, limit, offset));
    return await withOutputs(sequences, plan, reading);
  }
  const points: Sequence[][] = [];
  for (const { plan: call } of calls)
    points.push((await runCall(call, reading)).map((sequence) => limited(sequence, limit, offset)));
  const types = calls.map(({ plan: { call } }) => valueType(typeOf(call)));
  return await withOutputs(align(points, types, plan.scope.isAscending), plan, reading);
}

async function withOutputs(
  sequences: readonly Sequence[],
  plan: SelectPlan,
  { work }: Reading,
): Promise<Sequence[]> {
  const outputs = new Outputs(plan, work);
  const tables: Sequence[] = [];
  for (const sequence of sequences) {
    await work.didSequence(sequence.time.length);
    if (sequence.time.length > 0) tables.push({ ...sequence, columns: await outputs.of(sequence) });
  }
  return tables;
}
