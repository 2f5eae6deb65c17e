import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { requireDebian, whySkipped } from "../../support/debian.ts";
import { type Answer, differenceOf, errorOf, gathered, type Question, rowsOf, textOf } from "./answers.ts";
import { knownDifferences } from "./known-differences.ts";
import { type BothStores, openBothStores } from "./stores.ts";
import * as functions from "./tables/functions.ts";
import { results } from "./tables/results.ts";
import { databaseName } from "#store/query.ts";
import { grafana } from "./tables/grafana.ts";
import { spelled } from "./tables/spelled.ts";
import { malformed } from "./tables/malformed.ts";
import * as rows from "./tables/rows.ts";
import * as shows from "./tables/shows.ts";

/**
 * The same data in a real influxd and in DuckDB, the same questions to both: equal answers. That a question means something is held too:
 * it finds rows, or nothing, or is refused, as its table says.
 */
const finding: Readonly<Record<string, readonly string[]>> = {
  functions: functions.functions,
  "functions of sequences": functions.sequences,
  arithmetic: functions.values,
  windows: functions.windows,
  rows: rows.rows,
  conditions: rows.conditions,
  "sub-queries": rows.subqueries,
  "what there is": shows.shows,
  "what jobs found": results,
  "what Grafana asks": grafana,
};
const findingNothing = [...functions.functionsOfNothing, ...rows.rowsOfNothing, ...shows.showsOfNothing];
const together = 4;
/** Of what InfluxDB does by chance. */
const mostTries = 50;

/** Without the place of the end: InfluxDB counts one more where it looked for what comes next. */
function told(answer: Answer): string | undefined {
  return errorOf(answer)?.replace(/^(.*found EOF.*) at line .*$/, "$1");
}

const there = await requireDebian("influxdb");

describe.skipIf(!there)(
  `InfluxQL, on influxd and on DuckDB${there ? "" : ` (${whySkipped("influxdb")})`}`,
  () => {
    let stores: BothStores;
    beforeAll(async () => {
      stores = await openBothStores();
    });
    afterAll(async () => {
      await stores[Symbol.asyncDispose]();
    });

    /** Asks both; `means` says what is wrong with InfluxDB's answer, if the question does not do what its table says. */
    async function compare(
      queries: readonly string[],
      means: (answer: Answer) => string | undefined,
    ): Promise<string[]> {
      const known = new Set(knownDifferences.flatMap(({ queries }) => queries));
      const waiting = queries.filter((q) => !known.has(q));
      const found: string[] = [];
      const ask = async (): Promise<void> => {
        for (let q = waiting.pop(); q !== undefined; q = waiting.pop()) {
          const [expected, actual] = await Promise.all([stores.influxdb({ q }), stores.duckdb({ q })]);
          const isByPieces = q.includes("integral(");
          const wrong =
            means(expected) ??
            (isByPieces
              ? differenceOf(gathered(expected), gathered(actual))
              : differenceOf(expected, actual));
          if (wrong !== undefined) found.push(`${q}\n    ${wrong}`);
        }
      };
      await Promise.all(Array.from({ length: together }, ask));
      return found;
    }

    test.each(Object.entries(finding))("%s", async (_name, queries) => {
      const found = await compare(queries, (answer) => {
        const error = errorOf(answer);
        if (error !== undefined) return `InfluxDB refuses it: ${error}`;
        return rowsOf(answer) === 0 ? "finds nothing" : undefined;
      });
      expect(found).toEqual([]);
    });

    test("what finds nothing", async () => {
      const found = await compare(findingNothing, (answer) => {
        const error = errorOf(answer);
        if (error !== undefined) return `InfluxDB refuses it: ${error}`;
        return rowsOf(answer) > 0 ? "finds something" : undefined;
      });
      expect(found).toEqual([]);
    });

    test("what is refused", async () => {
      const found = await compare(shows.refusals, (answer) =>
        errorOf(answer) === undefined ? "InfluxDB takes it" : undefined,
      );
      expect(found).toEqual([]);
    });

    test("what is malformed is told in the same words", async () => {
      for (const q of malformed) {
        const [expected, actual] = await Promise.all([stores.influxdb({ q }), stores.duckdb({ q })]);
        expect([q, actual.status, told(actual)]).toEqual([q, expected.status, told(expected)]);
      }
    });

    test("answers have the same bytes, in every format", async () => {
      const { influxdb, duckdb } = stores.stores;
      const epochs = [undefined, "ns", "u", "ms", "s", "m", "h"] as const;
      const formats: Partial<Question>[] = [
        ...epochs.flatMap((epoch) => [{ epoch }, { epoch, format: "csv" as const }]),
        { pretty: true },
        { chunk: 2 },
        { chunk: 2, format: "csv" },
        { chunk: 1000 },
      ];
      for (const q of spelled)
        for (const format of formats) {
          // Of a SHOW InfluxDB does not cut series.
          if (format.chunk === 2 && q.includes("SHOW")) continue;
          const [expected, actual] = await Promise.all([
            textOf(influxdb, { q, ...format }),
            textOf(duckdb, { q, ...format }),
          ]);
          expect([q, format, actual]).toEqual([q, format, expected]);
        }
    });

    test("InfluxDB answers what our parser understood as it answers the text itself", async () => {
      for (const q of [
        ...functions.windows,
        ...rows.rows,
        ...rows.conditions,
        ...rows.subqueries,
        ...grafana,
      ]) {
        const body = new URLSearchParams({ q, db: databaseName, epoch: "ms" });
        const answer = await fetch(`${stores.influxd.url}/query`, { method: "POST", body });
        const raw = { status: answer.status, ...((await answer.json()) as object) } as Answer;
        expect([q, differenceOf(raw, await stores.influxdb({ q }))]).toEqual([q, undefined]);
      }
    });

    test.each(knownDifferences)("is known to differ: $what", async ({ queries }) => {
      const alike: string[] = [];
      for (const q of queries) {
        const ours = await stores.duckdb({ q });
        let difference: string | undefined;
        for (let tries = 0; difference === undefined && tries < mostTries; tries++)
          difference = differenceOf(await stores.influxdb({ q }), ours);
        if (difference === undefined) alike.push(q);
      }
      expect(alike).toEqual([]);
    });
  },
);
