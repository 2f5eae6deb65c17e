import type { Reporter, TestCase, TestModule } from "vitest/node";

/** Ends a run with one line of counts, what tests measured, and the name of every test that was skipped: what did not run must be seen. */
export default class ClosingReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const counts = { passed: 0, failed: 0, skipped: 0 };
    const skipped: string[] = [];
    const measured: string[] = [];
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        for (const { message } of test.annotations()) measured.push(`${test.name}: ${message}`);
        if (state === "passed") counts.passed += 1;
        else if (state === "failed") counts.failed += 1;
        else {
          counts.skipped += 1;
          skipped.push(describe(test));
        }
      }
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
