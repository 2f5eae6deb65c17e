import type { StoreBatch } from "#store/port.ts";
import { type Reading, TestJournal } from "./journal.ts";
import { Model } from "./model.ts";

const start = Date.UTC(2026, 0, 30);
const sensors = 20;
/** Times of a sensor in the day. */
const times = 2_000;
export const readingsPerBlock = 200;

/** A journal of one closed day, whose block `n` follows from `n` alone: readings in order, late ones, corrections, and the same again. */
export class ClosedDayLoad {
  readonly journal = new TestJournal(undefined, "11111111-2222-4333-8444-555555555555");
  readonly names: readonly string[] = Array.from({ length: sensors }, (_, n) => `s-${n}`);

  /** One block. */
  batch(position: number): StoreBatch {
    while (this.journal.next <= position) this.journal.append(this.#readings(this.journal.next));
    return this.journal.batch(position, position + 1);
  }

  /** What must be stored after blocks 0 … `position - 1`. */
  model(position: number): Model {
    const model = new Model();
    for (let block = 0; block < position; block++)
      for (const reading of this.#readings(block)) model.add(reading);
    return model;
  }

  #readings(block: number): Reading[] {
    return Array.from({ length: readingsPerBlock }, (_, i) => {
      // Every other block goes on in time; those between come from anywhere in the day.
      const n =
        block % 2 === 0 ? (block / 2) * readingsPerBlock + i : scattered(block * readingsPerBlock + i);
      const fields = i % 3 === 0 ? { speed_avg: block % 7 } : { vehicles: block % 5, speed_avg: i % 4 };
      return {
        measurement: "traffic_flow",
        sensor: `s-${n % sensors}`,
        time: start + (Math.floor(n / sensors) % times) * 40_000,
        fields,
      };
    });
  }
}

function scattered(n: number): number {
  return (Math.imul(n, 0x9e37_79b1) >>> 0) % (sensors * times);
}
