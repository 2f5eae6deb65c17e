import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openRecordStore } from "#runtime/record-store.ts";
import { type TagVersion, openInfluxStore } from "#store/influxdb/index.ts";
import type { Store } from "#store/port.ts";
import type { Policy } from "#store/query.ts";
import type { ResultBatch } from "#store/results.ts";
import { requireDebian, whySkipped } from "../../support/debian.ts";
import { type Influxd, startInfluxd } from "../../support/influxd.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { TestJournal } from "./journal.ts";

const there = await requireDebian("influxdb");
const note = there ? "" : ` (${whySkipped("influxdb")})`;
const log = pino({ level: "silent" });
const hour = 3_600_000;
const day = 24 * hour;
const midnight = Date.UTC(2026, 0, 31);

function rollup(values: readonly number[], batch: Partial<ResultBatch> = {}): ResultBatch {
  return {
    policy: "rollup_1h",
    measurement: "traffic_flow",
    fields: [{ name: "vehicles_sum", type: "float", values: Float64Array.from(values) }],
    time: Float64Array.from(values, (_, i) => midnight + i * hour),
    series: new Uint32Array(values.length),
    ...batch,
  };
}

async function valuesOf(store: Store, policy: Policy, field: string): Promise<number[][]> {
  const values: number[][] = [];
  const query = { policy, measurement: "traffic_flow", from: 0, to: Date.UTC(2100, 0), fields: [field] };
  for await (const { series, time, fields } of store.rows(query))
    values.push(...Array.from(time, (at, i) => [series[i]!, at, fields[0]!.values[i]!]));
  return values;
}

describe.skipIf(!there)(`results in a real influxd${note}`, () => {
  let folder: ReturnType<typeof tempFolder>;
  let influxd: Influxd;
  let database: string;
  beforeAll(async () => {
    folder = tempFolder("influxd");
    influxd = await startInfluxd({ folder: folder.path });
  });
  afterAll(async () => {
    await influxd[Symbol.asyncDispose]();
    folder[Symbol.dispose]();
  });

  function open(path: string, options: { retentionDays?: number; tags?: Record<string, TagVersion[]> } = {}) {
    const tagsOf = (_: string, sensor: string): TagVersion[] => options.tags?.[sensor] ?? [];
    return openInfluxStore({ path, url: influxd.url, database, log, tagsOf, ...options });
  }

  test("texts and tag sets are kept as they are", async () => {
    using state = tempFolder("store");
    database = randomUUID();
    await using store = await open(state.path);
    const texts = ['say "it\'s"', "two\nlines, a\ttab \\", "تنبيه: ضغط منخفض", "", null];
    const results: ResultBatch = {
      policy: "autogen",
      measurement: "alert",
      fields: [
        { name: "text_ar", type: "string", values: texts },
        { name: "code", type: "integer", values: Float64Array.from(texts, (_, i) => i) },
      ],
      time: Float64Array.from(texts, (_, i) => midnight + i),
      series: Uint32Array.of(0, 0, 0, 0, 1),
      tagSets: [{ alert: "a 1,=", severity: "" }, { alert: "a\\ 2\\" }],
    };
    await store.writeResults([results, results]);
    const [series] = await influxd.query('SELECT text_ar, code, alert, severity FROM "alert"', database);
    expect(series!.values.map((row) => row.slice(1))).toEqual(
      texts.map((text, i) => [text, i, i < 4 ? "a 1,=" : "a\\ 2", null]),
    );
    await expect(
      store.writeResults([
        { ...results, fields: [{ ...results.fields[1]!, name: "text_ar" }] as ResultBatch["fields"] },
      ]),
    ).rejects.toMatchObject({ code: "REFUSED", message: expect.stringContaining("field type conflict") });
    // Beyond what a policy keeps is not an error, however old.
    await influxd.query(`ALTER RETENTION POLICY "autogen" ON "${database}" DURATION 2d SHARD DURATION 1d`);
    await store.writeResults([{ ...results, time: new Float64Array(5) }]);
  });

  test("a roll-up has the tags of its time; where the registry changed its mind, what stands under the tags of now counts", async () => {
    using state = tempFolder("store");
    database = randomUUID();
    const journal = new TestJournal();
    const before = { from: 0, tags: { district: "old" } };
    {
      await using store = await open(state.path, { tags: { s: [before] } });
      await store.write(
        journal.batchOf([
          { measurement: "traffic_flow", sensor: "s", time: midnight, fields: { vehicles: 1 } },
        ]),
      );
      await store.writeResults([rollup([1, 2, 3])]);
    }
    const now = [before, { from: midnight + hour, tags: { district: "new" } }];
    {
      await using store = await open(state.path, { tags: { s: now } });
      await store.writeResults([rollup([7], { time: Float64Array.of(midnight + hour) })]);
      expect(await valuesOf(store, "rollup_1h", "vehicles_sum")).toEqual([
        [0, midnight, 1],
        [0, midnight + hour, 7],
        [0, midnight + 2 * hour, 3],
      ]);
    }
    const found = await influxd.query(
      'SELECT vehicles_sum FROM "rollup_1h".traffic_flow GROUP BY district',
      database,
    );
    expect(found.map(({ tags, values }) => [tags!["district"], values.length])).toEqual([
      ["new", 1],
      ["old", 3],
    ]);
    // The other way round: the order in which they come is InfluxDB's.
    await using store = await open(state.path, { tags: { s: [before] } });
    expect((await valuesOf(store, "rollup_1h", "vehicles_sum"))[1]).toEqual([0, midnight + hour, 2]);
  });

  test("how long a policy keeps its rows is said to InfluxDB; the default one's is influx_retention_days, if that is given", async () => {
    using state = tempFolder("store");
    database = randomUUID();
    const durations = async (): Promise<unknown> =>
      Object.fromEntries(
        (await influxd.query(`SHOW RETENTION POLICIES ON "${database}"`))[0]!.values.map(
          ([name, duration]) => [name, duration],
        ),
      );
    const forEver = { rollup_1m: "0s", rollup_1h: "0s", rollup_1d: "0s" };
    {
      await using store = await open(state.path, { retentionDays: 100 });
      await store.writeResults([]);
      expect(await store.expire("autogen", Date.now() - 50 * day)).toEqual([]);
      expect(await store.expire("rollup_1m", Date.now() - 90 * day)).toEqual([
        "InfluxDB keeps rollup_1m for 2160 hours",
      ]);
      expect(await store.expire("rollup_1m", Date.now() - 90 * day)).toEqual([]);
      expect(await durations()).toEqual({ autogen: "2400h0m0s", ...forEver, rollup_1m: "2160h0m0s" });
    }
    await using store = await open(state.path);
    const journal = new TestJournal();
    const times = [midnight, Date.now()];
    await store.write(
      journal.batchOf(
        times.map((time) => ({ measurement: "traffic_flow", sensor: "s", time, fields: { vehicles: 1 } })),
      ),
    );
    await store.expire("autogen", midnight + hour);
    expect(await store.dirty()).toHaveLength(1);
  });

  test("what was stored before there were marks is marked when somebody asks", async () => {
    using state = tempFolder("store");
    database = randomUUID();
    const journal = new TestJournal();
    const times = [midnight - 20 * day, midnight + 90_000, midnight + 5 * hour];
    {
      await using store = await open(state.path);
      await store.write(
        journal.batchOf(
          times.map((time, i) => ({
            measurement: "traffic_flow",
            sensor: "s",
            time,
            fields: i === 1 ? { speed_avg: 1 } : { vehicles: 1 },
          })),
        ),
      );
    }
    {
      await using records = await openRecordStore(join(state.path, "influxdb"));
      records.transaction((change) => {
        for (const [key] of change.entries("dirty")) change.remove("dirty", key);
        change.put("meta", "state", { ...(change.get("meta", "state") as object), layout: 1 });
      });
    }
    for (const round of [1, 2]) {
      await using store = await open(state.path);
      const hours = await store.dirty();
      expect(
        hours.map((dirty) => dirty.hour),
        `round ${round}`,
      ).toEqual([midnight + 5 * hour, midnight, midnight - 20 * day]);
      expect(hours.every(({ minutes }) => minutes.every((minute) => minute === 1))).toBe(true);
    }
    await using store = await open(state.path);
    await store.clean(await store.dirty());
    expect(await store.dirty()).toEqual([]);
  });
});
