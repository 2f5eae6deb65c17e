import { randomUUID } from "node:crypto";
import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type InfluxStoreOptions, openInfluxStore } from "#store/influxdb/index.ts";
import { rollups } from "#store/query.ts";
import type { Store } from "#store/port.ts";
import { requireDebian, whySkipped } from "../../support/debian.ts";
import { type Influxd, startInfluxd } from "../../support/influxd.ts";
import { poll } from "../../support/poll.ts";
import { rowsOf } from "../../support/stored-rows.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { type Reading, TestJournal } from "./journal.ts";

const log = pino({ level: "silent" });
const there = await requireDebian("influxdb");
const note = there ? "" : ` (${whySkipped("influxdb")})`;
const noon = Date.UTC(2026, 0, 31, 12);
const day = 86_400_000;
const user = { name: "marsad", password: 'it\'s a "secret"' };

function flow(sensor: string, time: number, vehicles: number, gateway = "gw-1"): Reading {
  return { measurement: "traffic_flow", sensor, time, fields: { vehicles, speed_avg: 50 }, gateway };
}

function everything(time: number, fields: Reading["fields"]): Reading {
  return { measurement: "everything", sensor: "s", time, fields };
}

describe.skipIf(!there)(`on a real influxd${note}`, () => {
  let folder: ReturnType<typeof tempFolder>;
  let influxd: Influxd;
  beforeAll(async () => {
    folder = tempFolder("influxd");
    influxd = await startInfluxd({ folder: folder.path, maxValuesPerTag: 40 });
  });
  afterAll(async () => {
    await influxd[Symbol.asyncDispose]();
    folder[Symbol.dispose]();
  });

  /** A store in a database of its own that exists already, as another program may have made it. */
  async function openPlace(
    options: Partial<InfluxStoreOptions> = {},
  ): Promise<{ store: Store; database: string; journal: TestJournal } & AsyncDisposable> {
    await using resources = new AsyncDisposableStack();
    const database = `db-${randomUUID()}`;
    await influxd.query(`CREATE DATABASE "${database}"`);
    const { path } = resources.use(tempFolder("store"));
    const store = resources.use(await openInfluxStore({ path, url: influxd.url, database, log, ...options }));
    const all = resources.move();
    return {
      store,
      database,
      journal: new TestJournal(),
      [Symbol.asyncDispose]: () => all.disposeAsync(),
    };
  }

  test("lines whose field another program has stored as another type are refused alone, in influxd's words, and the others are stored", async () => {
    await using place = await openPlace();
    const { store, journal, database } = place;
    // Types are influxd's by shard: on one day `vehicles` is an integer, on the others nothing is known.
    expect(await influxd.write(database, `traffic_flow,sensor=x vehicles=1i ${noon}`)).toBe(204);
    const readings = Array.from({ length: 6_000 }, (_, i) =>
      flow(`tf-${i % 20}`, noon + 10 * day + Math.floor(i / 20) * 1_000, i, i % 2 === 0 ? "gw-1" : "gw-2"),
    );
    const bad = [17, 2_500, 2_501, 5_999].map((i) => flow("tf-7", noon + i, i, "gw-2"));
    for (const [i, reading] of bad.entries()) readings.splice(i * 1_500, 0, reading);
    const outcome = await store.write(journal.batchOf(readings));
    expect(outcome.position).toBe(1);
    expect(outcome.tallies.toSorted((a, b) => a.gateway.localeCompare(b.gateway))).toMatchObject([
      { gateway: "gw-1", stored: 3_000 },
      { gateway: "gw-2", stored: 3_000 },
    ]);
    expect(outcome.refused).toHaveLength(1);
    const [refusal] = outcome.refused;
    expect(refusal).toMatchObject({ gateway: "gw-2", agency: "test", readings: 4, position: 0 });
    expect(refusal!.detail).toBe(
      'field type conflict: input field "vehicles" on measurement "traffic_flow" is type float, already exists as type integer',
    );
    expect(refusal!.lines.split("\n")).toEqual(
      [17, 2_500, 2_501, 5_999].map((i) => `traffic_flow,sensor=tf-7 vehicles=${i},speed_avg=50 ${noon + i}`),
    );
    expect((await rowsOf(store, "traffic_flow")).rows).toHaveLength(6_000);
    expect(await store.refusals(journal.uuid)).toEqual(outcome.refused);
  });

  test("a refusal in the midst of corrections leaves each key with its last arrival", async () => {
    await using place = await openPlace();
    const { store, journal, database } = place;
    await influxd.write(database, `everything,sensor=x level=1i ${noon}`);
    // On this day `level` conflicts and `open` does not: the same keys come with the one, then the other.
    const readings = Array.from({ length: 200 }, (_, i) => [
      everything(noon + i, { total: 1 }),
      everything(noon + i, i % 3 === 0 ? { level: 0.5, total: 99 } : { total: 2 }),
      everything(noon + i, { total: 3, open: true }),
    ]).flat();
    const { refused } = await store.write(journal.batchOf(readings));
    expect(refused.reduce((sum, refusal) => sum + refusal.readings, 0)).toBe(67);
    const { rows } = await rowsOf(store, "everything");
    expect(rows).toHaveLength(200);
    expect(rows.every(({ fields }) => fields["total"] === 3 && fields["open"] === true)).toBe(true);
  });

  test("what is beyond the retention is refused, the rest stored, and the policy has the asked duration", async () => {
    await using place = await openPlace({ retentionDays: 2 });
    const { store, journal, database } = place;
    const now = Date.now();
    const readings = Array.from({ length: 2_000 }, (_, i) =>
      flow(`tf-${i % 10}`, i % 4 === 0 ? now - 3 * day - i : now - i * 1_000, i),
    );
    const { refused, tallies } = await store.write(journal.batchOf(readings));
    expect(refused).toMatchObject([{ readings: 500, detail: "points beyond retention policy" }]);
    expect(tallies).toMatchObject([{ stored: 1_500 }]);
    expect(await store.count()).toBe(1_500);
    const [policies] = await influxd.query(`SHOW RETENTION POLICIES ON "${database}"`);
    expect(policies!.values.map((row) => row[1])).toEqual(["48h0m0s", ...rollups.map(() => "0s")]);
  });

  test("a named policy is made, kept for ever unless asked, and shortened without touching the others", async () => {
    using state = tempFolder("store");
    await using place = await openPlace();
    const { database } = place;
    const journal = new TestJournal();
    const policies = async (): Promise<unknown[][]> =>
      (await influxd.query(`SHOW RETENTION POLICIES ON "${database}"`))[0]!.values
        .filter(([name]) => !rollups.some((rollup) => rollup === name))
        .map((row) => row.slice(0, 2));
    const options = { path: state.path, url: influxd.url, database, policy: "raw", log };
    {
      await using store = await openInfluxStore(options);
      await store.write(journal.batchOf([flow("tf-1", noon, 1)]));
      expect(await store.count()).toBe(1);
      expect(await policies()).toEqual([
        ["autogen", "0s"],
        ["raw", "0s"],
      ]);
    }
    await using store = await openInfluxStore({ ...options, retentionDays: 400 });
    await store.write(journal.batchOf([flow("tf-1", noon + 1, 2)]));
    expect(await policies()).toEqual([
      ["autogen", "0s"],
      ["raw", "9600h0m0s"],
    ]);
    expect(await store.count()).toBe(2);
  });

  test("series beyond influxd's limit are refused as they come, those it knows are stored", async () => {
    await using place = await openPlace();
    const { store, journal } = place;
    await store.write(journal.batchOf(Array.from({ length: 40 }, (_, i) => flow(`tf-${i}`, noon, i))));
    const { refused, tallies } = await store.write(
      journal.batchOf(Array.from({ length: 400 }, (_, i) => flow(`tf-${i % 50}`, noon + 1 + i, i))),
    );
    const gone = refused.flatMap(({ lines }) => lines.split("\n"));
    expect(gone).toHaveLength(80);
    expect(gone.every((line) => /sensor=tf-4\d /.test(line))).toBe(true);
    expect(refused[0]!.detail).toMatch(/max-values-per-tag limit exceeded/);
    expect(tallies).toMatchObject([{ stored: 320 }]);
    expect(await store.count()).toBe(360);
  });

  test("a database that is dropped while it runs is made again, and what is written from then on is there", async () => {
    await using place = await openPlace();
    const { store, journal, database } = place;
    await store.write(journal.batchOf([flow("tf-1", noon, 1)]));
    await influxd.query(`DROP DATABASE "${database}"`);
    const batch = journal.append([flow("tf-1", noon + 1, 2)]).batch(1);
    await expect(store.write(batch)).rejects.toMatchObject({
      code: "STORE_UNAVAILABLE",
      message: expect.stringContaining("database not found"),
    });
    expect(await store.write(journal.batch(1))).toMatchObject({ position: 2, refused: [] });
    expect(await store.count()).toBe(1);
  });

  test("a row that the registry has given other tags since is read once, corrections win whichever tags they came under", async () => {
    let site = "old site";
    const changed = new Set<(sensors: readonly { agency: string; sensor: string }[]) => void>();
    await using place = await openPlace({
      tagsOf: (_, sensor) => [
        { from: 0, tags: { municipality: "QA-DA", site: `${site}, ${sensor}`, role: "detector" } },
        { from: noon + day, tags: { municipality: "QA-RA" } },
      ],
      onTagsChanged: (listener) => {
        changed.add(listener);
        return () => changed.delete(listener);
      },
    });
    const { store, journal, database } = place;
    const write = (readings: Reading[]): Promise<unknown> => store.write(journal.batchOf(readings));
    await write([flow("tf-1", noon, 1), flow("tf-1", noon + day, 2), flow("tf-2", noon, 3)]);
    site = "a new site";
    for (const tell of changed) tell([{ agency: "test", sensor: "tf-1" }]);
    await write([
      { ...flow("tf-1", noon, 0), fields: { vehicles: 10 } },
      flow("tf-1", noon + 1, 4),
      flow("tf-2", noon + 1, 5),
    ]);
    const [sites] = await influxd.query('SHOW TAG VALUES WITH KEY = "site"', database);
    expect(sites!.values.map(([, value]) => value)).toEqual([
      "a new site, tf-1",
      "old site, tf-1",
      "old site, tf-2",
    ]);
    expect(await store.count()).toBe(5);
    const { rows } = await rowsOf(store, "traffic_flow");
    expect(rows.map(({ sensor, time, fields }) => [sensor, time - noon, fields])).toEqual([
      ["tf-1", 0, { vehicles: 10, speed_avg: 50 }],
      ["tf-2", 0, { vehicles: 3, speed_avg: 50 }],
      ["tf-1", 1, { vehicles: 4, speed_avg: 50 }],
      ["tf-2", 1, { vehicles: 5, speed_avg: 50 }],
      ["tf-1", day, { vehicles: 2, speed_avg: 50 }],
    ]);
    // The other way round in the order of tag sets, too.
    site = "zzz";
    for (const tell of changed) tell([{ agency: "test", sensor: "tf-1" }]);
    await write([{ ...flow("tf-1", noon, 0), fields: { vehicles: 20 } }]);
    expect((await rowsOf(store, "traffic_flow")).rows[0]!.fields).toEqual({ vehicles: 20, speed_avg: 50 });
  });

  test("a store folder is for one store: another kind, or another program, is refused by name", async () => {
    const { openDuckDbStore } = await import("#store/duckdb/index.ts");
    using duck = tempFolder("store");
    {
      await using _store = await openDuckDbStore({ path: duck.path, log });
    }
    const options = { url: influxd.url, database: "any", log };
    await expect(openInfluxStore({ ...options, path: duck.path })).rejects.toMatchObject({
      code: "STORE_FORMAT",
      message: expect.stringContaining("holds a DuckDB store"),
    });
    using own = tempFolder("store");
    {
      await using _store = await openInfluxStore({ ...options, path: own.path });
      await expect(openInfluxStore({ ...options, path: own.path })).rejects.toMatchObject({
        code: "STORE_LOCKED",
      });
    }
    await expect(openDuckDbStore({ path: own.path, log })).rejects.toMatchObject({
      code: "STORE_FORMAT",
      message: expect.stringContaining("belongs to a store in InfluxDB"),
    });
  });
});

describe.skipIf(!there)(`on a real influxd${note} that comes and goes, and asks who it is`, () => {
  test("wrong credentials and a server that is away are trouble, said in words; what was offered is taken once they are mended", async () => {
    using folder = tempFolder("influxd");
    await using influxd = await startInfluxd({ folder: folder.path, user });
    using state = tempFolder("store");
    const journal = new TestJournal();
    journal.append([flow("tf-1", noon, 1)]).append([flow("tf-1", noon + 1, 2)]);
    const options = { path: state.path, url: influxd.url, database: "city", log, timeout: 1_000 };
    {
      await using stranger = await openInfluxStore(options);
      await expect(stranger.write(journal.batch(0))).rejects.toMatchObject({
        code: "STORE_UNAVAILABLE",
        message: expect.stringMatching(/refuses without a user \(401/),
      });
      await poll(() => stranger.trouble()?.includes("401"));
      expect(await stranger.position(journal.uuid)).toBe(0);
    }
    await using store = await openInfluxStore({ ...options, user: user.name, password: user.password });
    await poll(() => store.trouble() === undefined);
    await store.write(journal.batch(0, 1));

    await influxd.pause();
    await expect(store.write(journal.batch(1))).rejects.toMatchObject({
      code: "STORE_UNAVAILABLE",
      message: expect.stringContaining("no answer within 1 s"),
    });
    await poll(() => store.trouble()?.includes("no answer"));
    influxd.resume();
    expect(await poll(() => store.write(journal.batch(1)).catch(() => undefined))).toMatchObject({
      position: 2,
    });
    await poll(() => store.trouble() === undefined);

    await influxd.end("SIGKILL");
    const third = journal.append([flow("tf-1", noon + 2, 3)]);
    await expect(store.write(third.batch(2))).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
    await poll(() => store.trouble()?.includes("cannot be reached"));
    // Positions, dictionary and tallies are ours, and do not need it.
    expect(await store.position(journal.uuid)).toBe(2);
    expect(await store.tallies()).toMatchObject([{ gateway: "gw-1", stored: 2 }]);
    await expect(store.count()).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
    await influxd.start();
    await poll(() => store.write(third.batch(2)).catch(() => undefined));
    expect(await store.count()).toBe(3);
  });
});
