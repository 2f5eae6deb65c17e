import type { ResultBatch } from "#store/results.ts";
import { type Reading, TestJournal } from "./journal.ts";

const minute = 60_000;
const start = Date.UTC(2026, 0, 31, 20);
const readingsPerBlock = 20;
export const rowsPerBatch = 50;

/** Readings and roll-ups by the number of their block alone, so that another process can say what a store must hold. */
export class ResultsLoad {
  readonly journal = new TestJournal(undefined, "11111111-2222-4333-8444-666666666666");

  /** Readings of a minute each; some minutes of the block before again. */
  readings(block: number): Reading[] {
    return Array.from({ length: readingsPerBlock }, (_, i) => ({
      measurement: "traffic_flow",
      sensor: `s-${block % 3}`,
      time: start + (block * 17 + i) * minute + block,
      fields: { vehicles: i },
    }));
  }

  batch(position: number): ReturnType<TestJournal["batch"]> {
    while (this.journal.next <= position) this.journal.append(this.readings(this.journal.next));
    return this.journal.batch(position, position + 1);
  }

  /** @param round  1: once more, with other values. */
  rollup(block: number, round: 0 | 1): ResultBatch {
    const rows = Array.from({ length: rowsPerBatch }, (_, i) => i);
    return {
      policy: "rollup_1m",
      measurement: "traffic_flow",
      fields: [
        { name: "vehicles_sum", type: "float", values: Float64Array.from(rows, (i) => i + round / 2) },
        { name: `block_${block % 4}`, type: "integer", values: Float64Array.from(rows, () => block) },
      ],
      time: Float64Array.from(rows, (i) => start + (block * rowsPerBatch + i) * minute),
      series: new Uint32Array(rowsPerBatch),
    };
  }
}
