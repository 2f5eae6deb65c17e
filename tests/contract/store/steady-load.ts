import type { StoreBatch } from "#store/port.ts";
import { type Reading, TestJournal } from "./journal.ts";

const start = Date.UTC(2026, 0, 31, 20);
const sensors = 50;

/** A journal whose block `n` follows from `n` alone, so that another process can say what a store must hold. */
export class SteadyLoad {
  readonly journal = new TestJournal(undefined, "11111111-2222-4333-8444-555555555555");
  readonly readingsPerBlock: number;

  constructor(readingsPerBlock: number) {
    this.readingsPerBlock = readingsPerBlock;
  }

  /** One block: new rows mostly, and some that correct an earlier one. */
  batch(position: number): StoreBatch {
    while (this.journal.next <= position) this.journal.append(this.#readings(this.journal.next));
    return this.journal.batch(position, position + 1);
  }

  /** What must be stored after blocks 0 … `position - 1`. */
  rows(position: number): number {
    return position * this.readingsPerBlock;
  }

  #readings(block: number): Reading[] {
    const first = block * this.readingsPerBlock;
    const readings = Array.from({ length: this.readingsPerBlock }, (_, i) =>
      reading(first + i, { vehicles: first + i }),
    );
    if (block > 0) readings.push(reading(first - 1, { speed_avg: block }));
    return readings;
  }
}

function reading(n: number, fields: Reading["fields"]): Reading {
  return {
    measurement: "traffic_flow",
    sensor: `s-${n % sensors}`,
    time: start + Math.floor(n / sensors) * 1000,
    fields,
  };
}
