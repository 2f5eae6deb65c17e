import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import { uniformInt } from "pure-rand/distribution/uniformInt";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ScanContext, scan } from "#store/duckdb/query/scan.ts";
import { SeriesTags } from "#store/duckdb/query/series-tags.ts";
import type { Measurement } from "#store/duckdb/query/tables.ts";
import { fieldTypeOf } from "#store/duckdb/partition.ts";
import { type Session, openSession } from "#store/duckdb/session.ts";
import type { Expr } from "#store/influxql/ast.ts";
import type { Aggregate, AggregateFunction, ScanGroup, ScanRequest } from "#store/influxql/engine.ts";
import { parse } from "#store/influxql/parser.ts";
import { requireDebian, whySkipped } from "../../support/debian.ts";
import { type Influxd, type InfluxSeries, startInfluxd } from "../../support/influxd.ts";
import { everyScan } from "../../support/soak.ts";
import { tempFolder } from "../../support/temp-folder.ts";

const there = await requireDebian("influxdb");
const note = there ? "" : ` (${whySkipped("influxdb")})`;

const hour = 3_600_000;
/** Across a night in which Europe's clocks go back. */
const start = Date.UTC(2025, 9, 24, 20);
const end = start + 80 * hour;
const moved = Date.UTC(2025, 9, 25, 13, 7);
const fields = { f: "float", i: "integer", b: "boolean", t: "string" } as const;
type Field = keyof typeof fields;

interface Row {
  readonly series: number;
  readonly time: number;
  readonly values: Readonly<Partial<Record<Field, number | boolean | string>>>;
}

function randomRows(): Row[] {
  const random = xoroshiro128plus(5);
  const any = (most: number): number => uniformInt(random, 0, most - 1);
  const rows = new Map<string, Row>();
  for (let n = 0; n < 4_000; n++) {
    const series = any(12);
    // Many at the same time, and few values: so that there are ties.
    const time = start + any(400) * 12 * 60_000;
    const values: Row["values"] = {
      ...(any(4) > 0 && { f: any(40) / 4 }),
      ...(any(3) > 0 && { i: any(9) - 4 }),
      ...(any(3) === 0 && { b: any(2) === 0 }),
      ...(any(5) === 0 && { t: ["", "abc", "Abd", "zz"][any(4)]! }),
    };
    if (Object.keys(values).length > 0) rows.set(`${series} ${time}`, { series, time, values });
  }
  return [...rows.values()];
}

/** Series 3 and 7 move to another district; 11 says nothing but its sensor. */
function versionsOf(series: number): { from: number; tags: Record<string, string> }[] {
  if (series === 11) return [{ from: Number.NEGATIVE_INFINITY, tags: {} }];
  const tags = { district: `d${series % 3}`, ...(series % 2 === 0 && { role: "meter" }) };
  const before = [{ from: Number.NEGATIVE_INFINITY, tags }];
  return series === 3 || series === 7
    ? [...before, { from: moved, tags: { ...tags, district: "d9" } }]
    : before;
}

const sensorOf = (series: number): string => `s-${String(series).padStart(2, "0")}`;

describe.skipIf(!there)(`scans of DuckDB and a real influxd agree${note}`, () => {
  let folder: ReturnType<typeof tempFolder>;
  let influxd: Influxd;
  let session: Session;
  let measurement: Measurement;

  beforeAll(async () => {
    folder = tempFolder("scan");
    influxd = await startInfluxd({ folder: folder.path });
    const rows = randomRows();
    await influxd.query("CREATE DATABASE scan");
    const status = await influxd.write("scan", rows.map(lineOf).join("\n"));
    if (status !== 204) throw new Error(`influxd answers ${status}`);
    const options = { path: `${folder.path}/scan.duckdb`, memoryLimit: "256MB", threads: 1 };
    const empty = await openSession(options);
    await writeTables(empty, rows);
    empty.database.close();
    session = await openSession(options);
    const tags = new SeriesTags({
      key: "sensor",
      of: sensorOf,
      find: (values) => [...values].map((value) => Number(value.slice(2))).filter((series) => series < 12),
    });
    for (let series = 0; series < 12; series++) tags.put(series, versionsOf(series));
    measurement = {
      fields: new Map(session.partitions.columns("m").map(({ name, type }) => [name, fieldTypeOf(type)])),
      groups: (from, to) => session.partitions.groups("m", from, to),
      tags: () => Promise.resolve(tags),
    };
  });
  afterAll(async () => {
    session.database.close();
    await influxd[Symbol.asyncDispose]();
    folder[Symbol.dispose]();
  });

  async function scanned(request: Partial<ScanRequest> & Pick<ScanRequest, "rows">): Promise<ScanGroup[]> {
    const connection = session.database.reader;
    const context: ScanContext = {
      connection,
      inParallel: async (parts) => {
        const found = [];
        for (const part of parts) found.push(await part(connection));
        return found;
      },
      // So that even these few are in several.
      partRows: 500,
      values: 1e9,
      signal: new AbortController().signal,
    };
    return await scan(context, measurement, {
      policy: "autogen",
      measurement: "m",
      from: start,
      to: end,
      groupBy: [],
      ...request,
    });
  }

  const conditions = [
    undefined,
    "district = 'd1'",
    "district != 'd9'",
    "district =~ /^(d0|d9)$/",
    "role = ''",
    "role !~ /met/",
    "sensor = 's-03'",
    "sensor =~ /^(s-03|s-04|s-11)$/ AND district = 'd9'",
    "sensor > 's-03'",
    "f > 5",
    "f = i",
    "i / 2 = 1 OR f / 0 = 0",
    "b = true",
    "b != true AND i < 2.5",
    "t = 'abc' OR t =~ /(?i)a.D/",
    "t !~ /a/",
    "f = 'x' OR district = 'd1'",
    "district = 'd9' OR f > 8",
    "(sensor = 's-03' OR i = 1) AND (district = 'd0' OR b = false)",
    "nothing = ''",
    "nothing = 'x'",
    "district = t",
    "i & 1 = 1 AND i % 3 != 2",
    "f + i * 2 >= 3",
    "false",
  ];
  const groupings: readonly (readonly string[])[] = [[], ["district"], ["sensor"], ["district", "role"]];

  const windows = [
    undefined,
    { every_ms: hour, offset_ms: 0 },
    { every_ms: 25 * 60_000, offset_ms: 7 * 60_000 },
    { every_ms: 24 * hour, offset_ms: 0, zone: "Europe/Berlin" },
    { every_ms: 4 * hour, offset_ms: hour, zone: "Europe/Berlin" },
    { every_ms: 15 * 60_000, offset_ms: 0, zone: "Asia/Riyadh" },
    { every_ms: 2 * hour, offset_ms: 0, zone: "America/New_York" },
  ];
  const numeric: readonly AggregateFunction[] = [
    "count",
    "sum",
    "mean",
    "min",
    "max",
    "first",
    "last",
    "spread",
    "stddev",
    "median",
    "percentile",
  ];
  const all: readonly Aggregate[] = [
    ...(["f", "i"] as const).flatMap((field) =>
      numeric.map((fn): Aggregate => ({ fn, field, ...(fn === "percentile" && { argument: 67.5 }) })),
    ),
    ...(["count", "first", "last", "min", "max"] as const).map((fn): Aggregate => ({ fn, field: "b" })),
    ...(["count", "first", "last"] as const).map((fn): Aggregate => ({ fn, field: "t" })),
    { fn: "percentile", field: "f", argument: 2 },
    { fn: "percentile", field: "f", argument: 100 },
  ];

  test("aggregates of windows", async () => {
    let n = 0;
    for (const window of windows)
      for (const groupBy of groupings)
        for (const condition of conditions) {
          if (!isTaken(n++)) continue;
          // Which of several first or last points at one time is taken without windows, influxd leaves to the order of its heap.
          const isLoose = window === undefined && !groupBy.includes("sensor");
          const aggregates = isLoose ? all.filter(({ fn }) => fn !== "first" && fn !== "last") : all;
          const every = window && `time(${window.every_ms}ms, ${window.offset_ms}ms)`;
          const by = [...(every === undefined ? [] : [every]), ...groupBy.map((key) => `"${key}"`)];
          const calls = aggregates.map(callOf);
          const q =
            `SELECT ${calls.join(", ")} FROM m WHERE ${whereOf(condition)}` +
            `${by.length > 0 ? ` GROUP BY ${by.join(", ")}` : ""}${window === undefined ? "" : " fill(none)"}` +
            (window?.zone === undefined ? "" : ` TZ('${window.zone}')`);
          const rows = { kind: "windowed", window, aggregates } as const;
          const found = await scanned({ rows, groupBy, ...predicateOf(condition) });
          expect([q, asSeries(found, groupBy)]).toEqual([q, asPlain(await influxd.query(q, "scan"))]);
        }
  });

  test("the time of what a selector took", async () => {
    for (const aggregate of all.filter(({ fn }) => selectors.includes(fn)))
      for (const condition of ["sensor = 's-03'", "sensor =~ /^s-1/ AND i > 0"]) {
        const q = `SELECT ${callOf(aggregate)} FROM m WHERE ${whereOf(condition)} GROUP BY sensor`;
        const rows = { kind: "windowed", window: undefined, aggregates: [aggregate] } as const;
        const found = await scanned({ rows, groupBy: ["sensor"], ...predicateOf(condition) });
        const taken = found
          .filter(({ selected }) => !Number.isNaN(selected?.[0]?.[0]))
          .map((group) => ({ ...group, time: group.selected![0]! }));
        expect([q, asSeries(taken, ["sensor"])]).toEqual([q, asPlain(await influxd.query(q, "scan"))]);
      }
  });

  test("rows as they are", async () => {
    let n = 0;
    for (const names of [["f"], ["t", "b", "role"], ["i", "f", "sensor", "district"]])
      for (const groupBy of groupings)
        for (const limit of [undefined, 1, 25])
          for (const order of ["asc", "desc"] as const)
            for (const condition of conditions) {
              if (!isTaken(n++)) continue;
              const by = groupBy.length > 0 ? ` GROUP BY ${groupBy.join(", ")}` : "";
              const q =
                `SELECT ${names.join(", ")} FROM m WHERE ${whereOf(condition)}${by} ORDER BY time ${order}` +
                (limit === undefined ? "" : ` LIMIT ${limit}`);
              const columns = names.map(
                (name) => ({ kind: name in fields ? "field" : "tag", name }) as const,
              );
              const rows = { kind: "raw", columns, order, ...(limit !== undefined && { limit }) } as const;
              const found = asSeries(await scanned({ rows, groupBy, ...predicateOf(condition) }), groupBy);
              const expected = asPlain(await influxd.query(q, "scan"));
              // With the times, influxd turns the groups round; here that is for the executor.
              if (order === "desc") expected.reverse();
              // Rows of one time come in the order of influxd's heap; which of them a limit cuts off, too.
              const isCut = limit !== undefined && groupBy[0] !== "sensor";
              const seen = (series: readonly Plain[]): unknown =>
                series.map(({ tags, rows }) => [tags, isCut ? rows.map(([time]) => time) : inOrder(rows)]);
              expect([q, seen(found)]).toEqual([q, seen(expected)]);
            }
  });
});

/** All of these with all of those are many. @param n  counts up */
const isTaken = (n: number): boolean => n % everyScan === 0;

/** Which of several equal values `percentile` takes, is up to how influxd sorts. */
const selectors: readonly string[] = ["min", "max", "first", "last"];

function callOf({ fn, field, argument }: Aggregate): string {
  return `${fn}(${field}${argument === undefined ? "" : `, ${argument}`})`;
}

function whereOf(condition: string | undefined): string {
  return `time >= ${start}ms AND time < ${end}ms${condition === undefined ? "" : ` AND (${condition})`}`;
}

function inOrder(rows: Plain["rows"]): string[] {
  return rows.map((row) => JSON.stringify(row)).toSorted();
}

function predicateOf(condition: string | undefined): { predicate?: Expr } {
  if (condition === undefined) return {};
  const [statement] = parse(`SELECT f FROM m WHERE ${condition}`);
  if (statement?.kind !== "select" || statement.condition === undefined) throw new Error(condition);
  return { predicate: resolved(statement.condition) };
}

function resolved(expr: Expr): Expr {
  if (expr.kind === "paren") return { ...expr, expr: resolved(expr.expr) };
  if (expr.kind === "binary") return { ...expr, left: resolved(expr.left), right: resolved(expr.right) };
  if (expr.kind !== "ref") return expr;
  if (expr.name in fields) return { ...expr, cast: "field" };
  return ["district", "role", "sensor"].includes(expr.name) ? { ...expr, cast: "tag" } : expr;
}

interface Plain {
  readonly tags: readonly string[];
  readonly rows: readonly (readonly unknown[])[];
}

function asSeries(groups: readonly ScanGroup[], groupBy: readonly string[]): Plain[] {
  return groups.map(({ tags, time, columns }) => {
    expect(tags.length).toBe(groupBy.length);
    return {
      tags,
      rows: Array.from(time, (at, row) => [
        at,
        ...columns.map(({ type, values }) => plain(type, values[row]!)),
      ]),
    };
  });
}

function plain(type: string, value: number | string | null): unknown {
  if (typeof value !== "number") return value;
  if (Number.isNaN(value)) return null;
  return type === "boolean" ? value === 1 : rounded(value);
}

/** They sum in another order. */
const rounded = (value: number): number => Number(value.toFixed(9));

function asPlain(series: readonly InfluxSeries[]): Plain[] {
  return series.map(({ tags = {}, values }) => ({
    tags: Object.values(tags),
    rows: values.map((row) => row.map((value) => (typeof value === "number" ? rounded(value) : value))),
  }));
}

function lineOf({ series, time, values }: Row): string {
  const version = versionsOf(series).findLast(({ from }) => from <= time)!;
  const tags = Object.entries({ ...version.tags, sensor: sensorOf(series) }).map(
    ([key, value]) => `,${key}=${value}`,
  );
  const texts = Object.entries(values).map(([name, value]) =>
    typeof value === "string" ? `${name}="${value}"` : `${name}=${value}${name === "i" ? "i" : ""}`,
  );
  return `m${tags.join("")} ${texts.join()} ${time}`;
}

async function writeTables({ database }: Session, rows: readonly Row[]): Promise<void> {
  const types = { f: "DOUBLE", i: "BIGINT", b: "BOOLEAN", t: "VARCHAR" };
  const days = Map.groupBy(rows, ({ time }) => new Date(time).toISOString().slice(0, 10).replaceAll("-", ""));
  for (const [day, found] of days) {
    const columns = Object.entries(types).filter(([name]) => found.some(({ values }) => name in values));
    await database.writer.run(
      `CREATE TABLE m_${day} (time TIMESTAMP_MS, series UINTEGER${columns.map(([name, type]) => `, ${name} ${type}`).join("")})`,
    );
    const tuples = found.map(({ time, series, values }) => {
      const each = columns.map(([name]) =>
        values[name as Field] === undefined ? "NULL" : `'${values[name as Field]}'`,
      );
      return `(epoch_ms(${time})::TIMESTAMP_MS, ${series}, ${each.join(", ")})`;
    });
    await database.writer.run(`INSERT INTO m_${day} VALUES ${tuples.join(", ")}`);
  }
}
