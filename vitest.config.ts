import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

/** Tests that measure, that load the machine, or whose time runs by the clock: one file at a time, and nothing beside it. */
const alone = [
  "tests/system/faults/{edge-*,faces,full-disk,influxd*,kill,outage,overload,storm,subscriber}.test.ts",
  "tests/system/backup/**/*.test.ts",
  "tests/system/cli/up*.test.ts",
  "tests/system/edge-agent/{full-disk,package,upgrade}.test.ts",
  "tests/system/firmware-sim/modbus-replay.test.ts",
  "tests/system/platform/{full-disk,waiting}.test.ts",
];
/** A soak's tests take as long as they are told to: `tests/support/soak.ts`. */
const isSoak = Object.keys(process.env).some((name) => name.startsWith("SOAK_"));
const processes = { testTimeout: isSoak ? 900_000 : 180_000, hookTimeout: 180_000 };
/** Vitest by itself leaves one core free, of two; most tests wait for other processes and leave room for one more. */
const allCores = { maxWorkers: availableParallelism() + 1 };

/**
 * Three kinds of test. `unit`: pure, milliseconds. `contract`: one suite for every adapter of a port. `system`: the
 * real programs as processes, against real servers; they start processes and wait for them, so one file more at once than there are cores.
 */
export default defineConfig({
  test: {
    reporters: ["default", "./tests/support/closing-reporter.ts"],
    projects: [
      {
        test: {
          name: "unit",
          include: ["tests/unit/**/*.test.ts", "tests/*.test.ts"],
          // What one file has loaded the next need not load again.
          isolate: false,
          testTimeout: 20_000,
          ...allCores,
        },
      },
      {
        test: {
          name: "contract",
          include: ["tests/contract/**/*.test.ts"],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          ...allCores,
        },
      },
      {
        test: {
          name: "system",
          include: ["tests/system/**/*.test.ts"],
          exclude: alone,
          ...processes,
          ...allCores,
        },
      },
      {
        test: {
          name: "system-alone",
          include: alone,
          fileParallelism: false,
          ...processes,
        },
      },
    ],
  },
});
