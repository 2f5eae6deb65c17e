import { defineConfig } from "vitest/config";

/**
 * Three kinds of test. `unit`: pure, milliseconds. `contract`: one suite for every adapter of a port. `system`: the
 * real programs as processes, against real servers; one file at a time, since they share two cores and a disk.
 */
export default defineConfig({
  test: {
    reporters: ["default", "./tests/support/closing-reporter.ts"],
    projects: [
      { test: { name: "unit", include: ["tests/unit/**/*.test.ts", "tests/*.test.ts"] } },
      {
        test: {
          name: "contract",
          include: ["tests/contract/**/*.test.ts"],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: "system",
          include: ["tests/system/**/*.test.ts"],
          testTimeout: 180_000,
          hookTimeout: 180_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
