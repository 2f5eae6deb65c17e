import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { requireDebian, whySkipped } from "../../support/debian.ts";
import { withAnswers } from "./examples.ts";
import { knownDifferences } from "./known-differences.ts";
import { type BothStores, openBothStores } from "./stores.ts";

const there = await requireDebian("influxdb");
const page = new URL("../../../docs/influxql.md", import.meta.url);

describe.skipIf(!there)(`docs/influxql.md${there ? "" : ` (${whySkipped("influxdb")})`}`, () => {
  let stores: BothStores;
  beforeAll(async () => {
    stores = await openBothStores();
  });
  afterAll(async () => {
    await stores[Symbol.asyncDispose]();
  });

  // `vitest run --update` writes the answers into the page.
  test("its examples have the answers that it prints, on the embedded store", async () => {
    const written = await withAnswers(await readFile(page, "utf8"), stores.duckdb, knownDifferences);
    await expect(written).toMatchFileSnapshot(page.pathname);
  });

  test("… and on InfluxDB", async () => {
    const text = await readFile(page, "utf8");
    expect(await withAnswers(text, stores.influxdb, knownDifferences)).toBe(text);
  });
});
