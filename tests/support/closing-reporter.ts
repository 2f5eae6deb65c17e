import { writeFileSync } from "node:fs";
import type { Reporter, TestCase, TestModule } from "vitest/node";
import { faultAnnotation, type FaultReport } from "./fault-report.ts";

/** Where a soak keeps what its faults found; unset: nowhere. */
const summaryFile = process.env["SOAK_SUMMARY"];

/** Ends a run with one line of counts, what tests measured, and the name of every test that was skipped: what did not run must be seen. */
export default class ClosingReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const counts = { passed: 0, failed: 0, skipped: 0 };
    const skipped: string[] = [];
    const measured: string[] = [];
    const faults: FaultReport[] = [];
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        for (const { message, type } of test.annotations()) {
          measured.push(`${test.name}: ${message}`);
          if (type === faultAnnotation) faults.push(JSON.parse(message) as FaultReport);
        }
        if (state === "passed") counts.passed += 1;
        else if (state === "failed") counts.failed += 1;
        else {
          counts.skipped += 1;
          skipped.push(describe(test));
        }
      }
    }
    if (summaryFile !== undefined) {
      const summary = { at: new Date().toISOString(), ...counts, faults };
      writeFileSync(summaryFile, `${JSON.stringify(summary, undefined, 2)}\n`);
    }
    for (const line of measured) process.stdout.write(`measured: ${line}\n`);
    for (const line of skipped) process.stdout.write(`skipped: ${line}\n`);
    process.stdout.write(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped\n`);
  }
}

function describe(test: TestCase): string {
  const result = test.result();
  const note = result.state === "skipped" && result.note !== undefined ? ` (${result.note})` : "";
  return `${test.module.relativeModuleId} > ${test.fullName}${note}`;
}
