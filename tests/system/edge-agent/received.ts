import { parseBatchHeader } from "#telemetry/batch-header.ts";
import type { Message } from "../../support/brokers.ts";

/** What a broker got from one gateway: every reading by its outbox and number, and whatever should not have been. */
export class Received {
  /** Times a payload came whose readings had all come before. */
  repeats = 0;
  /** Numbers that came with two different readings. */
  readonly contradictions: string[] = [];
  readonly births: string[] = [];
  readonly statuses: string[] = [];
  /** First numbers of the payloads in the order they came. */
  readonly order: number[] = [];
  readonly #readings = new Map<string, string>();
  #numbers = new Map<string, { lowest: number; highest: number; count: number }>();

  readonly take = ({ topic, payload }: Message): void => {
    if (topic.endsWith("/birth")) this.births.push(payload.toString());
    if (topic.endsWith("/status")) this.statuses.push(payload.toString());
    if (!topic.endsWith("/up/lp")) return;
    const parsed = parseBatchHeader(payload);
    if (!parsed?.ok) throw new Error(`a payload without a header: ${payload.toString().slice(0, 200)}`);
    const { outbox, first, n, bodyStart } = parsed.header;
    const lines = payload.toString("latin1", bodyStart).split("\n").slice(0, -1);
    if (lines.length !== n) throw new Error(`${lines.length} lines under a header that says ${n}`);
    let fresh = 0;
    for (const [index, line] of lines.entries()) fresh += this.#takeReading(outbox, first + index, line);
    if (fresh === 0) this.repeats += 1;
    this.order.push(first);
  };

  /** Distinct readings by outbox and number. */
  get count(): number {
    return this.#readings.size;
  }

  get outboxes(): number {
    return this.#numbers.size;
  }

  /** Do the numbers of each outbox run from 0 without a gap? */
  get contiguous(): boolean {
    return [...this.#numbers.values()].every(
      ({ lowest, highest, count }) => lowest === 0 && highest === count - 1,
    );
  }

  /** The lines, in the order of their numbers in each outbox. */
  lines(): string[] {
    return [...this.#readings]
      .map(([key, line]) => ({ number: Number(key.slice(key.indexOf(" "))), line }))
      .sort((one, other) => one.number - other.number)
      .map(({ line }) => line);
  }

  /** The readings of one outbox by their number, in its order. */
  numbered(outbox: string): Map<number, string> {
    const own = [...this.#readings].filter(([key]) => key.startsWith(`${outbox} `));
    const byNumber = own.map(([key, line]) => [Number(key.slice(outbox.length + 1)), line] as const);
    return new Map(byNumber.sort(([one], [other]) => one - other));
  }

  #takeReading(outbox: string, number: number, line: string): number {
    const key = `${outbox} ${number}`;
    const known = this.#readings.get(key);
    if (known !== undefined) {
      if (known !== line) this.contradictions.push(`${key}: ${known} / ${line}`);
      return 0;
    }
    this.#readings.set(key, line);
    const numbers = this.#numbers.get(outbox) ?? { lowest: number, highest: number, count: 0 };
    numbers.lowest = Math.min(numbers.lowest, number);
    numbers.highest = Math.max(numbers.highest, number);
    numbers.count += 1;
    this.#numbers.set(outbox, numbers);
    return 1;
  }
}
