import { pino } from "pino";
import { openDuckDbStore } from "#store/duckdb/index.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { rollupsContract } from "./rollups.ts";

rollupsContract("DuckDB", async () => {
  const folder = tempFolder("rollups");
  return {
    open: () => openDuckDbStore({ path: folder.path, log: pino({ level: "silent" }) }),
    [Symbol.asyncDispose]: async () => folder[Symbol.dispose](),
  };
});
