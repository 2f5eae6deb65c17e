import { setTimeout as sleep } from "node:timers/promises";
import { hasCode } from "#runtime/errors.ts";
import type { EdgeAgentConfig } from "../config.ts";
import { openLines } from "../inputs/open-input.ts";
import { LineIntake } from "../line-intake.ts";
import type { LineCollector } from "./line-collector.ts";
import type { CheckedInput } from "./report.ts";

export interface ListenCheck<Settings> {
  readonly input: Settings;
  readonly name: string;
  readonly collector: LineCollector;
  /** Milliseconds to listen. */
  readonly listen: number;
  readonly signal: AbortSignal;
}

type LinesSettings = Extract<EdgeAgentConfig["inputs"][number], { type: "lines" }>;

/** Listens where sensors deliver their lines, unless the agent does. */
export async function checkLines(check: ListenCheck<LinesSettings>): Promise<CheckedInput> {
  const { input, name, collector, listen, signal } = check;
  const target = {
    full: false,
    taken: () => collector.judge(undefined),
    committed: () => Promise.resolve(true),
  };
  try {
    await using _listening = await openLines(
      input,
      new LineIntake(collector.stage, input.max_line_bytes),
      target,
    );
    await sleep(listen, undefined, { signal }).catch(() => {});
  } catch (error) {
    if (!hasCode(error, "ADDRESS_IN_USE")) throw error;
    const note = `${name}: the address is taken, probably by the running agent; its lines were not looked at`;
    return { values: [], problems: [], notes: [note] };
  }
  return resultOf(check, "no line came");
}

/** What a collector has by now. */
export function resultOf({ name, collector, listen }: ListenCheck<unknown>, nothing: string): CheckedInput {
  const seconds = listen / 1000;
  const notes =
    collector.lines === 0 ? [`${name}: ${nothing} within ${seconds} s; --seconds listens longer`] : [];
  if (collector.left > 0) notes.push(`${name}: ${collector.left} more fields are not shown`);
  const problems = collector.refusals.map((refusal) => ({
    input: name,
    problem: `the platform would refuse a line: ${refusal}`,
    hints: [],
  }));
  return { values: collector.values, problems, notes };
}
