import { describe, expect, test } from "vitest";
import type { SelectStatement, Statement } from "#store/influxql/ast.ts";
import { InfluxqlError } from "#store/influxql/errors.ts";
import { parse } from "#store/influxql/parser.ts";
import { print } from "#store/influxql/print.ts";
import { longestText } from "#store/influxql/reader.ts";
import { withoutPlaces } from "./generated-statements.ts";

function only(text: string, params: Record<string, unknown> = {}): Statement {
  const statements = parse(text, { params });
  expect(statements).toHaveLength(1);
  return statements[0] as Statement;
}

function select(text: string, params: Record<string, unknown> = {}): SelectStatement {
  const statement = only(text, params);
  if (statement.kind !== "select") throw new Error(`${text} is ${statement.kind}`);
  return statement;
}

function messageOf(text: string, params: Record<string, unknown> = {}): string {
  try {
    parse(text, { params });
  } catch (error) {
    if (error instanceof InfluxqlError) return error.message;
    throw error;
  }
  return "";
}

test("a SELECT with every clause", () => {
  const text =
    'SELECT MEAN("speed_avg") AS "speed", 2 * max(vehicles) FROM "rollup_1h"."traffic_flow", /^water/ ' +
    "WHERE time >= now() - 1h30m AND (\"sensor\" = 'tf-012' OR district =~ /^(west|al\\/bay)$/) " +
    "GROUP BY time(5m, -1m), \"sensor\", * fill(previous) ORDER BY time DESC LIMIT 10 OFFSET 5 SLIMIT 3 SOFFSET 1 tz('Asia/Qatar')";
  const statement = select(text);
  expect(withoutPlaces(statement)).toEqual({
    kind: "select",
    fields: [
      { expr: { kind: "call", name: "mean", args: [{ kind: "ref", name: "speed_avg" }] }, alias: "speed" },
      {
        expr: {
          kind: "binary",
          op: "*",
          left: { kind: "integer", value: 2n },
          right: { kind: "call", name: "max", args: [{ kind: "ref", name: "vehicles" }] },
        },
      },
    ],
    sources: [
      { kind: "measurement", policy: "rollup_1h", name: { name: "traffic_flow" } },
      { kind: "measurement", name: { regex: "^water" } },
    ],
    condition: {
      kind: "binary",
      op: "AND",
      left: {
        kind: "binary",
        op: ">=",
        left: { kind: "ref", name: "time" },
        right: {
          kind: "binary",
          op: "-",
          left: { kind: "call", name: "now", args: [] },
          right: { kind: "duration", ns: 5_400_000_000_000n },
        },
      },
      right: {
        kind: "paren",
        expr: {
          kind: "binary",
          op: "OR",
          left: {
            kind: "binary",
            op: "=",
            left: { kind: "ref", name: "sensor" },
            right: { kind: "string", value: "tf-012" },
          },
          right: {
            kind: "binary",
            op: "=~",
            left: { kind: "ref", name: "district" },
            right: { kind: "regex", regex: "^(west|al/bay)$" },
          },
        },
      },
    },
    dimensions: [
      { kind: "time", every_ns: 300_000_000_000n, offset: { kind: "duration", ns: -60_000_000_000n } },
      { kind: "tag", name: "sensor" },
      { kind: "wildcard" },
    ],
    fill: { kind: "previous" },
    order: "desc",
    limit: 10,
    offset: 5,
    slimit: 3,
    soffset: 1,
    zone: "Asia/Qatar",
  });
});

describe("what a text says", () => {
  test.each([
    ["SELECT a + b * c - d FROM m", "((a + (b * c)) - d)"],
    ["SELECT a - b - c FROM m", "((a - b) - c)"],
    ["SELECT a & b | c ^ d % e FROM m", "(((a & b) | c) ^ (d % e))"],
    ["SELECT -a * b FROM m", "((-1 * a) * b)"],
    ["SELECT a - -b FROM m", "(a - (-1 * b))"],
    ["SELECT -5 - -1.5 FROM m", "(-5 - -1.5)"],
    ["SELECT -(a + b) FROM m", "(-1 * (a + b))"],
    ["SELECT -9223372036854775808 FROM m", "-9223372036854775808"],
  ])("%s", (text, expected) => {
    const bracketed = (expr: SelectStatement["fields"][number]["expr"]): string => {
      if (expr.kind === "binary") return `(${bracketed(expr.left)} ${expr.op} ${bracketed(expr.right)})`;
      return expr.kind === "paren" ? bracketed(expr.expr) : print(expr);
    };
    expect(bracketed(select(text).fields[0]?.expr ?? { kind: "boolean", value: false, at: 0 })).toBe(
      expected,
    );
  });

  test.each([
    ['SELECT a FROM "db"."rp"."m"', "SELECT a FROM db.rp.m"],
    ["select A from db..m", "SELECT A FROM db..m"],
    ["SELECT a FROM rp./x/ , db../y/, db.rp./z/", "SELECT a FROM rp./x/, db../y/, db.rp./z/"],
    ["SELECT a -- which\nFROM /* where? */ m", "SELECT a FROM m"],
    ["SELECT *::field, *::tag, a::integer FROM m", "SELECT *::field, *::tag, a::integer FROM m"],
    ["SELECT count(DISTINCT a), distinct(b) FROM m", "SELECT count(DISTINCT a), distinct(b) FROM m"],
    ["SELECT mean(/^v/), /a\\/b/ FROM m", "SELECT mean(/^v/), /a\\/b/ FROM m"],
    ["SELECT a FROM (SELECT b AS a FROM m)", "SELECT a FROM (SELECT b AS a FROM m)"],
    ["SELECT a FROM m GROUP BY time(1w1d)", "SELECT a FROM m GROUP BY time(8d)"],
    ["SELECT a FROM m GROUP BY time(0s), b", "SELECT a FROM m GROUP BY b"],
    ["SELECT a FROM m WHERE a <> 1", "SELECT a FROM m WHERE a != 1"],
    ["SELECT a FROM m WHERE b = 'it\\'s \\\\ \\n'", "SELECT a FROM m WHERE b = 'it\\'s \\\\ \\n'"],
    ["SELECT a FROM m fill(1) ORDER BY DESC", "SELECT a FROM m fill(1.0) ORDER BY time DESC"],
    ["SELECT a FROM m; ;SELECT b FROM m;", "SELECT a FROM m; SELECT b FROM m"],
    ["EXPLAIN ANALYZE SELECT a FROM m", "EXPLAIN ANALYZE SELECT a FROM m"],
    ["SHOW DATABASES", "SHOW DATABASES"],
    ["SHOW RETENTION POLICIES ON marsad", "SHOW RETENTION POLICIES ON marsad"],
    [
      "SHOW MEASUREMENTS WITH MEASUREMENT =~ /w/ WHERE a = 'b' LIMIT 5",
      "SHOW MEASUREMENTS WITH MEASUREMENT =~ /w/ WHERE a = 'b' LIMIT 5",
    ],
    ["SHOW TAG KEYS ON d FROM m OFFSET 2 SLIMIT 1", "SHOW TAG KEYS ON d FROM m OFFSET 2"],
    [
      'SHOW TAG VALUES FROM m, /n/ WITH KEY IN (a, "b c")',
      'SHOW TAG VALUES FROM m, /n/ WITH KEY IN (a, "b c")',
    ],
    ["SHOW TAG VALUES WITH KEY =~ /a|b/", "SHOW TAG VALUES WITH KEY =~ /a|b/"],
    ["SHOW TAG VALUES CARDINALITY WITH KEY = a", "SHOW TAG VALUES CARDINALITY WITH KEY = a"],
    ["SHOW FIELD KEY CARDINALITY", "SHOW FIELD KEY CARDINALITY"],
    ["SHOW MEASUREMENT EXACT CARDINALITY ON d", "SHOW MEASUREMENT EXACT CARDINALITY ON d"],
    ["SHOW SERIES FROM m WHERE a = 'b' ORDER BY time LIMIT 1", "SHOW SERIES FROM m WHERE a = 'b' LIMIT 1"],
    ["", ""],
    [" -- nothing", ""],
  ])("%s", (text, expected) => {
    expect(parse(text).map(print).join("; ")).toBe(expected);
  });
});

test("where parts stand", () => {
  const { fields, sources } = select("SELECT a,\n mean(b) FROM m");
  expect([fields[0]?.expr.at, fields[1]?.expr.at, sources[0]?.at]).toEqual([7, 11, 24]);
});

test("parameters stand for one token each, and are never read as text", () => {
  const text = (params: Record<string, unknown>): string =>
    print(select("SELECT a FROM m WHERE b = $x", params));
  expect(text({ x: "' OR 1 = 1 --" })).toBe("SELECT a FROM m WHERE b = '\\' OR 1 = 1 --'");
  expect(text({ x: 5 })).toBe("SELECT a FROM m WHERE b = 5");
  expect(text({ x: -5 })).toBe("SELECT a FROM m WHERE b = -5");
  expect(text({ x: 1e-7 })).toBe("SELECT a FROM m WHERE b = 0.0000001");
  expect(text({ x: true })).toBe("SELECT a FROM m WHERE b = true");
  expect(text({ x: { duration: "1h" } })).toBe("SELECT a FROM m WHERE b = 1h");
  expect(text({ x: { duration: 5_000_000_000 } })).toBe("SELECT a FROM m WHERE b = 5s");
  expect(text({ x: { identifier: 'a "b"' } })).toBe('SELECT a FROM m WHERE b = "a \\"b\\""');
  expect(text({ x: { integer: 7 } })).toBe("SELECT a FROM m WHERE b = 7");
  expect(text({ x: { float: 7 } })).toBe("SELECT a FROM m WHERE b = 7.0");
  const regex = print(select("SELECT $f FROM m WHERE b =~ $x", { f: { ident: "v" }, x: { regex: "^a/b" } }));
  expect(regex).toBe("SELECT v FROM m WHERE b =~ /^a\\/b/");
  expect(messageOf("SELECT $x FROM m", {})).toContain("missing parameter: x at line 1, char 8");
  expect(messageOf("SELECT $ FROM m", {})).toContain("empty bound parameter");
  expect(messageOf("SELECT $x FROM m", { x: null })).toContain("unable to bind parameter with type null");
  expect(messageOf("SELECT $x FROM m", { x: { a: 1 } })).toContain("unknown bind object type: a");
  expect(messageOf("SELECT $constructor FROM m", {})).toContain("missing parameter");
  expect(messageOf("SELECT a FROM m WHERE b =~ $x", { x: { regex: "(" } })).toContain("error parsing regexp");
});

test.each([
  ["DROP MEASUREMENT m", "DROP MEASUREMENT", "age"],
  ["DROP SERIES FROM m", "DROP SERIES", "age"],
  ["DELETE FROM m", "DELETE", "age"],
  ["CREATE DATABASE d", "CREATE DATABASE", "configuration"],
  ["ALTER RETENTION POLICY a ON b DEFAULT", "ALTER RETENTION POLICY", "configuration"],
  ["CREATE CONTINUOUS QUERY q ON d BEGIN SELECT 1 END", "CREATE CONTINUOUS QUERY", "roll-ups"],
  ["CREATE USER u WITH PASSWORD 'p'", "CREATE USER", "marsad user"],
  ["GRANT ALL TO u", "GRANT", "marsad user"],
  ["REVOKE ALL FROM u", "REVOKE", "marsad user"],
  ["SET PASSWORD FOR u = 'p'", "SET PASSWORD", "marsad user"],
  ["KILL QUERY 1", "KILL QUERY", "time limit"],
  ["INSERT m v=1", "INSERT", "/write"],
  ["SELECT a INTO b FROM m", "SELECT … INTO", "jobs"],
  ["SELECT a FROM (SELECT a INTO b FROM m)", "SELECT … INTO", "jobs"],
  ["EXPLAIN SELECT a INTO b FROM m", "SELECT … INTO", "jobs"],
  ["SELECT a FROM m; DROP DATABASE d", "DROP DATABASE", "configuration"],
])("%s is refused, and says what to do instead", (text, name, instead) => {
  const message = messageOf(text);
  expect(message).toContain(`${name} is refused: /query only reads.`);
  expect(message).toContain(instead);
});

test.each([
  "CONTINUOUS QUERIES",
  "DIAGNOSTICS",
  "GRANTS FOR u",
  "QUERIES",
  "SHARDS",
  "STATS",
  "SUBSCRIPTIONS",
  "USERS",
])("SHOW %s is not offered", (words) => {
  expect(messageOf(`SHOW ${words}`)).toMatch(/^SHOW [A-Z]+ is not offered. Instead: /);
});

test("errors name the line and the character", () => {
  expect(messageOf("SELECT a\nFROM\n  m x")).toBe(
    "error parsing query: found x, expected ; at line 3, char 5",
  );
  expect(messageOf("SELECT a FROM m WHERE b = 99999999999999999999")).toBe(
    "error parsing query: unable to parse integer at line 1, char 27",
  );
  expect(messageOf("SELECT a FROM m WHERE time > 1x")).toBe(
    "error parsing query: invalid duration at line 1, char 30",
  );
  expect(messageOf("SELECT 'é𝄞', x y FROM m")).toBe(
    "error parsing query: found y, expected FROM at line 1, char 16",
  );
});

const nested = (depth: number): string => `SELECT ${"(".repeat(depth)}a${")".repeat(depth)} FROM m`;

const queries = (depth: number): string =>
  `${"SELECT a FROM (".repeat(depth)}SELECT a FROM m${")".repeat(depth)}`;

const chain = (length: number): string => `SELECT a FROM m WHERE ${"a = 1 OR ".repeat(length)}a = 1`;

test("a text, its nesting and its operators are bounded", () => {
  expect(messageOf(nested(40))).toBe("");
  expect(messageOf(nested(100_000))).toContain("nested more than 50 deep");
  expect(messageOf(queries(40))).toBe("");
  expect(messageOf(queries(60))).toContain("nested more than 50 deep");
  expect(messageOf(chain(400))).toBe("");
  expect(messageOf(chain(10_000))).toContain("more than 1000 operators");
  const values = Array.from({ length: 15_000 }, (_, index) => `sensor-${index}`).join("|");
  expect(messageOf(`SELECT a FROM m WHERE s =~ /^(${values})$/`)).toBe("");
  expect(messageOf(`SELECT a FROM m WHERE s = '${"x".repeat(longestText)}'`)).toContain("characters");
  expect(messageOf("SELECT a FROM m;".repeat(300))).toContain("more than 200 statements");
});
