import { appendFile, mkdir, readFile, truncate } from "node:fs/promises";
import { dirname } from "node:path";
import { MarsadError } from "#runtime/errors.ts";
import type { Fault } from "./fault.ts";
import { FaultLabel, labelsOf } from "./label.ts";
import type { FaultPlan } from "./plan.ts";

/** Labels of the faults that have begun, one JSON document a line, each once however often a city is started. */
export class LabelFile {
  readonly #path: string;
  readonly #plan: FaultPlan | undefined;
  readonly #written: Set<string>;
  #writing: Promise<void> = Promise.resolve();

  /** @param plan  Undefined: nothing ever happens, and the file stays empty. */
  constructor(path: string, plan: FaultPlan | undefined, written: Set<string>) {
    this.#path = path;
    this.#plan = plan;
    this.#written = written;
  }

  /** The city lives from `from` until `at`, ms since 1970: what held in that time is labelled, by its begin. */
  lived(from: number, at: number): void {
    const fresh = (this.#plan?.between(from, at + 1) ?? []).filter(({ cause }) => !this.#written.has(cause));
    if (fresh.length === 0) return;
    for (const { cause } of fresh) this.#written.add(cause);
    const text = fresh.flatMap(linesOf).join("");
    this.#writing = this.#writing.then(() => appendFile(this.#path, text));
    this.#writing.catch(() => undefined); // told by `written`
  }

  /** Resolves when all is in the file, or rejects. */
  async written(): Promise<void> {
    await this.#writing;
  }
}

/**
 * Goes on with a file of labels, or begins it. What a full disk or a power cut left unfinished of the last cause is written anew.
 * @throws MarsadError CONFIG_INVALID when the file holds something else.
 */
export async function openLabelFile(path: string, plan: FaultPlan | undefined): Promise<LabelFile> {
  await mkdir(dirname(path), { recursive: true });
  await appendFile(path, "");
  const lines = (await readFile(path, "utf8")).split("\n");
  lines.pop(); // empty, or the beginning of a line
  const labels = lines.map(labelIn);
  const strange = labels.indexOf(undefined);
  if (strange >= 0) {
    const message = `${path}:${strange + 1} is no label of a fault: say another file for the labels, or move this one away`;
    throw new MarsadError("CONFIG_INVALID", message);
  }
  const known = labels.filter((label) => label !== undefined);
  const last = known.at(-1);
  if (last !== undefined) {
    const from = Date.parse(last.from);
    const fault = plan?.between(from, from + 1).find(({ cause }) => cause === last.cause);
    const first = known.findIndex(({ cause }) => cause === last.cause);
    const kept = lines.slice(0, first).map((line) => `${line}\n`);
    const anew = fault === undefined ? lines.slice(first).map((line) => `${line}\n`) : linesOf(fault);
    await truncate(path, Buffer.byteLength(kept.join("")));
    await appendFile(path, anew.join(""));
  }
  return new LabelFile(path, plan, new Set(known.map(({ cause }) => cause)));
}

function linesOf(fault: Fault): string[] {
  return labelsOf(fault).map((label) => `${JSON.stringify(label)}\n`);
}

function labelIn(line: string): FaultLabel | undefined {
  try {
    return FaultLabel.parse(JSON.parse(line));
  } catch {
    return undefined;
  }
}
