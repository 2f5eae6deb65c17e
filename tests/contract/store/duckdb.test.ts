import { pino } from "pino";
import { openDuckDbStore } from "#store/duckdb/index.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { storeContract } from "./contract.ts";
import { type SharedPlace, resultsContract } from "./results.ts";

storeContract("DuckDB", duckDbPlace, { tellsMerged: true, showsWholeBatches: true });
resultsContract("DuckDB", duckDbPlace);

async function duckDbPlace(): Promise<SharedPlace> {
  const folder = tempFolder("store");
  return {
    kind: "duckdb",
    options: { path: folder.path },
    open: () => openDuckDbStore({ path: folder.path, log: pino({ level: "silent" }) }),
    [Symbol.asyncDispose]: async () => folder[Symbol.dispose](),
  };
}
