import { join } from "node:path";
import { openLog } from "#runtime/log.ts";
import { openDuckDbStore } from "#store/duckdb/index.ts";
import { runChild } from "./run-child.ts";
import type { StoreUnderTest } from "./store-under-test.ts";

/** About what the writer gives the store at a time under load. */
const rawBatch = 100_000;

export const duckDbUnderTest = (): StoreUnderTest => ({
  mostReadings: 50_000_000,
  rawReadings: () => 2_000_000,
  async raw({ folder, readings, sensors, startTime }, signal) {
    const series = sensors.reduce((sum, { length }) => sum + length, 0);
    return await runChild("raw", { folder, readings, series, batch: rawBatch, startTime }, signal);
  },
  async open(folder) {
    return {
      args: [],
      cpuSeconds: async () => undefined,
      async count() {
        const log = openLog({ name: "bench", level: "warn" });
        await using store = await openDuckDbStore({ path: join(folder, "data", "store"), log });
        return await store.count();
      },
      async [Symbol.asyncDispose]() {},
    };
  },
});
