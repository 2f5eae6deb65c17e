import { readdir, readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { Ajv } from "ajv";
import { expect, test } from "vitest";
import { drawnBoards, generatedFiles, generatedFolders } from "#dashboards/grafana/files.ts";
import { type Board, type BoardPanel, type Rule, lintBoard, lintTwins } from "#dashboards/grafana/lint.ts";
import { refusal } from "../../support/influxql-refusal.ts";

const repository = join(import.meta.dirname, "..", "..", "..");
const { printWidth } = JSON.parse(await readFile(join(repository, ".oxfmtrc.json"), "utf8")) as {
  printWidth: number;
};
const files = await generatedFiles(printWidth);
// That they are boards is what the schema's test proves.
const boards = drawnBoards().map(({ json }) => json as unknown as Board);
const isBoard = new Ajv({ allErrors: true, strict: false }).compile(
  JSON.parse(files.get("dashboards/grafana/schema/board.json")!) as object,
);
const options = { refusal, boards: new Set(boards.map(({ uid }) => uid)) };
const water = boards.find(({ uid }) => uid === "marsad-water-en")!;

test.each([...files])("%s is what the code draws (else: npm run docs)", async (path, text) => {
  expect(await readFile(join(repository, path), "utf8")).toBe(text);
});

test("in the generated folders there is nothing that the code no longer makes", async () => {
  for (const folder of generatedFolders) {
    const there = await readdir(join(repository, folder), { recursive: true, withFileTypes: true });
    const paths = there
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => relative(repository, join(parentPath, name)));
    expect(paths.sort()).toEqual([...files.keys()].filter((path) => path.startsWith(`${folder}/`)).sort());
  }
});

test("every board is one by the SDK's types, down to each kind of panel's own settings", () => {
  for (const board of boards) {
    isBoard(board);
    expect({ board: board.uid, errors: isBoard.errors ?? [] }).toEqual({ board: board.uid, errors: [] });
  }
});

/** A panel as if what overrides say of a series or column were said of all: there the SDK's types know what it means. */
function overridden(panel: BoardPanel): BoardPanel[] {
  if (panel.type === "text") return [];
  return panel.fieldConfig.overrides.map(({ properties }) => {
    const copy = structuredClone(panel);
    for (const { id, value } of properties) {
      const [group, name] = id.startsWith("custom.")
        ? ["custom", id.slice("custom.".length)]
        : [undefined, id];
      const defaults = copy.fieldConfig.defaults as Record<string, unknown>;
      const target = group === undefined ? defaults : ((defaults[group] ??= {}) as Record<string, unknown>);
      target[name] = value;
    }
    return copy;
  });
}

test("every override sets what its kind of panel has", () => {
  for (const board of boards)
    for (const panel of board.panels.flatMap(overridden)) {
      isBoard({ ...board, panels: [panel] });
      const { title } = panel;
      expect({ board: board.uid, title, errors: isBoard.errors ?? [] }).toEqual({
        board: board.uid,
        title,
        errors: [],
      });
    }
});

test.each([
  ["custom.fillBelow", "lo_80"],
  ["displayname", "Low"],
  ["custom.lineWidth", "thick"],
])("an override of %s is none", (id, value) => {
  const board = broken("panels/timeseries/fieldConfig/overrides", [
    { matcher: { id: "byName", options: "mean" }, properties: [{ id, value }] },
  ]);
  expect(board.panels.flatMap(overridden).every((panel) => isBoard({ ...board, panels: [panel] }))).toBe(
    false,
  );
});

/** A board with one thing wrong: `value` at the end of a path, or nothing there. A name in a list is that of a kind, an id or a variable. */
function broken(path: string, value: unknown, from: Board = water): Board {
  const copy = structuredClone(from);
  const keys = path.split("/");
  const last = keys.pop()!;
  let at: unknown = copy;
  for (const key of keys) at = step(at, key);
  if (value === undefined) Reflect.deleteProperty(at as object, last);
  else Reflect.set(at as object, last, value);
  return copy;
}

function step(at: unknown, key: string): unknown {
  const found =
    Array.isArray(at) && !/^\d+$/.test(key)
      ? at.find(({ type, id, name }: Record<string, unknown>) => [type, id, name].includes(key))
      : (at as Record<string, unknown>)[key];
  if (found === undefined) throw new Error(`no ${key}`);
  return found;
}

test.each<[what: string, path: string, value: unknown]>([
  ["without a title", "title", undefined],
  ["of another schema version", "schemaVersion", 30],
  ["with a property that no board has", "colour", "red"],
  ["with a panel of no kind", "panels/0/type", "hologram"],
  ["with a panel without an id", "panels/0/id", undefined],
  ["with a panel whose id is a text", "panels/0/id", "1"],
  ["with a panel without a width", "panels/0/gridPos/w", undefined],
  ["with an option of another kind of panel", "panels/stat/options/showHeader", true],
  ["with an unknown way of drawing", "panels/timeseries/fieldConfig/defaults/custom/drawStyle", "spiral"],
  ["with a setting that curves do not have", "panels/timeseries/fieldConfig/defaults/custom/wrapText", true],
  ["with a query without its text", "panels/0/targets/0/query", undefined],
  ["with a query of another data source", "panels/0/targets/0/datasource/type", "prometheus"],
  ["with a limit without a colour", "panels/0/fieldConfig/defaults/thresholds/steps/0/color", undefined],
  ["with a variable of no type", "templating/list/1/type", "guess"],
  ["with an annotation that asks nothing", "annotations/list/0/target/query", undefined],
])("a board %s is refused by the schema", (_, path, value) => {
  expect(isBoard(broken(path, value))).toBe(false);
});

test("no rule finds anything on any board", () => {
  expect(boards.flatMap((board) => lintBoard(board, options))).toEqual([]);
});

test("a board and its twin in the other language show the same", () => {
  const twins = boards.filter(({ uid }) => uid.endsWith("-en"));
  expect(twins.length * 2).toBe(boards.length);
  for (const english of twins) {
    const arabic = boards.find(({ uid }) => uid === english.uid.replace(/-en$/, "-ar"))!;
    expect(lintTwins(english, arabic)).toEqual([]);
  }
});

const query = "panels/0/targets/0/query";
const firstQuery = step(step(step(step(water.panels, "0"), "targets"), "0"), "query") as string;
const turbidity = water.panels.flatMap(({ type, fieldConfig }) =>
  type === "table" ? [fieldConfig.overrides.findIndex(({ matcher }) => matcher.options === "turbidity")] : [],
)[0]!;

test.each<[rule: Rule, what: string, path: string, value: unknown]>([
  ["title and description", "a panel without a description", "panels/0/description", " "],
  ["title and description", "an Arabic title on an English board", "panels/0/title", "المياه"],
  ["title and description", "a variable without a label", "templating/list/sensor/label", undefined],
  ["unit", "a panel without a unit", "panels/0/fieldConfig/defaults/unit", undefined],
  ["unit", "a unit that Grafana does not know", "panels/0/fieldConfig/defaults/unit", "L/s"],
  [
    "unit",
    "a column with such a unit",
    `panels/table/fieldConfig/overrides/${turbidity}/properties/unit/value`,
    "ntu",
  ],
  ["layout", "two panels on one place", "panels/1/gridPos/x", 1],
  ["layout", "a panel beyond the right edge", "panels/3/gridPos/w", 7],
  ["layout", "a hole", "panels/0/gridPos/w", 5],
  ["ids", "two panels with one id", "panels/1/id", water.panels[0]!.id],
  ["ids", "a panel with the id 0", "panels/1/id", 0],
  ["data source", "a panel tied to a data source", "panels/0/datasource/uid", "P951FEA4DE68E13C5"],
  ["data source", "a query tied to a data source", "panels/0/targets/0/datasource/uid", "influx"],
  ["data source", "a variable tied to a data source", "templating/list/sensor/datasource/uid", "influx"],
  ["data source", "an annotation tied to one", "annotations/list/0/datasource/uid", "influx"],
  ["data source", "no choice of the data source", "templating/list/0/name", "source"],
  ["read only", "a query that deletes", query, 'DROP SERIES FROM "alert"'],
  ["read only", "a query that writes", query, 'SELECT "state" INTO "copy" FROM "alert" WHERE $timeFilter'],
  ["read only", "a query that is none", query, "$timeFilter"],
  ["roll-up", "a retention policy by name", query, firstQuery.replace("$rollup", "rollup_1h")],
  ["roll-up", "raw readings", query, 'SELECT mean("flow") FROM "water_flow" WHERE $timeFilter'],
  [
    "roll-up",
    "a field that only readings have",
    query,
    'SELECT mean("flow") FROM "$rollup"."water_flow" WHERE $timeFilter',
  ],
  ["bounded", "a query over all of time", query, 'SELECT "state" FROM "alert"'],
  ["variables", "a variable that the board does not have", "templating/list/sensor/name", "meter"],
  ["names", "a curve without a name of its own", "panels/timeseries/targets/0/alias", undefined],
  [
    "links",
    "a link with what a cell shows, not its value",
    "links/1/url",
    "/d/marsad-water-ar?var-district=${__data.fields.district}",
  ],
  ["links", "a link to nowhere", "links/1/url", "/d/marsad-wather-ar"],
])("the rule '%s' finds %s", (rule, _, path, value) => {
  expect(lintBoard(broken(path, value), options).map((finding) => finding.rule)).toContain(rule);
});

test.each<[what: string, path: string, value: unknown]>([
  ["a panel more", `panels/${water.panels.length}`, { ...water.panels[0], id: 99 }],
  ["another kind of panel", "panels/0/type", "gauge"],
  ["another query", query, `${firstQuery} LIMIT 5`],
  ["another place on the grid", "panels/0/gridPos/x", 0],
  ["another time", "time/from", "now-1h"],
])("the rule 'languages' finds %s", (_, path, value) => {
  const arabic = boards.find(({ uid }) => uid === "marsad-water-ar")!;
  expect(lintTwins(water, broken(path, value, arabic))).not.toEqual([]);
});
