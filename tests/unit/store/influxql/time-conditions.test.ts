import { describe, expect, test } from "vitest";
import type { Expr } from "#store/influxql/ast.ts";
import { parse } from "#store/influxql/parser.ts";
import { print } from "#store/influxql/print.ts";
import { millisecondsOf, splitCondition } from "#store/influxql/time-conditions.ts";

const now = Date.UTC(2026, 10, 28, 12);

function conditionOf(text: string): Expr | undefined {
  const [statement] = parse(`SELECT a FROM m WHERE ${text}`);
  return statement?.kind === "select" ? statement.condition : undefined;
}

const shown = (ms: number, isThere: boolean): string => (isThere ? new Date(ms).toISOString() : "-");

/** `from … to, rest`, with `-` for what is not there. */
function split(text: string, zone?: string): string {
  const { range, rest } = splitCondition(conditionOf(text), { now, zone });
  const { from, to } = millisecondsOf(range);
  return [
    shown(from, range.min_ns !== undefined),
    shown(to, range.max_ns !== undefined),
    rest === undefined ? "-" : print(rest),
  ].join(" ");
}

describe("times and the rest of a WHERE", () => {
  test.each([
    ["time >= now() - 1h", "2026-11-28T11:00:00.000Z - -"],
    ["time > now() - 1h AND time < now()", "2026-11-28T11:00:00.001Z 2026-11-28T12:00:00.000Z -"],
    ["now() >= time", "- 2026-11-28T12:00:00.001Z -"],
    ["time = 1700000000000ms", "2023-11-14T22:13:20.000Z 2023-11-14T22:13:20.001Z -"],
    [
      "time >= 1700000000000ms and time <= 1700000060s",
      "2023-11-14T22:13:20.000Z 2023-11-14T22:14:20.001Z -",
    ],
    ["time >= 1700000000000000001", "2023-11-14T22:13:20.001Z - -"],
    ["time <= 1700000000000000001", "- 2023-11-14T22:13:20.001Z -"],
    ["time < 1700000000000000001", "- 2023-11-14T22:13:20.001Z -"],
    ["time > -1", "1970-01-01T00:00:00.000Z - -"],
    ["time < -1500000", "- 1969-12-31T23:59:59.999Z -"],
    ["time > '2026-11-28'", "2026-11-28T00:00:00.001Z - -"],
    ["time >= '2026-11-28 11:30:00.25'", "2026-11-28T11:30:00.250Z - -"],
    ["time >= '2026-11-28T11:30:00+03:00'", "2026-11-28T08:30:00.000Z - -"],
    ["time >= '2026-11-28T11:30:00Z' - 1d", "2026-11-27T11:30:00.000Z - -"],
    ["TIME >= 0 AND a = 1", "1970-01-01T00:00:00.000Z - a = 1"],
    ["(time >= 0 AND a = 1) AND (b = 2)", "1970-01-01T00:00:00.000Z - (a = 1) AND (b = 2)"],
    ["time > 1h OR a = 1", "1970-01-01T01:00:00.001Z - a = 1"],
    [
      "time > 1h AND time > 2h AND time < 9h AND time < 8h",
      "1970-01-01T02:00:00.001Z 1970-01-01T08:00:00.000Z -",
    ],
    ["a < 5 + 3 AND b = 2 * 3.5", "- - a < 8 AND b = 7.0"],
    ['1000 - 500 > "from_ms"', "- - 500 > from_ms"],
    ["5 / 2 = a OR 7 % 4 = b", "- - 2.5 = a OR 3 = b"],
    ["(a = 1)", "- - a = 1"],
    ["1 = 1", "- - -"],
    ["1 > 2 AND a = 1", "- - false"],
    ["1 > 2 OR a = 1", "- - a = 1"],
    ["true AND time > 0", "1970-01-01T00:00:00.001Z - -"],
    ["a > now() - 1h", "- - false"],
  ])("%s", (text, expected) => {
    expect(split(text)).toBe(expected);
  });

  test("times without a zone are those of the statement", () => {
    expect(split("time >= '2026-11-28'", "Asia/Qatar")).toBe("2026-11-27T21:00:00.000Z - -");
    expect(split("time >= '2026-07-01 12:00:00'", "Europe/Berlin")).toBe("2026-07-01T10:00:00.000Z - -");
    // The hour that is skipped, the one that comes twice, and one that says its zone.
    expect(split("time >= '2026-03-29 02:30:00'", "Europe/Berlin")).toBe("2026-03-29T01:30:00.000Z - -");
    expect(split("time >= '2026-10-25 02:30:00'", "Europe/Berlin")).toBe("2026-10-25T01:30:00.000Z - -");
    expect(split("time >= '2026-10-25T02:30:00Z'", "Europe/Berlin")).toBe("2026-10-25T02:30:00.000Z - -");
  });

  test.each([
    ["a", "invalid condition expression: a"],
    ["time = a", "invalid operation: time and a are not compatible"],
    ["time > 'yesterday'", "invalid operation: time and 'yesterday' are not compatible"],
    ["time > '2026-02-30'", "invalid timestamp string"],
    ["time > '2026-02-03 4'", "invalid timestamp string"],
    ["time != 5", "invalid time comparison operator: !="],
    ["time > '3000-01-01'", "time 3000-01-01T00:00:00.000Z overflows time literal"],
    ["time > '1600-01-01'", "underflows time literal"],
  ])("%s is refused", (text, message) => {
    expect(() => split(text)).toThrow(message);
  });
});
