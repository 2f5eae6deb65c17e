/** What a fault test found, row by row: for the soak's summary in docs/benchmarks.md. */
export interface FaultReport {
  /** As an engineer would say it: `kill -9 of the platform`. */
  readonly fault: string;
  /** How often it was done. */
  readonly tried: number;
  /** Readings that gateways offered meanwhile. */
  readonly sent: number;
  /** Of those, acknowledged. */
  readonly acknowledged: number;
  /** Acknowledged and not in the store. */
  readonly lost: number;
  /** Rows beyond one a key. */
  readonly twice: number;
  /** What else was measured, by name with its unit: `{ "ready again, p95 ms": 640 }`. */
  readonly measured?: Readonly<Record<string, number>>;
}

/** The annotation by which the reporter knows it. */
export const faultAnnotation = "fault";

/**
 * Hands the report to the run's reporter; the test still asserts what it promises.
 * @param annotate  Of the test's context.
 */
export async function reportFault(
  annotate: (message: string, type?: string) => Promise<unknown>,
  report: FaultReport,
): Promise<void> {
  await annotate(JSON.stringify(report), faultAnnotation);
}
