import { pino } from "pino";
import { openDuckDbStore } from "#store/duckdb/index.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { type StorePlace, storeContract } from "./contract.ts";
import { resultsContract } from "./results.ts";

storeContract("DuckDB", duckDbPlace, { tellsMerged: true, showsWholeBatches: true });
resultsContract("DuckDB", duckDbPlace);

async function duckDbPlace(): Promise<StorePlace> {
  const folder = tempFolder("store");
  return {
    open: () => openDuckDbStore({ path: folder.path, log: pino({ level: "silent" }) }),
    [Symbol.asyncDispose]: async () => folder[Symbol.dispose](),
  };
}
