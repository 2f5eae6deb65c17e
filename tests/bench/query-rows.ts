import type { QueryBenchResult } from "#cli/bench/query.ts";
import type { BenchRow } from "./result.ts";

/** What `marsad bench query` measured, as lines of docs/benchmarks.md. */
export function queryRows(result: QueryBenchResult): BenchRow[] {
  const note = `${result.rows.toLocaleString("en")} rows, ${result.series.toLocaleString("en")} series; from the question to the last byte, DuckDB without HTTP, influxd with it.`;
  const queries = result.queries.map(({ name, duckdb, influxdb, faster }): BenchRow => ({
    id: `query ${name}`,
    title: `query: ${name}`,
    figures: [
      { name: "influxd / DuckDB, p50", unit: "", values: [faster], better: "higher", aim: { atLeast: 5 } },
      { name: "DuckDB p50", unit: "ms", values: [duckdb.p50], better: "lower" },
      { name: "DuckDB p95", unit: "ms", values: [duckdb.p95], better: "lower" },
      { name: "influxd p50", unit: "ms", values: [influxdb.p50], better: "lower" },
      { name: "influxd p95", unit: "ms", values: [influxdb.p95], better: "lower" },
    ],
  }));
  const { idle, busy, rate } = result.beside_ingest;
  const beside: BenchRow = {
    id: "queries beside ingest",
    title: `all of these queries on DuckDB beside ${rate.toLocaleString("en")} readings/s`,
    figures: [
      {
        name: "p95 beside / alone",
        unit: "",
        values: [busy.p95 / idle.p95],
        better: "lower",
        aim: { atMost: 2 },
      },
      { name: "p95 alone", unit: "ms", values: [idle.p95], better: "lower" },
      { name: "p95 beside", unit: "ms", values: [busy.p95], better: "lower" },
    ],
    note,
  };
  return [...queries, beside];
}
