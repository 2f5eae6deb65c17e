import { expect } from "vitest";
import type { Store, StoreBatch } from "#store/port.ts";
import { type Reading, type Shapes, TestJournal } from "./journal.ts";
import { Model, contentOf } from "./model.ts";

/** The store and what it must be, written side by side. */
export class Pair {
  readonly journal = new TestJournal();
  readonly model = new Model();
  readonly sensors: Record<string, string[]> = {};

  async write(
    engine: { write(batch: StoreBatch): Promise<unknown> },
    readings: readonly Reading[],
    changed?: Shapes,
  ): Promise<void> {
    this.journal.append(readings, changed);
    for (const reading of readings) {
      this.model.add(reading);
      const sensors = (this.sensors[reading.measurement] ??= []);
      if (!sensors.includes(reading.sensor)) sensors.push(reading.sensor);
    }
    await engine.write(this.journal.batch(this.journal.next - 1));
  }
}

export async function expectSame(
  { journal, model, sensors }: Pair,
  store: Pick<Store, "read" | "count" | "tallies">,
): Promise<void> {
  expect(await contentOf(store, journal, sensors)).toEqual(model.rows);
  expect(await store.count()).toBe(model.rows.size);
  const tallies = (await store.tallies()).toSorted((a, b) => a.gateway.localeCompare(b.gateway));
  expect(tallies).toEqual(model.tallies());
}
