import * as fc from "fast-check";
import { expect, test } from "vitest";
import { execute } from "#store/influxql/execute.ts";
import { parse } from "#store/influxql/parser.ts";
import type { StatementResult } from "#store/influxql/result.ts";
import { type EngineRow, makeRowsEngine } from "../../../support/rows-engine.ts";
import { generatedQueries } from "../../../support/soak.ts";

/** Whole numbers below 100, whose sums are exact in whatever order they are added up. */
const value = fc.integer({ min: -20, max: 99 });
const optional = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(arbitrary, { nil: undefined });

const generatedRow = fc
  .record({
    measurement: fc.constantFrom("m", "m", "other"),
    sensor: fc.constantFrom("a", "b", "c"),
    district: fc.constantFrom("", "n", "s"),
    second: fc.integer({ min: 0, max: 3600 }),
    flow: optional(value),
    count: optional(value),
    open: optional(fc.boolean()),
    state: optional(fc.constantFrom("on", "off")),
  })
  .filter(({ flow, count, open, state }) => [flow, count, open, state].some((field) => field !== undefined))
  .map(({ measurement, sensor, district, second, ...fields }): EngineRow => {
    const present = Object.entries(fields).filter(([, field]) => field !== undefined);
    return {
      measurement,
      tags: { sensor, ...(district !== "" && { district }) },
      time: second * 1000,
      fields: Object.fromEntries(present) as EngineRow["fields"],
    };
  });

/** One row for each series and time, as in a store. */
const generatedRows = fc.uniqueArray(generatedRow, {
  maxLength: 60,
  selector: ({ measurement, tags, time }) => JSON.stringify([measurement, tags, time]),
});

const field = fc.constantFrom("flow", "count");
const call = fc.oneof(
  fc
    .tuple(
      fc.constantFrom("count", "sum", "mean", "min", "max", "first", "last", "spread", "median", "mode"),
      field,
    )
    .map(([fn, name]) => `${fn}(${name})`),
  fc.constantFrom(
    "count(state)",
    "first(state)",
    "last(open)",
    "min(open)",
    "max(open)",
    "count(distinct(state))",
  ),
  fc.tuple(field, fc.integer({ min: 0, max: 100 })).map(([name, rank]) => `percentile(${name}, ${rank})`),
  field.map((name) => `max(${name}) - min(${name})`),
);
const sequenceCall = fc
  .tuple(
    fc.constantFrom("derivative", "difference", "cumulative_sum", "elapsed"),
    fc.constantFrom("max(flow)", "sum(count)", "last(flow)"),
  )
  .map(([fn, inner]) => `${fn}(${inner})`);
const condition = fc.constantFrom(
  "",
  " AND flow > 10",
  " AND sensor = 'a'",
  " AND (district = '' OR count < 50)",
  " AND open = true",
);
const groups = fc.constantFrom("", ", sensor", ", district", ", sensor, district", ", *");
const end = fc
  .tuple(
    fc.constantFrom("", " fill(none)", " fill(previous)", " fill(linear)", " fill(7)"),
    fc.constantFrom("", " ORDER BY time DESC"),
    fc.constantFrom("", " LIMIT 2", " LIMIT 3 OFFSET 1"),
  )
  .map((parts) => parts.join(""));
const windows = fc.constantFrom("10m", "7m", "1h", "25m, 3m");
const range = "time >= 0 AND time < 1h";

const generatedSelect = fc.oneof(
  fc
    .tuple(
      fc.array(fc.oneof(call, sequenceCall), { minLength: 1, maxLength: 3 }),
      condition,
      windows,
      groups,
      end,
    )
    .map(
      ([calls, where, every, by, rest]) =>
        `SELECT ${calls.join(", ")} FROM m WHERE ${range}${where} GROUP BY time(${every})${by}${rest}`,
    ),
  fc
    .tuple(fc.array(call, { minLength: 1, maxLength: 3 }), condition, groups)
    .map(
      ([calls, where, by]) =>
        `SELECT ${calls.join(", ")} FROM m WHERE ${range}${where}${by === "" ? "" : ` GROUP BY${by.slice(1)}`}`,
    ),
  fc
    .tuple(
      fc.constantFrom("max(flow)", "min(count)", "first(flow)", "last(state)"),
      fc.constantFrom("sensor", "district, sensor"),
      condition,
      groups,
    )
    .map(
      ([fn, tags, where, by]) =>
        `SELECT ${fn}, ${tags} FROM m WHERE ${range}${where} GROUP BY time(20m)${by}`,
    ),
  fc
    .tuple(
      fc.constantFrom("last(flow), count, state", "first(count), flow, sensor", "last(state), flow"),
      condition,
      groups,
    )
    .map(
      ([fields, where, by]) =>
        `SELECT ${fields} FROM m WHERE ${range}${where}${by === "" ? "" : ` GROUP BY${by.slice(1)}`}`,
    ),
  fc
    .tuple(fc.constantFrom("top", "bottom"), fc.constantFrom("", "sensor, ", "district, sensor, "), groups)
    .map(([fn, tags, by]) => `SELECT ${fn}(flow, ${tags}2) FROM m WHERE ${range} GROUP BY time(30m)${by}`),
  fc
    .tuple(call, groups, fc.constantFrom("mean", "max", "count"), windows)
    .map(
      ([inner, by, fn, every]) =>
        `SELECT ${fn}(x) FROM (SELECT ${inner} AS x FROM m WHERE ${range} GROUP BY time(5m)${by}) WHERE ${range} GROUP BY time(${every})`,
    )
    .filter((query) => !/\((?:first|last)\((?:state|open)|\((?:min|max)\(open/.test(query)),
);

const generatedQuery = fc
  .tuple(generatedSelect, fc.constantFrom("m", "m", "m, other", "/./", "other, m"))
  .map(([query, sources]) => query.replace("FROM m ", `FROM ${sources} `));

test("what the engine computes is what the rows themselves give", async () => {
  await fc.assert(
    fc.asyncProperty(generatedRows, generatedQuery, async (rows, query) => {
      const engine = makeRowsEngine({ rows, integers: ["count"] });
      expect(await answer(query, engine, true)).toEqual(await answer(query, engine, false));
    }),
    { numRuns: generatedQueries },
  );
});

async function answer(
  query: string,
  engine: ReturnType<typeof makeRowsEngine>,
  pushDown: boolean,
): Promise<StatementResult | string> {
  const [statement] = parse(query);
  if (statement?.kind !== "select") throw new TypeError(query);
  try {
    return await execute(statement, engine, { pushDown });
  } catch (error) {
    return String(error);
  }
}
