import { join } from "node:path";
import { text } from "node:stream/consumers";
import { pino } from "pino";
import { Registry } from "prom-client";
import { expect, test } from "vitest";
import { DuckDbEngine } from "#store/duckdb/engine.ts";
import { type DuckDbStoreOptions, openDuckDbStore } from "#store/duckdb/index.ts";
import type { Store } from "#store/port.ts";
import type { QueryRequest } from "#store/query.ts";
import type { SensorRef } from "#store/tags.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { type Reading, TestJournal } from "./journal.ts";

const start = Date.UTC(2026, 0, 30);

/** A reading a second, 20 sensors take turns. */
function flow(count: number, from = start): Reading[] {
  return Array.from({ length: count }, (_, i) => ({
    measurement: "traffic_flow",
    sensor: `s-${i % 20}`,
    time: from + i * 1_000,
    fields: { vehicles: i % 50, speed_avg: i / 3 },
  }));
}

type Open = AsyncDisposable & { readonly store: Store; readonly metrics: Registry };

async function openCity(
  readings: readonly Reading[],
  options: Partial<DuckDbStoreOptions> = {},
): Promise<Open> {
  const folder = tempFolder("limits");
  const metrics = new Registry();
  const log = pino({ level: "silent" });
  const store = await openDuckDbStore({ path: folder.path, log, metrics, ...options });
  const journal = new TestJournal();
  for (let at = 0; at < readings.length; at += 20_000) journal.append(readings.slice(at, at + 20_000));
  await store.write(journal.batch(0));
  return {
    store,
    metrics,
    async [Symbol.asyncDispose]() {
      await store[Symbol.asyncDispose]();
      folder[Symbol.dispose]();
    },
  };
}

async function ask(store: Store, q: string, more: Partial<QueryRequest> = {}): Promise<string> {
  const signal = new AbortController().signal;
  const { body } = await store.query({ q, format: "csv", epoch: "ms", signal, ...more });
  return await text(body);
}

async function counted(metrics: Registry, name: string): Promise<Record<string, number>> {
  const { values } = await metrics.getSingleMetric(name)!.get();
  return Object.fromEntries(values.map(({ labels, value }) => [Object.values(labels).join(), value]));
}

test("a query that costs too much ends with the limit's name and how to ask for less; the next one is answered", async () => {
  await using city = await openCity(flow(30_000));
  const { store, metrics } = city;
  const all = "SELECT vehicles, speed_avg FROM traffic_flow";
  expect(await ask(store, all, { limits: { rows: 10 } })).toMatch(
    /more than 10 rows \(limit query_max_rows\).*LIMIT/,
  );
  expect(await ask(store, all, { limits: { values: 1_000 } })).toMatch(
    /more than 1000 values \(limit query_max_values\)/,
  );
  expect(await ask(store, all, { limits: { time_ms: 1 } })).toMatch(
    /longer than 0.001 s \(limit query_max_s\)/,
  );
  expect(await ask(store, `${all} LIMIT 1`)).toBe(
    `name,tags,time,vehicles,speed_avg\ntraffic_flow,,${start},0,0\n`,
  );
  expect(await counted(metrics, "marsad_store_query_limits_total")).toEqual({ rows: 1, values: 1, time: 1 });
  expect(await counted(metrics, "marsad_store_queries_total")).toEqual({ answered: 4 });
});

test("what DuckDB has no memory for is the query's error; readings are written all the same", async () => {
  await using city = await openCity(flow(200_000), { memoryLimit: "16MB" });
  const { store } = city;
  expect(await ask(store, "SELECT percentile(speed_avg, 50) FROM traffic_flow")).toMatch(/limit memory/);
  await store.write(new TestJournal(undefined, "11111111-2222-4333-8444-000000000000").append([]).batch(0));
  expect(await ask(store, "SELECT count(vehicles) FROM traffic_flow")).toContain(",200000\n");
});

test("a query that nobody waits for any more ends at once, and nothing is left of it", async () => {
  await using city = await openCity(flow(30_000), { queries: { connections: 1 } });
  const { store, metrics } = city;
  const gone = new AbortController();
  const asked = ask(store, "SELECT percentile(speed_avg, 50) FROM traffic_flow GROUP BY time(1s)", {
    signal: gone.signal,
  });
  setTimeout(() => gone.abort(new Error("gone")), 5);
  await expect(asked).rejects.toThrow("gone");
  const half = await store.query({
    q: "SELECT speed_avg FROM traffic_flow",
    format: "json",
    signal: new AbortController().signal,
  });
  // oxlint-disable-next-line no-unreachable-loop -- whoever leaves the loop has seen enough
  for await (const piece of half.body) {
    expect(piece.length).toBeGreaterThan(0);
    break;
  }
  expect(await ask(store, "SELECT count(vehicles) FROM traffic_flow")).toContain(",30000\n");
  expect(await counted(metrics, "marsad_store_queries_total")).toEqual({ "given up": 2, answered: 1 });
});

test("of too many queries at the same time some are refused, the others answered", async () => {
  await using city = await openCity(flow(30_000), { queries: { connections: 1, waiting: 2 } });
  const { store, metrics } = city;
  const outcomes = await Promise.allSettled(
    Array.from({ length: 8 }, () =>
      ask(store, "SELECT stddev(speed_avg) FROM traffic_flow GROUP BY time(1m)"),
    ),
  );
  const refused = outcomes.filter(({ status }) => status === "rejected");
  expect(refused.length).toBe(5);
  for (const { reason } of refused as PromiseRejectedResult[])
    expect(reason).toMatchObject({ code: "REFUSED", message: /too many queries/ });
  expect(await counted(metrics, "marsad_store_queries_total")).toEqual({ refused: 5, answered: 3 });
});

test("what the registry learns shows in the next query, and a sensor that moved is where it was at the time", async () => {
  let district = "QA-DA-a";
  let move: number | undefined;
  let tell: ((changed: readonly SensorRef[]) => void) | undefined;
  await using city = await openCity(flow(1_000), {
    tagsOf: () => [
      { from: Number.NEGATIVE_INFINITY, tags: { district } },
      ...(move === undefined ? [] : [{ from: move, tags: { district: "QA-DA-b" } }]),
    ],
    onTagsChanged: (listener) => {
      tell = listener;
      return () => (tell = undefined);
    },
  });
  const { store } = city;
  const counts = async (): Promise<string[]> =>
    (await ask(store, "SELECT count(vehicles) FROM traffic_flow GROUP BY district")).split("\n").slice(1, -1);
  expect(await counts()).toEqual(["traffic_flow,district=QA-DA-a,0,1000"]);
  const sensors = Array.from({ length: 20 }, (_, i) => ({ agency: "test", sensor: `s-${i}` }));
  district = "QA-DA-c";
  tell!(sensors);
  expect(await counts()).toEqual(["traffic_flow,district=QA-DA-c,0,1000"]);
  move = start + 700_000;
  tell!(sensors.slice(0, 10));
  expect(await counts()).toEqual([
    "traffic_flow,district=QA-DA-b,0,150",
    "traffic_flow,district=QA-DA-c,0,850",
  ]);
  expect(
    await ask(
      store,
      "SELECT last(vehicles) FROM traffic_flow WHERE district = 'QA-DA-b' GROUP BY sensor LIMIT 1",
    ),
  ).toContain(`sensor=s-0,${start + 980_000},30\n`);
});

test("EXPLAIN shows the SQL, and ANALYZE what DuckDB did", async () => {
  await using city = await openCity(flow(1_000));
  const q = "SELECT mean(vehicles) FROM traffic_flow WHERE sensor = 's-3' GROUP BY time(1m)";
  const plan = await ask(city.store, `EXPLAIN ${q}`);
  expect(plan).toContain('FROM ""main"".""traffic_flow_20260130""');
  expect(plan).toContain("series IN (3)");
  expect(plan).not.toContain("Total Time");
  expect(await ask(city.store, `EXPLAIN ANALYZE ${q}`)).toContain("Total Time");
});

test("tables are put in series order, and dropped, under queries that go on to see all rows of theirs", async () => {
  using folder = tempFolder("swap");
  const engine = new DuckDbEngine({
    path: join(folder.path, "marsad.duckdb"),
    memoryLimit: "256MB",
    threads: 1,
    rewrite: { reserve_bytes: 0, pieceRows: [5_000, 20_000] },
    queries: { connections: 3 },
  });
  const days = [0, 1, 2].map((day) => start + day * 86_400_000);
  const journal = new TestJournal();
  for (const day of days) for (let i = 0; i < 4; i++) journal.append(flow(10_000, day + i * 10_000_000));
  await engine.write(journal.batch(0));

  const over = new AbortController();
  const sums = new Set<string>();
  let asked = 0;
  const reader = async (): Promise<number> => {
    let queries = 0;
    for (; !over.signal.aborted; queries++) {
      const from = `time >= ${days[1]}ms`;
      const query = ++asked;
      const { first } = await engine.openQuery({
        query,
        q: `SELECT sum(vehicles), count(speed_avg) FROM traffic_flow WHERE ${from}; SELECT median(vehicles) FROM traffic_flow WHERE ${from} GROUP BY sensor`,
        format: "csv",
      });
      let answer = "";
      for (let piece = first; ; piece = await engine.nextPiece(query)) {
        answer += new TextDecoder().decode(piece.bytes);
        if (piece.isLast) break;
      }
      sums.add(answer);
    }
    return queries;
  };
  const readers = [reader(), reader(), reader()];
  for (const table of ["traffic_flow_20260131", "traffic_flow_20260201"]) {
    let step;
    do {
      step = await engine.rewriteStep(table);
      await engine.checkpoint();
    } while (step.state === "going");
    expect(step.state).toBe("done");
    await engine.checkpoint();
  }
  expect(await engine.expire("autogen", days[1]!)).toHaveLength(1);
  for (let i = 0; i < 5; i++) {
    await engine.write(journal.append(flow(5_000, days[2]! + 86_400_000 * (i + 1))).batch(journal.next - 1));
    await engine.checkpoint();
  }
  over.abort();
  const queries = await Promise.all(readers);
  expect(Math.min(...queries)).toBeGreaterThan(1);
  const [first, ...others] = sums;
  expect(first).toMatch(/,1960000,80000\n/);
  // Beside it there are what the last writes added, one after the other.
  expect(others.length).toBeLessThanOrEqual(5);
  for (const answer of others) expect(answer).toMatch(/,(85|90|95|100|105)000\n/);
  await engine.close();
});
