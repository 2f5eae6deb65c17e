import type { Expr, Fill } from "./ast.ts";
import type { ValueType } from "./engine.ts";
import { InfluxqlError } from "./errors.ts";
import { type Call, childrenOf, isTopOrBottom, type Ref, refsIn } from "./expressions.ts";
import { windowFunctions } from "./functions/aggregates.ts";
import { mathFunctions } from "./functions/math.ts";
import { sequenceFunctions } from "./functions/sequence-functions.ts";
import { compareNames } from "./name-order.ts";
import type { CallPlan, PointTime, SelectPlan } from "./plan.ts";
import type { Ready } from "./ready.ts";
import type { Surroundings } from "./prepare.ts";
import { print } from "./print.ts";
import { Scans } from "./scans.ts";
import { innerScope, keySet, lookingBack, outermostScope, reachOf, type Scope } from "./scope.ts";
import { SourcePlanner } from "./source-planner.ts";
import { minTime } from "./time-range.ts";
import { castOf, typeOf, valueType } from "./types.ts";
import type { Work } from "./work.ts";

/** Makes steps of a statement; the scans that they need come together in `scans`. */
export class Planner {
  readonly scans: Scans;
  readonly #around: Surroundings;
  readonly #work: Work;
  readonly #pushDown: boolean;
  /** Calls over the same sub-query, in the same range, share its rows. */
  readonly #subqueries = new Map<Ready, { readonly scope: string; readonly plan: SelectPlan }[]>();

  constructor(around: Surroundings, work: Work, pushDown: boolean) {
    this.scans = new Scans(around.schema);
    this.#around = around;
    this.#work = work;
    this.#pushDown = pushDown;
  }

  statement(ready: Ready): SelectPlan {
    const scope = outermostScope(ready, this.#around.now);
    const sources = new SourcePlanner({
      schema: this.#around.schema,
      scans: this.scans,
      reach: reachOf(ready, scope.range),
      pushDown: this.#pushDown,
      subquery: (inner, outer) => this.#subquery(inner, outer, sources),
    });
    return this.#select(ready, scope, ready.fill, sources);
  }

  #subquery(ready: Ready, outer: Scope, sources: SourcePlanner): SelectPlan {
    const scope = innerScope(ready, outer, this.#around.now);
    const known = this.#subqueries.get(ready) ?? [];
    const key = JSON.stringify(scope);
    const same = known.find((planned) => planned.scope === key);
    if (same !== undefined) return same.plan;
    // Nulls of windows say nothing to the statement around.
    const isNull = ready.fill.kind === "default" || ready.fill.kind === "null";
    const plan = this.#select(ready, scope, isNull ? { kind: "none" } : ready.fill, sources);
    this.#subqueries.set(ready, [...known, { scope: key, plan }]);
    return plan;
  }

  #select(ready: Ready, scope: Scope, fill: Fill, sources: SourcePlanner): SelectPlan {
    const { calls, refs } = partsOf(ready);
    const plan = { ready, scope, fill, beside: refs };
    if (calls.length === 0) {
      const isKnown = refs.some((ref) => ref.cast !== undefined);
      const limit = ready.limit === 0 ? undefined : ready.limit + ready.offset;
      const rows = isKnown ? sources.rows(ready, scope, undefined, refs, limit) : undefined;
      return { ...plan, calls: [], rows };
    }
    const [only] = calls;
    const isSelector = calls.length === 1 && only !== undefined && selectorNames.has(only.name);
    const caller: Caller = { ready, sources, fill, beside: refs, isSelector };
    const planned = calls
      .filter((call) => typeOf(call) !== undefined)
      .map((call) => ({ key: print(call), plan: this.#call(call, scope, caller) }));
    return { ...plan, calls: planned, rows: undefined };
  }

  #call(call: Call, scope: Scope, caller: Caller): CallPlan {
    const [argument] = call.args;
    if (argument === undefined)
      throw new InfluxqlError("semantic", `expected field argument in ${call.name}()`);
    const own = { call, scope };
    if (isTopOrBottom(call)) return this.#top(call, scope, caller);
    if (call.name === "distinct" || call.name === "integral") {
      const ref = fieldOf(call);
      if (call.name === "integral") checkType(call, ref, ["float", "integer"]);
      return { ...own, kind: call.name, rows: caller.sources.rows(caller.ready, scope, ref, caller.beside) };
    }
    const sequence = sequenceFunctions.get(call.name);
    if (sequence !== undefined) {
      const wider = call.name === "cumulative_sum" ? scope : lookingBack(scope);
      if (argument.kind === "call")
        return {
          ...own,
          kind: "sequence",
          input: this.#call(argument, wider, { ...caller, isSelector: false }),
        };
      checkType(call, fieldOf(call), sequence.types);
      return {
        ...own,
        kind: "sequence",
        input: caller.sources.rows(caller.ready, wider, fieldOf(call), caller.beside),
      };
    }
    this.#checkWindows(scope, caller.fill);
    if (mathFunctions.has(call.name)) throw new InfluxqlError("semantic", `unsupported call: ${call.name}`);
    if (argument.kind === "call") {
      if (call.name !== "count" || argument.name !== "distinct")
        throw new InfluxqlError("semantic", `expected field argument in ${call.name}()`);
      return {
        ...own,
        kind: "count distinct",
        input: this.#call(argument, scope, caller),
        fill: caller.fill,
      };
    }
    return this.#window(call, scope, caller);
  }

  /** A function of the points of a window: by the engine where it may. */
  #window(call: Call, scope: Scope, { ready, sources, fill, beside, isSelector }: Caller): CallPlan {
    const found = windowFunctions.get(call.name);
    if (found === undefined) throw new InfluxqlError("semantic", `unsupported call: ${call.name}`);
    const ref = fieldOf(call);
    checkType(call, ref, found.types);
    const time: PointTime = isSelector && scope.window === undefined ? "of the point" : "of the window";
    const type = valueType(typeOf(call));
    const own = { call, scope, type, time, fill };
    const parts = sources.pushed(call, ref, ready, scope, beside);
    if (parts !== undefined) return { ...own, kind: "pushed", parts };
    const rows = sources.rows(ready, scope, ref, beside, undefined, call);
    return { ...own, kind: "windows", rows };
  }

  #top(call: Call, scope: Scope, { ready, sources, beside }: Caller): CallPlan {
    const ref = fieldOf(call);
    checkType(call, ref, ["float", "integer"]);
    const count = call.args.at(-1);
    const tags = call.args.slice(1, -1).filter((argument) => argument.kind === "ref");
    // With tags: first the best point of each of their values, then the best of those.
    const perSeries =
      tags.length === 0
        ? undefined
        : { ...scope, tagKeys: keySet([...scope.tagKeys, ...tags.map(({ name }) => name)]) };
    const best: Call = { kind: "call", name: call.name === "top" ? "max" : "min", args: [ref], at: call.at };
    const rows = sources.rows(ready, perSeries ?? scope, ref, beside, undefined, perSeries && best);
    return {
      call,
      scope,
      kind: "top",
      rows,
      perSeries,
      count: count?.kind === "integer" ? Number(count.value) : 0,
    };
  }

  /** A fill makes every window of the range. */
  #checkWindows({ range, window }: Scope, fill: Fill): void {
    if (window === undefined || fill.kind === "none" || range.from <= minTime) return;
    this.#work.mayHaveWindows((range.to - range.from) / window.every_ms);
  }
}

interface Caller {
  readonly ready: Ready;
  readonly sources: SourcePlanner;
  readonly fill: Fill;
  readonly beside: readonly Ref[];
  readonly isSelector: boolean;
}

const selectorNames = new Set(["first", "last", "min", "max", "percentile", "top", "bottom"]);

/** The calls of a statement, and what stands outside of them, each once. */
function partsOf({ fields }: Ready): { calls: Call[]; refs: Ref[] } {
  const calls = new Map<string, Call>();
  const refs = new Map<string, Ref>();
  const visit = (expr: Expr): void => {
    if (expr.kind === "call" && !mathFunctions.has(expr.name)) {
      calls.set(print(expr), expr);
      return;
    }
    if (expr.kind === "ref") refs.set(print(expr), expr);
    for (const child of childrenOf(expr)) visit(child);
  };
  for (const { expr } of fields) {
    visit(expr);
    if (isTopOrBottom(expr))
      for (const argument of expr.args.slice(1, -1))
        for (const ref of refsIn(argument)) refs.set(print(ref), ref);
  }
  return {
    calls: [...calls.values()],
    refs: [...refs.values()].sort((a, b) => compareNames(a.name, b.name)),
  };
}

function fieldOf(call: Call): Ref {
  const [argument] = call.args;
  if (argument?.kind !== "ref")
    throw new InfluxqlError("semantic", `expected field argument in ${call.name}()`);
  return argument;
}

function checkType(call: Call, ref: Ref, types: readonly ValueType[]): void {
  const type = castOf(ref);
  if (type !== undefined && type !== "field" && !types.includes(valueType(type)))
    throw new InfluxqlError("semantic", `${call.name}() does not take ${ref.name}, which is a ${type}`);
}
