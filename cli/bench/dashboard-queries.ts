import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { type AnsweredSeries, filledIn, resolveVariables } from "#dashboards/grafana/asking.ts";
import type { Board } from "#dashboards/grafana/lint.ts";
import type { BenchQuery } from "./query-shapes.ts";

const folder = join(import.meta.dirname, "..", "..", "dashboards", "grafana", "json", "en");
const hour_ms = 3_600_000;
const ranges = { "6 h": 6 * hour_ms, "7 d": 168 * hour_ms };

/**
 * What the dashboards ask of everything (All) over six hours and seven days before `to`, each question once; boards about what is not there (forecasts, goals) and
 * questions without an answer are left out.
 */
export async function dashboardQueries(
  to: number,
  ask: (influxql: string) => Promise<readonly AnsweredSeries[]>,
): Promise<BenchQuery[]> {
  const queries = new Map<string, string>();
  for (const file of readdirSync(folder).toSorted()) {
    const board = JSON.parse(readFileSync(join(folder, file), "utf8")) as Board;
    for (const [length, ms] of Object.entries(ranges)) {
      const range = { from: to - ms, to };
      const chosen = await resolveVariables(board, range, ask).catch(() => undefined);
      if (chosen === undefined) continue;
      for (const { where, influxql } of filledIn(board, range, chosen)) {
        if (queries.has(influxql) || (await ask(influxql)).length === 0) continue;
        queries.set(influxql, `${where.replace(/^marsad-/, "")}, ${length}`);
      }
    }
  }
  return Array.from(queries, ([q, name]) => ({ q, name }));
}
