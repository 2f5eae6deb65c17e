import { VariableHide, VariableSort, VariableType } from "@grafana/grafana-foundation-sdk/dashboard";
import { type Board, type BoardPanel, targetsOf } from "./lint.ts";

/** Puts a question to a store, as Grafana's data source does: InfluxQL over HTTP with times in milliseconds. */
export type Ask<Series extends AnsweredSeries = AnsweredSeries> = (
  influxql: string,
) => Promise<readonly Series[]>;

/** What is looked at of an answer. */
export interface AnsweredSeries {
  readonly values: readonly (readonly (string | number | boolean | null)[])[];
}

/** The shown time, ms since 1970. */
export interface TimeRange {
  readonly from: number;
  readonly to: number;
}

/** What a variable stands for at a moment: one value, several, or all that there are. */
export type Chosen = { readonly all: string } | { readonly values: readonly string[] };
export type Choices = ReadonlyMap<string, Chosen>;

/** Which of its options a variable takes. */
export type Pick = (variable: string, options: readonly string[]) => readonly string[];

type Variable = Board["templating"]["list"][number];

/**
 * The choices of a board's variables, one after the other as Grafana does it: each query has the ones before it filled in. `pick` chooses among what
 * came back; `undefined`: all, where a variable may be all.
 */
export async function resolveVariables(
  board: Board,
  range: TimeRange,
  ask: Ask,
  pick?: Pick,
): Promise<Choices> {
  const chosen = new Map<string, Chosen>();
  for (const variable of board.templating.list) {
    if (variable.type === VariableType.Datasource) continue;
    const options = await optionsOf(variable, chosen, range, ask);
    if (options.length === 0) throw new Error(`${board.uid}: no options for ${variable.name}`);
    if (variable.includeAll === true && pick === undefined)
      chosen.set(variable.name, { all: variable.allValue ?? "" });
    else {
      const values =
        variable.hide === VariableHide.HideVariable
          ? options.slice(0, 1)
          : (pick?.(variable.name, options) ?? options.slice(0, 1));
      chosen.set(variable.name, { values });
    }
  }
  return chosen;
}

/** A variable's values: of a list `Title : value, …`, or of the answer, taken apart by the variable's pattern. */
async function optionsOf(
  { type, query, regex, sort }: Variable,
  chosen: Choices,
  range: TimeRange,
  ask: Ask,
): Promise<string[]> {
  if (typeof query === "string") {
    if (type !== VariableType.Custom) throw new Error(`a variable of type ${type}`);
    return query.split(", ").map((option) => option.split(" : ").at(-1)!);
  }
  const answer = await ask(substitute(query.query, { range, chosen, interval: 60_000 }));
  // The second column: of SELECT beside the time, of SHOW TAG VALUES beside the key.
  const found = answer.flatMap(({ values }) => values.map((row) => String(row[1])));
  const pattern = regex === undefined || regex === "" ? undefined : new RegExp(/^\/(.*)\/$/.exec(regex)![1]!);
  const options = found.flatMap((text) => {
    if (pattern === undefined) return [text];
    const match = pattern.exec(text);
    return match === null ? [] : [match.groups?.["value"] ?? match[1] ?? match[0]];
  });
  const unlike = [...new Set(options)];
  return sort === undefined || sort === VariableSort.Disabled ? unlike : unlike.sort();
}

export interface Substitution {
  readonly range: TimeRange;
  readonly chosen: Choices;
  /** ms, for `$__interval`. */
  readonly interval: number;
}

/** Macros and variables as Grafana fills them in before it asks. */
export function substitute(influxql: string, { range, chosen, interval }: Substitution): string {
  const filled = influxql
    .replaceAll(
      /\$\{(\w+)(?::(\w+))?\}|\$(\w+)/g,
      (whole, braced?: string, format?: string, bare?: string) => {
        const name = braced ?? bare!;
        if (name === "__from") return String(range.from);
        if (name === "__to") return String(range.to);
        const choice = chosen.get(name);
        return choice === undefined ? whole : formatted(choice, format);
      },
    )
    .replaceAll("$timeFilter", `time >= ${range.from}ms and time <= ${range.to}ms`)
    .replaceAll("$__interval", durationText(interval));
  const left = /\$\{?\w+/.exec(filled);
  if (left !== null) throw new Error(`nothing stands for ${left[0]} in ${influxql}`);
  return filled;
}

/** `regex`: what is special is escaped and several are alternatives; a variable's own value for All goes in as it is. */
function formatted(choice: Chosen, format: string | undefined): string {
  if ("all" in choice) return choice.all;
  const { values } = choice;
  if (format === undefined) {
    if (values.length !== 1) throw new Error("several values without a format");
    return values[0]!;
  }
  if (format !== "regex") throw new Error(`the format ${format}`);
  const escaped = values.map((value) => value.replaceAll(/[\\^$*+?.()|[\]{}/]/g, "\\$&"));
  return escaped.length === 1 ? escaped[0]! : `(${escaped.join("|")})`;
}

/** Grafana's steps of `$__interval` (ms): the range over the panel's points, rounded, and not below the panel's own least. */
const steps: readonly (readonly [below: number, interval: number])[] = [
  [15_000, 10_000],
  [25_000, 20_000],
  [45_000, 30_000],
  [90_000, 60_000],
  [210_000, 120_000],
  [450_000, 300_000],
  [750_000, 600_000],
  [1_050_000, 900_000],
  [1_500_000, 1_200_000],
  [2_700_000, 1_800_000],
  [5_400_000, 3_600_000],
  [9_000_000, 7_200_000],
];

export function intervalOf(panel: BoardPanel, { from, to }: TimeRange, points = 800): number {
  const exact = (to - from) / points;
  const rounded = steps.find(([below]) => exact < below)?.[1] ?? 10_800_000;
  return Math.max(rounded, panel.interval === undefined ? 0 : durationOf(panel.interval));
}

const units: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

function durationOf(text: string): number {
  const [, count, unit] = /^(\d+)([smhd])$/.exec(text)!;
  return Number(count) * units[unit!]!;
}

function durationText(ms: number): string {
  const [unit, length] = Object.entries(units).findLast(([, length]) => ms % length === 0)!;
  return `${ms / length}${unit}`;
}

export interface Asked {
  readonly where: string;
  readonly influxql: string;
}

/** Every query of a board's panels and its annotation, ready to be asked. */
export function filledIn(board: Board, range: TimeRange, chosen: Choices): Asked[] {
  const panels = board.panels.flatMap((panel) =>
    targetsOf(panel).map(({ refId, query }) => ({
      where: `${board.uid} / ${panel.id} ${panel.title} / ${refId}`,
      influxql: substitute(query, { range, chosen, interval: intervalOf(panel, range) }),
    })),
  );
  const annotations = board.annotations.list.map(({ name, target }) => ({
    where: `${board.uid} / ${name}`,
    influxql: substitute(target.query, { range, chosen, interval: 60_000 }),
  }));
  return [...panels, ...annotations];
}
