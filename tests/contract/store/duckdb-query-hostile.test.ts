import { text } from "node:stream/consumers";
import * as fc from "fast-check";
import { pino } from "pino";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openDuckDbStore } from "#store/duckdb/index.ts";
import type { Store } from "#store/port.ts";
import type { QueryRequest } from "#store/query.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { TestJournal } from "./journal.ts";

const folder = tempFolder("hostile");
const start = Date.UTC(2026, 0, 30);
const sensors = 3_000;
const rows = 120_000;
const journal = new TestJournal();
let store: Store;

beforeAll(async () => {
  store = await openDuckDbStore({
    path: folder.path,
    log: pino({ level: "silent" }),
    tagsOf: (_, sensor) => [
      { from: Number.NEGATIVE_INFINITY, tags: { district: `'; DROP TABLE series; --"$p0` + sensor.at(-1)! } },
    ],
    queries: { values: 1_000_000 },
  });
  const readings = Array.from({ length: rows }, (_, i) => ({
    measurement: "everything",
    sensor: "s",
    time: start + i,
    fields: { level: i % 3 === 0 ? -2 : i % 10, total: i % 100, open: i % 2 === 0 },
  }));
  const many = Array.from({ length: sensors }, (_, i) => ({
    measurement: "food_stock",
    sensor: `fs-${i}`,
    time: start + i,
    fields: { stock: i },
  }));
  await store.write(journal.append([...readings, ...many]).batch(0));
});
afterAll(async () => {
  await store[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

async function ask(q: string, more: Partial<QueryRequest> = {}): Promise<string> {
  const signal = new AbortController().signal;
  const { body } = await store.query({ q, format: "json", epoch: "ms", signal, ...more });
  return await text(body);
}

async function valuesOf(q: string, more: Partial<QueryRequest> = {}): Promise<unknown[][]> {
  const answer = JSON.parse(await ask(q, more)) as {
    results: [{ error?: string; series?: [{ values: unknown[][] }] }];
  };
  expect(answer.results[0].error).toBeUndefined();
  return answer.results[0].series?.[0].values ?? [];
}

const name = (text: string): string => `"${text.replaceAll(/["\\]/g, "\\$&").replaceAll("\n", "\\n")}"`;
const string = (text: string): string => `'${text.replaceAll(/['\\]/g, "\\$&").replaceAll("\n", "\\n")}'`;

function or(count: number, of: (i: number) => string): string {
  return Array.from({ length: count }, (_, i) => of(i)).join(" OR ");
}

test("no name, text, pattern or parameter of a query becomes SQL", async () => {
  const mark = "zzqq";
  const hostile = fc
    .array(
      fc.constantFrom(
        `'`,
        `"`,
        ";",
        "--",
        "/*",
        "\\",
        "$p0",
        ")",
        " DROP TABLE series",
        " UNION ALL SELECT * FROM journal",
        "::VARCHAR",
        "\n",
        "\u0000",
        "é",
      ),
      { maxLength: 6 },
    )
    .map((parts) => parts.join(mark) + mark);
  let statements = 0;
  await fc.assert(
    fc.asyncProperty(hostile, fc.nat(), async (evil, which) => {
      const q = [
        `SELECT level, ${name(evil)} FROM everything LIMIT 1`,
        `SELECT level AS ${name(evil)} FROM everything LIMIT 1`,
        `SELECT mean(level) FROM everything GROUP BY ${name(evil)}`,
        `SELECT level FROM ${name(evil)}`,
        `SELECT level FROM ${name(evil)}.everything`,
        `SELECT level FROM everything WHERE ${name(evil)} = ${string(evil)} LIMIT 1`,
        `SELECT level FROM everything WHERE ${name(evil)}::field =~ $pattern OR level > 1 LIMIT 1`,
        `SELECT level FROM everything WHERE sensor = ${string(evil)} OR district != $text AND level > 2 LIMIT 1`,
        `SELECT level FROM everything WHERE open = true OR level = ${string(evil)} LIMIT 1`,
        `SELECT mean(${name(evil)}) FROM everything WHERE abs(${name(evil)}) > 1 GROUP BY time(1h) tz('Asia/Qatar')`,
        `SELECT mean(level) FROM everything GROUP BY time(1h) tz(${string(evil)})`,
        "SELECT $name FROM everything WHERE $name > 1 GROUP BY $name",
        `SHOW TAG VALUES WITH KEY = ${name(evil)} WHERE ${name(evil)} = ${string(evil)}`,
      ][which % 13]!;
      const params = { text: evil, name: { identifier: evil }, pattern: { regex: "^a$" } };
      // Whatever it answers: a store that could not run it would throw.
      await ask(q, { params });
      if (!q.startsWith("SELECT")) return;
      const plan = await ask(`EXPLAIN ${q}`, { params, format: "csv" });
      const sql = plan.split("\n").filter((line) => line.includes('"everything_'));
      statements += sql.length;
      expect(sql.join("\n")).not.toContain(mark);
    }),
    { numRuns: 150 },
  );
  expect(statements).toBeGreaterThan(30);
  expect(await valuesOf("SELECT count(level) FROM everything")).toEqual([[0, rows]]);
  expect(await valuesOf("SHOW SERIES CARDINALITY")).toEqual([[sensors + 1]]);
});

test("names of what JavaScript's objects have are names like others", async () => {
  for (const word of ["constructor", "__proto__", "toString", "hasOwnProperty"]) {
    const grouped = await ask(`SELECT count(level) FROM everything GROUP BY "${word}"`);
    expect(grouped).toContain(`"tags":{"${word}":""}`);
    expect(await valuesOf(`SELECT count(level) FROM everything WHERE "${word}"::tag = ''`)).toEqual([
      [0, rows],
    ]);
    expect(await valuesOf(`SHOW SERIES FROM everything WHERE "${word}" = ''`)).toHaveLength(1);
  }
});

test("conditions of functions, quotients and the largest integers are answered", async () => {
  const counts: readonly [condition: string, matches: (level: number, total: number) => boolean][] = [
    ["abs(level) = 2", (level) => Math.abs(level) === 2],
    ["pow(total, 2) > 9000", (_, total) => total ** 2 > 9000],
    ["total > -9223372036854775808", () => true],
    ["(total * 9223372036854775807) & 1 = 1", () => false],
    ["level / total > 1", (level, total) => total !== 0 && level / total > 1],
    ["level / 0 = 0", () => true],
    ["total % 7 = 3", (_, total) => total % 7 === 3],
    [`level${" / 1".repeat(60)} = 5`, (level) => level === 5],
    [`level${" / -0.5".repeat(3)} < 0`, (level) => level > 0],
  ];
  for (const [condition, matches] of counts) {
    let count = 0;
    for (let i = 0; i < rows; i++) if (matches(i % 3 === 0 ? -2 : i % 10, i % 100)) count += 1;
    const found = await valuesOf(`SELECT count(level) FROM everything WHERE ${condition}`);
    expect([condition, found]).toEqual([condition, count === 0 ? [] : [[0, count]]]);
  }
  expect(await ask(`SELECT level FROM everything WHERE level${" / total".repeat(200)} > 1`)).toMatch(
    /divide in a sub-query/,
  );
});

test("work that is JavaScript's own ends with the time, too", async () => {
  const sums = " + l".repeat(900);
  for (const q of [
    `SELECT count(l) FROM (SELECT level AS l FROM everything) WHERE l${sums} > 1`,
    `SHOW SERIES FROM food_stock WHERE ${or(400, (i) => `sensor =~ /x${i}[0-9]/`)}`,
    `SELECT stock FROM food_stock WHERE ${or(400, (i) => `sensor =~ /x${i}[0-9]/`)}`,
    `SHOW MEASUREMENTS WHERE ${or(400, (i) => `sensor =~ /x${i}[0-9]/`)}`,
  ])
    expect([q, await ask(q, { limits: { time_ms: 30 } })]).toEqual([
      q,
      expect.stringMatching(/longer than 0.03 s \(limit query_max_s\)/),
    ]);
  const large = or(8, (i) => `sensor =~ /(ab|c${i}){900}x{900}(ab|c)*/`);
  expect(await ask(`SELECT stock FROM food_stock WHERE ${large}`)).toMatch(/expressions are too large/);
});

test("a connection is as good as new after a query that was ended", async () => {
  const statements = [
    "SELECT percentile(level, 50) FROM everything GROUP BY time(10ms)",
    "SELECT level, open FROM everything LIMIT 90000",
    "SELECT last(stock) FROM food_stock GROUP BY sensor",
  ];
  for (let i = 0; i < 24; i++) {
    const gone = new AbortController();
    const running = [i, i + 1].map((at) => ask(statements[at % statements.length]!, { signal: gone.signal }));
    const settled = Promise.allSettled(running);
    setTimeout(() => gone.abort(new Error("gone")), (i * 7) % 40);
    await settled;
    const fresh = { measurement: "traffic_flow", sensor: "t", time: start + i, fields: { vehicles: i } };
    await store.write(journal.batchOf([fresh]));
    expect(await valuesOf("SELECT last(vehicles) FROM traffic_flow")).toEqual([[start + i, i]]);
  }
});

test("answers that nobody reads take no more than their share of the memory", async () => {
  const signal = new AbortController();
  const large = {
    q: "SELECT level FROM everything LIMIT 110000",
    format: "json",
    signal: signal.signal,
  } as const;
  const unread: AsyncIterator<Uint8Array>[] = [];
  await expect(async () => {
    for (let i = 0; i < 40; i++) unread.push((await store.query(large)).body[Symbol.asyncIterator]());
  }).rejects.toThrow("too many large answers are being read");
  expect(unread.length).toBeGreaterThan(10);
  signal.abort(new Error("gone"));
  expect((await ask("SELECT level FROM everything LIMIT 110000")).length).toBeGreaterThan(1_000_000);
});
