import { join } from "node:path";
import { benchDatabase, startBenchedInfluxd } from "./influxd.ts";
import { runRawInfluxDb } from "./raw-influxdb.ts";
import type { StoreUnderTest } from "./store-under-test.ts";

/** Each run has an influxd of its own, so that none pays for what another left behind, and all have as much to snapshot and to compact. */
export function influxDbUnderTest(): StoreUnderTest {
  let rawSeries: string | undefined;
  return {
    mostReadings: 4_000_000,
    // What is compacted depends on how much there is.
    rawReadings: (readings) => readings,
    async raw(load) {
      const { series, ...result } = await runRawInfluxDb(load);
      rawSeries = series;
      return result;
    },
    async open(folder) {
      const influxd = await startBenchedInfluxd(join(folder, "influxd"));
      return {
        args: ["--store", "influxdb", "--influx-url", influxd.url, "--influx-db", benchDatabase],
        async cpuSeconds() {
          await influxd.quiet();
          return await influxd.cpuSeconds();
        },
        async count() {
          const series = await influxd.firstSeries();
          if (rawSeries !== undefined && series !== rawSeries)
            throw new Error(`the platform wrote ${series}, and the bare lines said ${rawSeries}`);
          return await influxd.count();
        },
        [Symbol.asyncDispose]: () => influxd[Symbol.asyncDispose](),
      };
    },
  };
}
