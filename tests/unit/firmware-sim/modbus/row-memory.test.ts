import * as fc from "fast-check";
import { expect, test } from "vitest";
import { RowMemory, type Master } from "#firmware-sim/modbus/row-memory.ts";

/** A connection whose every request comes after the last answer, as masters do. */
class Connection implements Master {
  turn = 0;
  ask(memory: RowMemory): number | undefined {
    this.turn += 1;
    return memory.show(this)?.number;
  }
}

function filled(rows: number, capacity = 10): RowMemory {
  const memory = new RowMemory(capacity);
  for (let i = 1; i <= rows; i += 1) memory.push(1000 * i, Float64Array.of(i));
  return memory;
}

test("each request on a connection moves one row on, and the last row stays", () => {
  const memory = filled(3);
  const agent = new Connection();
  expect([1, 2, 3, 4, 5].map(() => agent.ask(memory))).toEqual([1, 2, 3, 3, 3]);
  expect([memory.fetched, memory.unread]).toEqual([3, 0]);
  memory.push(4000, Float64Array.of(4));
  expect([agent.ask(memory), agent.ask(memory)]).toEqual([4, 4]);
});

test("a new connection is shown the last row again", () => {
  const memory = filled(3);
  const first = new Connection();
  expect([first.ask(memory), first.ask(memory)]).toEqual([1, 2]);
  const second = new Connection();
  expect([second.ask(memory), second.ask(memory)]).toEqual([2, 3]);
});

test("requests that came together prove nothing of one another", () => {
  const memory = filled(3);
  const agent = { turn: 1 };
  expect([memory.show(agent)?.number, memory.show(agent)?.number]).toEqual([1, 1]);
  agent.turn = 2;
  expect(memory.show(agent)?.number).toBe(2);
});

test("a full memory overwrites its oldest row, and counts those that nobody fetched", () => {
  const memory = filled(5, 3);
  expect([memory.overwritten, memory.unread]).toEqual([2, 3]);
  const agent = new Connection();
  expect([1, 2, 3, 4].map(() => agent.ask(memory))).toEqual([3, 4, 5, 5]);
  for (let i = 6; i <= 8; i += 1) memory.push(1000 * i, Float64Array.of(i));
  expect(memory.overwritten).toBe(2); // row 5 was fetched
  expect(agent.ask(memory)).toBe(6);
});

test("before the first row there is nothing to show", () => {
  const memory = filled(0);
  const agent = new Connection();
  expect(agent.ask(memory)).toBeUndefined();
  memory.push(1, Float64Array.of(1));
  expect([agent.ask(memory), memory.fetched]).toEqual([1, 0]);
});

test("saved and restored it shows the same rows with the same numbers, also those absent", () => {
  const memory = filled(4);
  memory.push(5000, Float64Array.of(Number.NaN));
  const agent = new Connection();
  agent.ask(memory);
  agent.ask(memory);
  const successor = new RowMemory(10);
  successor.restore(JSON.parse(JSON.stringify(memory.save())));
  successor.push(6000, Float64Array.of(6));
  const other = new Connection();
  const shown = Array.from({ length: 5 }, () => {
    other.turn += 1;
    return successor.show(other);
  });
  expect(shown.map((row) => [row?.number, row?.time, row?.values[0]])).toEqual([
    [2, 2000, 2],
    [3, 3000, 3],
    [4, 4000, 4],
    [5, 5000, Number.NaN],
    [6, 6000, 6],
  ]);
});

test("whatever is cut and whenever rows come, an agent misses only what was overwritten, and rows never go back", () => {
  const steps = fc.array(fc.constantFrom("row", "row", "ask", "ask", "lost answer", "reconnect"), {
    maxLength: 200,
  });
  fc.assert(
    fc.property(steps, fc.integer({ min: 1, max: 6 }), (all, capacity) => {
      const memory = new RowMemory(capacity);
      let agent = new Connection();
      const got: number[] = [];
      let pushed = 0;
      const take = (row: number | undefined): void => void (row !== undefined && got.push(row));
      for (const step of all) {
        if (step === "row") memory.push((pushed += 1), Float64Array.of(pushed));
        else if (step === "ask") take(agent.ask(memory));
        else {
          // A cut takes the answer that was on its way along.
          if (step === "lost answer") agent.ask(memory);
          agent = new Connection();
        }
      }
      for (let i = 0; i <= capacity; i += 1) take(agent.ask(memory));
      const distinct = new Set(got);
      const missing = Array.from({ length: pushed }, (_, i) => i + 1).filter((row) => !distinct.has(row));
      expect(missing.length).toBeLessThanOrEqual(memory.overwritten);
      expect(got.every((row, i) => i === 0 || row >= got[i - 1]!)).toBe(true);
    }),
  );
});
