import { expect, test } from "vitest";
import type { SelectStatement } from "#store/influxql/ast.ts";
import { execute, type ExecuteOptions } from "#store/influxql/execute.ts";
import { parse } from "#store/influxql/parser.ts";
import type { StatementResult } from "#store/influxql/result.ts";
import { type EngineData, type EngineRow, makeRowsEngine } from "../../../support/rows-engine.ts";

/** Minutes 0 to 5 of two pumps; the second has a gap, and a field of its own. */
const pumps: EngineRow[] = [
  row("p1", 0, { flow: 10, count: 1, open: true, state: "run" }),
  row("p1", 1, { flow: 20, count: 4 }),
  row("p1", 2, { flow: 15, count: 9, open: false, state: "stop" }),
  row("p1", 5, { flow: 40 }),
  row("p2", 0, { flow: 1, pressure: 3.5 }),
  row("p2", 4, { flow: 2, pressure: 4.5, count: 2 }),
];

function row(pump: string, minute: number, fields: EngineRow["fields"]): EngineRow {
  return { measurement: "pumps", tags: { pump }, time: minute * 60_000, fields };
}

/** `name {tag=value} a|b` and then a line for each row, times in minutes. */
function shown({ series }: StatementResult): string {
  return series
    .map(({ name, tags = {}, columns, values, rows }) => {
      const tagged = Object.entries(tags).map(([key, value]) => ` ${key}=${value}`);
      const lines = Array.from({ length: rows }, (_, i) =>
        values
          .map(({ type, values: column }) => {
            const value = column[i] ?? null;
            if (value === null || Number.isNaN(value)) return "-";
            if (type === "time") return Number(value) / 60_000;
            return type === "boolean" ? value === 1 : value;
          })
          .join("|"),
      );
      return [`${name}${tagged.join("")} ${columns.join("|")}`, ...lines].join("\n");
    })
    .join("\n");
}

function select(query: string): SelectStatement {
  const [statement] = parse(query);
  if (statement?.kind !== "select") throw new TypeError(query);
  return statement;
}

async function answer(
  query: string,
  data: Partial<EngineData> = {},
  options?: ExecuteOptions,
): Promise<string> {
  const engine = makeRowsEngine({ rows: pumps, integers: ["count"], ...data });
  return shown(await execute(select(query), engine, options));
}

const inRange = "time >= 0 AND time < 6m";

test.each([
  [
    "fields as they are",
    "SELECT flow, open FROM pumps WHERE pump = 'p1'",
    "pumps time|flow|open\n0|10|true\n1|20|-\n2|15|false\n5|40|-",
  ],
  ["tags beside fields", "SELECT pressure, pump FROM pumps", "pumps time|pressure|pump\n0|3.5|p2\n4|4.5|p2"],
  ["nothing for tags alone", "SELECT pump FROM pumps", ""],
  ["nothing for an unknown measurement", "SELECT flow FROM nothing", ""],
  [
    "null for an unknown field beside others",
    "SELECT flow, x FROM pumps LIMIT 1",
    "pumps time|flow|x\n0|10|-",
  ],
  [
    "a series for each tag value",
    "SELECT last(flow) FROM pumps GROUP BY pump",
    "pumps pump=p1 time|last\n5|40\npumps pump=p2 time|last\n4|2",
  ],
  [
    "series and rows the other way round",
    "SELECT flow FROM pumps GROUP BY pump ORDER BY time DESC LIMIT 1",
    "pumps pump=p2 time|flow\n4|2\npumps pump=p1 time|flow\n5|40",
  ],
  [
    "the time of a selector's point, alone",
    "SELECT max(flow), pump FROM pumps",
    "pumps time|max|pump\n5|40|p1",
  ],
  ["time 0 for several", "SELECT max(flow), min(flow) FROM pumps", "pumps time|max|min\n0|40|1"],
  ["the range's beginning as time", "SELECT mean(flow) FROM pumps WHERE time > 1m", "pumps time|mean\n1|19"],
  [
    "windows with nulls",
    `SELECT sum(count), count(count) FROM pumps WHERE ${inRange} GROUP BY time(2m)`,
    "pumps time|sum|count\n0|5|2\n2|9|1\n4|2|1",
  ],
  [
    "previous",
    `SELECT max(flow) FROM pumps WHERE pump = 'p1' AND ${inRange} GROUP BY time(1m) fill(previous)`,
    "pumps time|max\n0|10\n1|20\n2|15\n3|15\n4|15\n5|40",
  ],
  [
    "linear",
    `SELECT max(flow) FROM pumps WHERE pump = 'p2' AND ${inRange} GROUP BY time(1m) fill(linear)`,
    "pumps time|max\n0|1\n1|1.25\n2|1.5\n3|1.75\n4|2\n5|-",
  ],
  [
    "a number",
    `SELECT max(count) FROM pumps WHERE pump = 'p2' AND ${inRange} GROUP BY time(2m) fill(7)`,
    "pumps time|max\n0|7\n2|7\n4|2",
  ],
  [
    "only windows with points",
    `SELECT max(count) FROM pumps WHERE pump = 'p2' AND ${inRange} GROUP BY time(2m) fill(none)`,
    "pumps time|max\n4|2",
  ],
  [
    "a difference that looks back a window",
    "SELECT difference(max(flow)) FROM pumps WHERE pump = 'p1' AND time >= 1m AND time < 4m GROUP BY time(1m)",
    "pumps time|difference\n1|10\n2|-5",
  ],
  [
    "derivatives by minute",
    "SELECT derivative(flow, 1m) FROM pumps WHERE pump = 'p1'",
    "pumps time|derivative\n1|10\n2|-5\n5|8.333333333333334",
  ],
  ["an area", "SELECT integral(flow, 1m) FROM pumps WHERE pump = 'p1'", "pumps time|integral\n0|115"],
  ["the best of each", "SELECT top(flow, pump, 2) FROM pumps", "pumps time|top|pump\n4|2|p2\n5|40|p1"],
  ["each value once", "SELECT distinct(state) FROM pumps", "pumps time|distinct\n0|run\n0|stop"],
  [
    "all numbers of a `*`",
    "SELECT max(*) FROM pumps",
    "pumps time|max_count|max_flow|max_open|max_pressure\n0|9|40|true|4.5",
  ],
  [
    "arithmetic",
    "SELECT count / 2, count % 4, flow / 0, -count FROM pumps WHERE count > 3",
    "pumps time|count|count_1|flow|count_2\n1|2|0|0|-4\n2|4.5|1|0|-9",
  ],
  [
    "a sub-query's columns and tags",
    "SELECT sum(m) FROM (SELECT max(flow) AS m FROM pumps GROUP BY pump) WHERE pump = 'p1'",
    "pumps time|sum\n0|40",
  ],
  [
    "ranges of the statement around",
    `SELECT sum(m) FROM (SELECT max(flow) AS m FROM pumps GROUP BY time(1m), pump) WHERE ${inRange} GROUP BY time(3m)`,
    "pumps time|sum\n0|46\n3|42",
  ],
] as const)("a SELECT answers %s", async (_name, query, expected) => {
  expect(await answer(query)).toBe(expected);
});

test("a function refuses a field of a type that it has no answer for", async () => {
  await expect(answer("SELECT mean(open) FROM pumps")).rejects.toThrow(
    "mean() does not take open, which is a boolean",
  );
});

test("what is not offered says what is", async () => {
  await expect(answer("SELECT sample(flow, 2) FROM pumps")).rejects.toThrow("sample() is not offered");
  await expect(answer("SELECT holt_winters(mean(flow), 2, 3) FROM pumps GROUP BY time(1m)")).rejects.toThrow(
    "holt_winters() is not offered; marsad forecast gives forecasts with intervals",
  );
});

test("windows and values are bounded, and the error says what to narrow", async () => {
  const windows = { limits: { windows: 100 } };
  await expect(
    answer("SELECT mean(flow) FROM pumps WHERE time >= 0 AND time < 1d GROUP BY time(1m)", windows),
  ).rejects.toThrow(/more than 100 windows: narrow its time range/);
  await expect(answer("SELECT flow FROM pumps", { limits: { values: 5 } })).rejects.toThrow(
    /more than 5 values between its steps: narrow/,
  );
});

test("an aborted statement ends", async () => {
  const controller = new AbortController();
  controller.abort(new Error("enough"));
  await expect(answer("SELECT flow FROM pumps", {}, { signal: controller.signal })).rejects.toThrow("enough");
});

test("calls over the same rows are one scan, which reads only what is asked", async () => {
  const engine = makeRowsEngine({ rows: pumps, integers: ["count"] });
  await execute(
    select(`SELECT mean(flow), max(flow), count(pressure) FROM pumps WHERE ${inRange} GROUP BY time(1m)`),
    engine,
  );
  expect(engine.requests).toEqual([
    {
      policy: "autogen",
      measurement: "pumps",
      from: 0,
      to: 360_000,
      groupBy: [],
      rows: {
        kind: "windowed",
        window: { every_ms: 60_000, offset_ms: 0 },
        aggregates: [
          { fn: "mean", field: "flow" },
          { fn: "max", field: "flow" },
          { fn: "count", field: "pressure" },
        ],
      },
    },
  ]);
});

test("the last row of each series is looked for where the last points are", async () => {
  const engine = makeRowsEngine({ rows: pumps, integers: ["count"] });
  const result = await execute(select("SELECT last(flow), count FROM pumps GROUP BY pump"), engine);
  expect(shown(result)).toBe("pumps pump=p1 time|last|count\n5|40|-\npumps pump=p2 time|last|count\n4|2|2");
  expect(engine.requests.map(({ from, to, rows }) => ({ kind: rows.kind, from, to })).slice(1)).toEqual([
    { kind: "raw", from: 240_000, to: 300_001 },
  ]);
});
