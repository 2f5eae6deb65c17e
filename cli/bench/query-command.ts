import { Command, InvalidArgumentError, Option } from "commander";
import { jsonOption } from "../client.ts";
import { grouped, printJson } from "../output.ts";
import { formatTable } from "../table.ts";
import { type QueryBenchOptions, type QueryBenchResult, benchQuery } from "./query.ts";
import { between } from "./whole-number.ts";

/** `marsad bench query` */
export function queryCommand(): Command {
  return new Command("query")
    .description(
      "Writes the same city into DuckDB and into an influxd (Debian's package influxdb) and asks both the dashboards' queries in turn; then DuckDB alone, " +
        "while readings are written at a rate. Times are from the question to the last byte of the answer.",
    )
    .addOption(
      new Option("--rows <n>", "readings and roll-ups together")
        .argParser(between(100_000, 1_000_000_000))
        .default(50_000_000),
    )
    .addOption(new Option("--sensors <n>", "of each measurement").argParser(between(8, 10_000)).default(400))
    .addOption(
      new Option("--rounds <n>", "times every query is asked").argParser(between(1, 1_000)).default(15),
    )
    .addOption(
      new Option("--rate <n>", "readings a second beside the queries")
        .argParser(between(1_000, 2_000_000))
        .default(200_000),
    )
    .addOption(new Option("--only <regex>", "queries with such a name").argParser(parseRegex))
    .addOption(jsonOption())
    .action(async ({ json, ...options }: QueryBenchOptions & { readonly json: boolean }) => {
      const result = await benchQuery(options, (what) => console.error(what));
      if (json) printJson(result);
      else process.stdout.write(describe(result));
    });
}

function describe({ rows, days, series, queries, beside_ingest: ingest }: QueryBenchResult): string {
  const table = formatTable(
    [
      { title: "QUERY", value: ({ name }) => name },
      { title: "VALUES", value: ({ values }) => grouped(values), align: "right" },
      { title: "DUCKDB p50", value: ({ duckdb }) => ms(duckdb.p50), align: "right" },
      { title: "p95", value: ({ duckdb }) => ms(duckdb.p95), align: "right" },
      { title: "INFLUXD p50", value: ({ influxdb }) => ms(influxdb.p50), align: "right" },
      { title: "p95", value: ({ influxdb }) => ms(influxdb.p95), align: "right" },
      { title: "FASTER", value: ({ faster }) => `${faster.toFixed(1)} x`, align: "right" },
    ],
    queries,
  );
  return (
    `${grouped(rows)} rows of ${grouped(series)} series, readings of ${days.toFixed(1)} days; milliseconds\n\n${table}\n` +
    `All of them on DuckDB: p95 ${ms(ingest.idle.p95)} ms alone, ${ms(ingest.busy.p95)} ms beside ${grouped(ingest.rate)} readings/s\n`
  );
}

function parseRegex(text: string): RegExp {
  try {
    return new RegExp(text);
  } catch (error) {
    throw new InvalidArgumentError(error instanceof Error ? error.message : String(error));
  }
}

function ms(value: number): string {
  return value.toFixed(value < 10 ? 2 : 0);
}
