import * as fc from "fast-check";
import { expect, test } from "vitest";
import { requireDebian, whySkipped } from "../../support/debian.ts";
import { comparedQueries } from "../../support/soak.ts";
import { differenceOf, errorOf, rowsOf } from "./answers.ts";
import { query } from "./grammar.ts";
import { openBothStores } from "./stores.ts";

const there = await requireDebian("influxdb");
const note = there ? "" : ` (${whySkipped("influxdb")})`;

const timeout = 60_000 + comparedQueries * 100;

test.skipIf(!there)(
  `generated queries have the same answer on influxd and on DuckDB${note}`,
  { timeout },
  async () => {
    await using stores = await openBothStores();
    let [asked, refused, found] = [0, 0, 0];
    await fc.assert(
      fc.asyncProperty(query, async (q) => {
        const [expected, actual] = await Promise.all([stores.influxdb({ q }), stores.duckdb({ q })]);
        asked++;
        if (errorOf(expected) !== undefined) refused++;
        else if (rowsOf(expected) > 0) found++;
        expect([q, differenceOf(expected, actual)]).toEqual([q, undefined]);
      }),
      { numRuns: comparedQueries },
    );
    // Most of them mean something.
    expect(refused / asked).toBeLessThan(0.2);
    expect(found / asked).toBeGreaterThan(0.5);
  },
);
