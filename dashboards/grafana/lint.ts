import { VariableHide, VariableType } from "@grafana/grafana-foundation-sdk/dashboard";
import * as units from "@grafana/grafana-foundation-sdk/units";
import { builtinCatalogue } from "#telemetry/builtin-catalogue.ts";
import { rollupOf } from "#telemetry/rollup-fields.ts";
import type { Board } from "./schema-types.ts";

export type { Board } from "./schema-types.ts";
export type BoardPanel = Board["panels"][number];

/** One thing that is wrong with a board: which rule, and where. */
export interface Finding {
  readonly rule: Rule;
  readonly board: string;
  readonly message: string;
}

export interface LintOptions {
  /** Why an InfluxQL text is refused, or undefined; the query language's parser is not a dashboard's to import. */
  readonly refusal: (influxql: string) => string | undefined;
  /** uids that links may lead to. */
  readonly boards: ReadonlySet<string>;
}

const columns = 24;
const knownUnits: ReadonlySet<unknown> = new Set(Object.values(units));
const arabic = /\p{Script=Arabic}/u;

type Check = (board: Board, options: LintOptions) => Iterable<string>;

/** What a board must hold to, by the rule's name. */
export const rules = {
  "title and description": function* (board) {
    const inArabic = board.uid.endsWith("-ar");
    const texts = [
      ["the board's title", board.title],
      ["the board's description", board.description],
      ...board.panels.flatMap(({ id, title, description }) => [
        [`panel ${id}'s title`, title],
        [`panel ${id}'s description`, description],
      ]),
      ...board.templating.list
        .filter(({ hide }) => hide !== VariableHide.HideVariable)
        .map(({ name, label }) => [`variable ${name}'s label`, label]),
    ] as const;
    for (const [what, text] of texts) {
      if (text === undefined || text.trim() === "") yield `${what} is empty`;
      else if (arabic.test(text) !== inArabic) yield `${what} is in another language: ${text}`;
    }
  },

  unit: function* (board) {
    for (const panel of board.panels) {
      if (panel.type === "text") continue;
      const { defaults, overrides } = panel.fieldConfig;
      const given = overrides.flatMap(({ properties }) =>
        properties.filter(({ id }) => id === "unit").map(({ value }) => String(value)),
      );
      for (const unit of [defaults.unit, ...given]) {
        if (unit === undefined) yield `panel ${panel.id} has no unit`;
        else if (!knownUnits.has(unit) && !unit.startsWith("suffix: "))
          yield `panel ${panel.id}: Grafana knows no unit "${unit}"`;
      }
    }
  },

  layout: function* (board) {
    for (const [i, { id, gridPos: a }] of board.panels.entries()) {
      if (a.w < 1 || a.h < 1 || a.x < 0 || a.y < 0 || a.x + a.w > columns)
        yield `panel ${id} leaves the grid of ${columns} columns`;
      for (const { id: other, gridPos: b } of board.panels.slice(i + 1))
        if (a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h)
          yield `panels ${id} and ${other} overlap`;
    }
    const covered = board.panels.reduce((area, { gridPos: { w, h } }) => area + w * h, 0);
    const bottom = Math.max(0, ...board.panels.map(({ gridPos: { y, h } }) => y + h));
    if (covered < bottom * columns) yield `${bottom * columns - covered} cells of the grid are empty`;
  },

  ids: function* (board) {
    const seen = new Set<number>();
    for (const { id } of board.panels) {
      if (!Number.isInteger(id) || id < 1) yield `${id} is no panel's id`;
      if (seen.has(id)) yield `two panels have the id ${id}`;
      seen.add(id);
    }
    for (const panel of board.panels) {
      const names = targetsOf(panel).map(({ refId }) => refId);
      if (new Set(names).size < names.length) yield `panel ${panel.id} has two queries of one name`;
    }
  },

  "data source": function* (board) {
    const templated = "${datasource}";
    const sources: readonly (readonly [string, { uid?: string } | undefined])[] = [
      ...board.panels.flatMap((panel) =>
        panel.type === "text"
          ? []
          : ([
              [`panel ${panel.id}`, panel.datasource],
              ...panel.targets.map(
                ({ refId, datasource }) => [`panel ${panel.id}, query ${refId}`, datasource] as const,
              ),
            ] as const),
      ),
      ...board.templating.list
        .filter(({ type }) => type === VariableType.Query)
        .map(({ name, datasource }) => [`variable ${name}`, datasource] as const),
      ...board.annotations.list.map(({ name, datasource }) => [`annotation ${name}`, datasource] as const),
    ];
    for (const [what, source] of sources)
      if (source?.uid !== templated) yield `${what} is tied to the data source "${source?.uid}"`;
    if (
      !board.templating.list.some(
        ({ type, name }) => type === VariableType.Datasource && name === "datasource",
      )
    )
      yield "there is no variable for the data source";
  },

  "read only": function* (board, { refusal }) {
    for (const { where, influxql } of queriesOf(board)) {
      const why = refusal(plain(influxql));
      if (why !== undefined) yield `${where}: ${why}`;
    }
  },

  "roll-up": function* (board) {
    for (const { where, influxql } of queriesOf(board)) {
      if (/"(?:rollup_\w+|autogen)"\./.test(influxql)) yield `${where} names a retention policy`;
      if (!influxql.startsWith("SELECT")) continue;
      for (const { name } of builtinCatalogue.measurements)
        if (influxql.includes(`"${name}"`) && !influxql.includes(`"$rollup"."${name}"`))
          yield `${where} reads raw readings of ${name}`;
      if (influxql.includes('"$rollup"') && !aRollupField.test(influxql))
        yield `${where} asks a roll-up for a field that it has not`;
    }
  },

  bounded: function* (board) {
    for (const panel of board.panels)
      for (const { refId, query } of targetsOf(panel))
        if (!query.includes("$timeFilter") && !query.includes("${__to}") && !query.includes('FROM "place"'))
          yield `panel ${panel.id}, query ${refId} asks for all of time`;
  },

  variables: function* (board) {
    const known = new Set(board.templating.list.map(({ name }) => name));
    for (const { where, influxql } of queriesOf(board)) {
      const used = [...influxql.matchAll(/\$\{(\w+)(?::\w+)?\}|\$(\w+)/g)].map(
        ([, braced, bare]) => braced ?? bare!,
      );
      for (const name of used)
        if (!known.has(name) && !macros.has(name))
          yield `${where} uses a variable that is not there: ${name}`;
    }
  },

  names: function* (board) {
    for (const panel of board.panels)
      if (drawnByName.has(panel.type) && panel.type !== "text")
        for (const { refId, alias } of panel.targets)
          if (alias === undefined)
            yield `panel ${panel.id}, query ${refId} has no alias: its series would be called as in the store`;
  },

  links: function* (board, { boards }) {
    const text = JSON.stringify(board);
    if (text.includes("${__data.fields"))
      yield "a link takes what a cell shows, which may be a word for its value: ${__value.raw}";
    const addresses = text.matchAll(/\/d\/([\w-]+)/g);
    for (const [, uid] of addresses) if (!boards.has(uid!)) yield `a link leads to ${uid}, which is no board`;
  },
} as const satisfies Record<string, Check>;
export type Rule = keyof typeof rules | "languages";

/** Kinds of panels that show what series are called. */
const drawnByName: ReadonlySet<string> = new Set(["timeseries", "state-timeline", "bargauge"]);
const macros: ReadonlySet<string> = new Set(["timeFilter", "__interval", "__from", "__to"]);
const aRollupField = new RegExp(`"\\w+_(?:${rollupOf.join("|")})"`);

/** What is wrong with a board by itself. */
export function lintBoard(board: Board, options: LintOptions): Finding[] {
  return (Object.keys(rules) as (keyof typeof rules)[]).flatMap((rule) =>
    [...(rules[rule] as Check)(board, options)].map((message) => ({ rule, board: board.uid, message })),
  );
}

/** What a board and its Arabic twin do not have in common: panels, queries, kinds and units; the Arabic one is the mirror image. */
export function lintTwins(english: Board, twin: Board): Finding[] {
  const messages: string[] = [];
  const differ = (what: string, a: unknown, b: unknown): void => {
    if (JSON.stringify(a) !== JSON.stringify(b)) messages.push(`${what} differ`);
  };
  differ("panels", english.panels.map(shape), twin.panels.map(shape));
  differ(
    "places on the grid",
    english.panels.map(({ gridPos }) => gridPos),
    twin.panels.map(({ gridPos: { x, y, w, h } }) => ({ x: columns - x - w, y, w, h })),
  );
  differ("queries", queriesOf(english).map(neutral), queriesOf(twin).map(neutral));
  differ("time", [english.time, english.refresh, english.timezone], [twin.time, twin.refresh, twin.timezone]);
  return messages.map((message) => ({ rule: "languages", board: twin.uid, message }));
}

function shape(panel: BoardPanel): unknown {
  const { id, type } = panel;
  return panel.type === "text"
    ? { id, type }
    : { id, type, overrides: panel.fieldConfig.overrides.map(({ matcher }) => matcher) };
}

function neutral({ influxql }: AskedQuery): string {
  return influxql.replaceAll(/_(?:en|ar)"/g, '_{lang}"');
}

export interface AskedQuery {
  readonly where: string;
  readonly influxql: string;
}

/** Everything that a board asks: panels, variables, annotations. */
export function queriesOf(board: Board): AskedQuery[] {
  return [
    ...board.panels.flatMap((panel) =>
      targetsOf(panel).map(({ refId, query }) => ({
        where: `${board.uid}, panel ${panel.id}, query ${refId}`,
        influxql: query,
      })),
    ),
    ...board.templating.list.flatMap(({ name, query }) =>
      typeof query === "object" ? [{ where: `${board.uid}, variable ${name}`, influxql: query.query }] : [],
    ),
    ...board.annotations.list.map(({ target }) => ({
      where: `${board.uid}, annotation`,
      influxql: target.query,
    })),
  ];
}

export function targetsOf(
  panel: BoardPanel,
): { refId: string; query: string; datasource: { uid: string } }[] {
  return panel.type === "text" ? [] : panel.targets;
}

/** A query with something in the place of each variable, so that it can be parsed. */
function plain(influxql: string): string {
  return influxql
    .replaceAll("$timeFilter", "time >= 0ms and time <= 1ms")
    .replaceAll(/\$\{__(?:to|from)\}|\$__(?:to|from)/g, "1")
    .replaceAll("$__interval", "1m")
    .replaceAll("$window", "1m")
    .replaceAll("$rollup", "rollup_1m")
    .replaceAll(/\$\{\w+:regex\}/g, ".*");
}
