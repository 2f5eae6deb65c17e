/*
 * The dashboards' queries, and some of analysts', on the same city in DuckDB and in a real influxd, asked of both in turn; then of DuckDB alone, with and
 * without writes beside them. Loading an influxd takes minutes:
 *
 *     node tests/bench/query.bench.ts [--rows 50000000] [--sensors 400] [--rounds 7] [--json]
 */
import { parseArgs } from "node:util";
import { benchQuery } from "#cli/bench/query.ts";
import { queryRows } from "./query-rows.ts";
import type { BenchDocument } from "./result.ts";

const { values } = parseArgs({
  options: {
    rows: { type: "string", default: "50000000" },
    sensors: { type: "string", default: "400" },
    rounds: { type: "string", default: "7" },
    json: { type: "boolean", default: false },
  },
});

const result = await benchQuery(
  {
    rows: Number(values.rows),
    sensors: Number(values.sensors),
    rounds: Number(values.rounds),
    rate: 200_000,
  },
  (what) => console.error(what),
);
const document: BenchDocument = { rows: queryRows(result) };
if (values.json) process.stdout.write(`${JSON.stringify(document)}\n`);
else console.dir(document, { depth: null });
