import { randomUUID } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readingsPerBatch, startLoad } from "../../support/mqtt-load.ts";
import { admitGateway, dataFolder, type Platform, startPlatform } from "../../support/platform.ts";
import { poll } from "../../support/poll.ts";
import { SteadyReadings } from "../../support/steady-readings.ts";
import { type StoredRow, storedRows } from "../../support/stored-rows.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { runMarsad } from "../cli/run-marsad.ts";
import type { Source } from "../faults/city.ts";
import { expectKept } from "../faults/verdict.ts";

const readingsPerSecond = 3000;
const agency = "mobility";
const gateways = [{ name: "numbered", outbox: randomUUID() }, { name: "plain" }] as const;

const key = ({ agency, sensor, time }: StoredRow): string => `${agency} ${sensor} ${time}`;

/** Rows by key; throws for a key that is there twice. */
async function rowsByKey(data: string): Promise<Map<string, StoredRow["fields"]>> {
  const { count, rows } = await storedRows(data, "traffic_flow");
  const byKey = new Map(rows.map((row) => [key(row), row.fields]));
  expect({ count: byKey.size, rows: rows.length }).toEqual({ count, rows: count });
  return byKey;
}

async function settledAll(platform: Platform): Promise<void> {
  for (const { name } of gateways)
    expect(await platform.settled(name)).toMatchObject({ refused: 0, balanced: true });
  const { code } = await runMarsad(["account", "--http", platform.ready.http]);
  expect(code).toBe(0);
}

/** What the load was told is kept, as keys. */
function keysOf({ readings }: Source, batches: Iterable<number>): string[] {
  return Array.from(batches).flatMap((batch) =>
    Array.from({ length: readingsPerBatch }, (_, i) => {
      const [, sensor, time] = /sensor=(\S+) .* (\d+)$/.exec(readings.line(batch * readingsPerBatch + i))!;
      return `${agency} ${sensor} ${time}`;
    }),
  );
}

test("a backup made under load has all that was acknowledged before, row by row; restored, the platform goes on and shows what is missing", async ({
  annotate,
}) => {
  using folder = tempFolder("backup");
  using elsewhere = tempFolder("restored");
  const data = dataFolder(folder.path);
  const backup = join(folder.path, "backup");
  await using stack = new AsyncDisposableStack();
  let port: number | undefined;
  const sources = new Map<string, Source>();
  for (const { name, ...way } of gateways) {
    const password = await admitGateway(data, { name, agency });
    const readings = new SteadyReadings(name, Date.now() - 3_600_000);
    const rate = readingsPerSecond / gateways.length;
    const load = startLoad({
      identity: { name, agency },
      password,
      readings,
      rate,
      port: () => port,
      ...way,
    });
    sources.set(name, { load: stack.use(load), readings });
  }
  const acknowledge = async (batches: number): Promise<void> => {
    const goals = Array.from(sources.values(), ({ load }) => ({
      load,
      goal: load.acknowledged.size + batches,
    }));
    await poll(() => goals.every(({ load, goal }) => load.acknowledged.size >= goal));
  };

  await using platform = await startPlatform({ folder: folder.path });
  port = platform.mqttPort;
  // What a backup that was killed has left; the platform looks at it again and again.
  await mkdir(join(data, "backup"), { recursive: true });
  await writeFile(join(data, "backup", "lock"), "");
  await writeFile(join(data, "backup", "ask.json"), JSON.stringify({ id: randomUUID(), step: "hold" }));
  await acknowledge(80);
  const before = new Map(Array.from(sources, ([name, { load }]) => [name, new Set(load.acknowledged)]));
  const made = await runMarsad(["backup", backup, "--data", data, "--json"]);
  expect(made).toMatchObject({ code: 0, stderr: "" });
  const told = JSON.parse(made.stdout) as {
    store: { rows: number; position: number };
    journal: { next: number };
  };
  expect(told.store.rows).toBeGreaterThan(0);
  // The platform went on meanwhile, and does: its ledgers balance, and what it holds no longer is trimmed and written.
  await acknowledge(80);
  port = undefined;
  await platform.end("SIGKILL");
  await using original = await startPlatform({ folder: folder.path });
  await settledAll(original);
  // Only now: PUBACKs may still have been read after the kill.
  const after = new Map(Array.from(sources, ([name, { load }]) => [name, new Set(load.acknowledged)]));
  expect(await original.end("SIGTERM")).toBe(0);

  const restored = await runMarsad(["restore", backup, "--data", dataFolder(elsewhere.path)]);
  expect(restored).toMatchObject({ code: 0, stderr: "" });
  await using second = await startPlatform({ folder: elsewhere.path });
  await settledAll(second);
  expect(await second.end("SIGTERM")).toBe(0);
  const [was, is] = [await rowsByKey(data), await rowsByKey(dataFolder(elsewhere.path))];
  expect(is.size).toBeLessThan(was.size);
  expect(
    Array.from(is).filter(([key, fields]) => JSON.stringify(was.get(key)) !== JSON.stringify(fields)),
  ).toEqual([]);
  const owed = new Map(
    Array.from(sources, ([name, { load, readings }]) => [
      name,
      { readings, load: { ...load, offered: load.offered, acknowledged: before.get(name)! } },
    ]),
  );
  const restoredRows = await storedRows(dataFolder(elsewhere.path), "traffic_flow");
  await expectKept(annotate, { fault: "backup under load, restored", tried: 1 }, restoredRows, owed);
  for (const [name, source] of sources) {
    expect(keysOf(source, after.get(name)!).filter((key) => !was.has(key))).toEqual([]);
  }

  // The gateways come back with their passwords and their numbers. What they were told is kept, and the disk took, is missing.
  await using third = await startPlatform({ folder: elsewhere.path });
  port = third.mqttPort;
  await acknowledge(20);
  for (const { load } of sources.values()) await load.drain();
  await settledAll(third);
  const numbered = sources.get("numbered")!;
  const lost = keysOf(numbered, after.get("numbered")!).filter((key) => !is.has(key)).length;
  expect(lost).toBeGreaterThan(0);
  expect(await third.account("numbered")).toMatchObject({
    sent: numbered.load.offered * readingsPerBatch,
    on_its_way: { missing: lost },
    duplicate: expect.any(Number),
    balanced: true,
  });
  const sensors = await Promise.all(
    [data, third.data].map(
      async (folder) => (await runMarsad(["sensor", "list", "--data", folder, "--json"])).stdout,
    ),
  );
  expect(sensors[1]).toBe(sensors[0]);
  expect(await third.end("SIGTERM")).toBe(0);
  const end = await rowsByKey(third.data);
  const kept = Array.from(end.keys()).filter((key) => key.startsWith(`${agency} numbered.`)).length;
  expect(kept).toBe(numbered.load.offered * readingsPerBatch - lost);
});
