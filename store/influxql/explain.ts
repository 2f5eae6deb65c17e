import type { SelectStatement } from "./ast.ts";
import { printDuration } from "./durations.ts";
import type { Aggregate, Engine, ScanRequest, Window } from "./engine.ts";
import { type ExecuteOptions, planOf } from "./execute.ts";
import type { CallPlan, RowsPlan, SelectPlan, SourceRows } from "./plan.ts";
import { print } from "./print.ts";
import type { StatementResult } from "./result.ts";
import type { Scan } from "./scans.ts";
import { maxTime, minTime } from "./time-range.ts";
import { Work } from "./work.ts";

/** How a SELECT is answered: what is asked of the store, and what is done with it afterwards. */
export interface Explanation {
  readonly scans: readonly { readonly request: ScanRequest; readonly lines: readonly string[] }[];
  readonly steps: readonly string[];
}

/** @throws InfluxqlError  what `execute` would throw before it reads */
export function explain(
  statement: SelectStatement,
  engine: Pick<Engine, "schema" | "now" | "limits">,
  options: Omit<ExecuteOptions, "signal"> = {},
): Explanation {
  const work = new Work(engine.limits, new AbortController().signal);
  const { plan, scans } = planOf(statement, engine, work, options);
  const all = scans.all;
  return {
    scans: all.map(({ request }, i) => ({ request, lines: scanLines(request, i + 1) })),
    steps: new Steps(all).select(plan),
  };
}

/** As InfluxDB answers EXPLAIN. `more` says what a store does with a scan: its SQL. */
export function explanationResult(
  { scans, steps }: Explanation,
  more: (request: ScanRequest) => readonly string[] = () => [],
): StatementResult {
  const lines = [
    ...scans.flatMap(({ request, lines: own }) => [...own, ...indented(more(request))]),
    "steps",
    ...indented(steps),
  ];
  return {
    series: [{ columns: ["QUERY PLAN"], values: [{ type: "string", values: lines }], rows: lines.length }],
  };
}

function indented(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${line}`);
}

function scanLines(
  { policy, measurement, from, to, predicate, groupBy, rows }: ScanRequest,
  number: number,
): string[] {
  const range = `${from <= minTime ? "the beginning" : isoTime(from)} to ${to > maxTime ? "the end" : isoTime(to)}`;
  const asked =
    rows.kind === "raw"
      ? `rows of ${rows.columns.map(({ name }) => name).join(", ")}, time ${rows.order === "asc" ? "ascending" : "descending"}${rows.limit === undefined ? "" : `, at most ${rows.limit} a series`}`
      : `${rows.aggregates.map(printAggregate).join(", ")} ${rows.window === undefined ? "of all of it" : windowText(rows.window)}`;
  return [
    `scan ${number}: ${policy}.${measurement}, ${range}`,
    ...indented([
      asked,
      ...(groupBy.length === 0 ? [] : [`by ${groupBy.join(", ")}`]),
      ...(predicate === undefined ? [] : [`where ${print(predicate)}`]),
    ]),
  ];
}

function isoTime(time: number): string {
  return new Date(time).toISOString();
}

function printAggregate({ fn, field, argument }: Aggregate): string {
  return `${fn}(${field}${argument === undefined ? "" : `, ${argument}`})`;
}

function length(ms: number): string {
  return printDuration(BigInt(ms) * 1_000_000n);
}

function windowText({ every_ms, offset_ms, zone }: Window): string {
  const offset = offset_ms === 0 ? "" : ` that begin ${length(offset_ms)} later`;
  return `in windows of ${length(every_ms)}${offset}${zone === undefined ? "" : ` on the clocks of ${zone}`}`;
}

/** Each step below what it is for. */
class Steps {
  readonly #scans: readonly Scan[];

  constructor(scans: readonly Scan[]) {
    this.#scans = scans;
  }

  select({ ready, calls, rows, fill, scope }: SelectPlan): string[] {
    const limits = [
      ...(ready.limit > 0 ? [`limit ${ready.limit}`] : []),
      ...(ready.offset > 0 ? [`offset ${ready.offset}`] : []),
      ...(scope.slimit > 0 ? [`${scope.slimit} series`] : []),
    ].join(", ");
    const gaps =
      fill.kind === "number" ? [`fill(${fill.value})`] : fill.kind === "previous" ? ["fill(previous)"] : [];
    return [
      `columns ${ready.outputs.map(print).join(", ")}`,
      ...indented([
        ...(scope.tagKeys.length === 0 ? [] : [`series by ${scope.tagKeys.join(", ")}`]),
        ...(limits === "" ? [] : [limits]),
        ...(calls.length === 0 ? [] : gaps.map((gap) => `${gap} beside values`)),
        ...(rows === undefined ? [] : this.#rows(rows)),
        ...calls.flatMap(({ plan }) => this.#call(plan)),
        ...(rows === undefined && calls.length === 0 ? ["nothing that is known"] : []),
      ]),
    ];
  }

  #call(plan: CallPlan): string[] {
    const text = print(plan.call);
    switch (plan.kind) {
      case "pushed": {
        const scans = plan.parts.map(({ scan }) => `scan ${this.#number(scan)}`);
        return [`${text} by ${scans.length === 0 ? "no scan" : scans.join(" and ")}${filling(plan)}`];
      }
      case "windows":
        return [
          `${text} ${plan.scope.window === undefined ? "of all points" : "of each window"}${filling(plan)}`,
          ...indented(this.#rows(plan.rows)),
        ];
      case "count distinct":
        return [`${text}${filling(plan)}`, ...indented(this.#call(plan.input))];
      case "sequence":
        return [
          `${text} from point to point`,
          ...indented(plan.input.kind === "rows" ? this.#rows(plan.input) : this.#call(plan.input)),
        ];
      case "top":
      case "integral":
      case "distinct":
        return [text, ...indented(this.#rows(plan.rows))];
      default:
        return plan satisfies never;
    }
  }

  #rows({ sources }: RowsPlan): string[] {
    return sources.length === 0 ? ["no source has it"] : sources.flatMap((source) => this.#source(source));
  }

  #source(source: SourceRows): string[] {
    switch (source.kind) {
      case "scan":
        return [
          `rows of scan ${this.#number(source.scan)}${source.between === undefined ? "" : ` between the points of scan ${this.#number(source.between.scan)}`}`,
        ];
      case "candidates":
        return [`the best of each series by scan ${this.#number(source.scan)}`];
      case "subquery":
        return [
          `rows of a sub-query${source.condition === undefined ? "" : ` where ${print(source.condition)}`}`,
          ...indented(this.select(source.plan)),
        ];
      default:
        return source satisfies never;
    }
  }

  #number(scan: Scan): number {
    return this.#scans.indexOf(scan) + 1;
  }
}

function filling({ fill, scope }: CallPlan & { kind: "pushed" | "windows" | "count distinct" }): string {
  if (scope.window === undefined || fill.kind === "none") return "";
  return `, fill(${fill.kind === "number" ? fill.value : fill.kind === "default" ? "null" : fill.kind})`;
}
