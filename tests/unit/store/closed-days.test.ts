import { expect, test } from "vitest";
import { type ClosedDayRules, ClosedDays } from "#store/duckdb/closed-days.ts";
import { type Partition, day_ms, tableName } from "#store/duckdb/partition.ts";

const minute = 60_000;
const hour = 60 * minute;
const rules: ClosedDayRules = {
  margin: 2 * hour,
  quiet: 10 * minute,
  patience: day_ms,
  fewestRows: 1000,
  tail: 0.1,
};
const january = Date.UTC(2026, 0);
const nobody: ReadonlyMap<string, number> = new Map();

function dayOf(n: number, rows: number): Partition {
  const from = january + n * day_ms;
  const table = tableName("m", "day", from);
  return { place: "main", table, measurement: "m", span: "day", from, to: from + day_ms, columns: [], rows };
}

const names = (due: readonly Partition[]): string[] => due.map(({ table }) => table);

test("a day is closed two hours after its end, when no row has come for ten minutes", () => {
  const closed = new ClosedDays(rules);
  const end = january + day_ms;
  const ask = (at: number, rows: number): number => closed.due([dayOf(0, rows)], nobody, at).length;
  expect(ask(end - hour, 5000)).toBe(0);
  expect(ask(end + 2 * hour, 5000)).toBe(0); // who knows for how long nothing has come
  expect(ask(end + 2 * hour + 9 * minute, 5000)).toBe(0);
  expect(ask(end + 2 * hour + 11 * minute, 5001)).toBe(0);
  expect(ask(end + 2 * hour + 20 * minute, 5001)).toBe(0);
  expect(ask(end + 2 * hour + 21 * minute, 5001)).toBe(1);
});

test("a day that never is quiet is not waited for longer than a day", () => {
  const closed = new ClosedDays(rules);
  const end = january + day_ms;
  for (let at = end + 2 * hour, rows = 5000; at < end + day_ms; at += 5 * minute, rows += 1)
    expect(closed.due([dayOf(0, rows)], nobody, at)).toEqual([]);
  expect(closed.due([dayOf(0, 9999)], nobody, end + day_ms)).toHaveLength(1);
});

test("the newest day comes first; days of few rows stay as they are", () => {
  const closed = new ClosedDays(rules);
  const days = [dayOf(0, 5000), dayOf(1, 999), dayOf(3, 1000), dayOf(2, 7000)];
  expect(names(closed.due(days, nobody, january + 40 * day_ms))).toEqual([
    "m_20260104",
    "m_20260103",
    "m_20260101",
  ]);
});

test("a rewritten day is due again when more than a tenth of it, and no trifle, came afterwards", () => {
  const closed = new ClosedDays(rules);
  const due = (rows: number, sorted: number): boolean => {
    const partition = dayOf(0, rows);
    return closed.due([partition], new Map([[partition.table, sorted]]), january + 40 * day_ms).length === 1;
  };
  expect(due(100_000, 100_000)).toBe(false);
  expect(due(100_000, 90_000)).toBe(false);
  expect(due(100_000, 89_999)).toBe(true);
  expect(due(5000, 4001)).toBe(false);
  expect(due(5000, 4000)).toBe(true);
});
