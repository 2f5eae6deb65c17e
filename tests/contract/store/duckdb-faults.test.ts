import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { pino } from "pino";
import { expect, test } from "vitest";
import { DuckDbEngine } from "#store/duckdb/engine.ts";
import { openDuckDbStore } from "#store/duckdb/index.ts";
import type { Store } from "#store/port.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { canMount, smallDisk } from "../../support/small-disk.ts";
import { SteadyLoad } from "./steady-load.ts";

const log = pino({ level: "silent" });

/** A process that writes to the store in `folder` until its scope ends. */
function startWriter(
  folder: string,
  load: SteadyLoad,
): AsyncDisposable & {
  readonly pid: number;
  readonly acknowledged: () => number;
  untilLines(count: number): Promise<void>;
} {
  const file = new URL("children/store-writer.ts", import.meta.url).pathname;
  const child = spawn(process.execPath, [file, folder, String(load.readingsPerBlock)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  let acknowledged = -1;
  const lines = createInterface(child.stdout).on("line", (line) => (acknowledged = Number(line)));
  return {
    pid: child.pid!,
    acknowledged: () => acknowledged,
    untilLines: async (count) => {
      for (let line = 0; line < count; line++) await once(lines, "line");
    },
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGKILL");
      await exited;
    },
  };
}

test("every batch acknowledged before kill -9 is there afterwards, and writing goes on behind it", async () => {
  using folder = tempFolder("store");
  const load = new SteadyLoad(200);
  for (const blocks of [1, 7, 25]) {
    const writer = startWriter(folder.path, load);
    await writer.untilLines(1 + blocks);
    await writer[Symbol.asyncDispose]();

    await using store = await openDuckDbStore({ path: folder.path, log });
    const position = await store.position(load.journal.uuid);
    expect(position).toBeGreaterThanOrEqual(writer.acknowledged());
    expect(await store.count()).toBe(load.rows(position));
    const [tally] = await store.tallies();
    expect(tally).toEqual({
      gateway: "gw-1",
      stored: load.rows(position) + position - 1,
      merged: position - 1,
      duplicate: 0,
    });
  }
});

test("a store that another process has open is refused, with its path and that process named", async () => {
  using folder = tempFolder("store");
  const writer = startWriter(folder.path, new SteadyLoad(10));
  await writer.untilLines(1);
  await expect(openDuckDbStore({ path: folder.path, log })).rejects.toMatchObject({
    code: "STORE_LOCKED",
    message: expect.stringMatching(
      new RegExp(`${folder.path}/marsad.duckdb is open in process ${writer.pid}`),
    ),
  });
  await writer[Symbol.asyncDispose]();
  await using store = await openDuckDbStore({ path: folder.path, log });
  expect(await store.count()).toBeGreaterThan(0);
});

test("a store is not opened twice in one process, and again once it is closed", async () => {
  using folder = tempFolder("store");
  {
    await using store = await openDuckDbStore({ path: folder.path, log });
    expect(store.kind).toBe("duckdb");
    await expect(openDuckDbStore({ path: folder.path, log })).rejects.toMatchObject({ code: "STORE_LOCKED" });
  }
  await using store = await openDuckDbStore({
    path: join(folder.path, "..", folder.path.split("/").at(-1)!),
    log,
  });
  expect(await store.count()).toBe(0);
});

/** Writes until an error comes; the error and the position reached. */
async function writeUntilRefused(
  store: Pick<Store, "write">,
  load: SteadyLoad,
  from: number,
): Promise<{ error: unknown; position: number }> {
  let position = from;
  for (;;) {
    try {
      ({ position } = await store.write(load.batch(position)));
    } catch (error) {
      return { error, position };
    }
  }
}

test.skipIf(!canMount())(
  "on a full disk a batch is refused whole; with room again writing goes on and nothing is lost (mounts a disk: root only)",
  async () => {
    using disk = smallDisk("store", 24);
    const load = new SteadyLoad(4000);
    const path = join(disk.path, "store");
    let position = 0;
    {
      await using store = await openDuckDbStore({ path, log });
      const refused = await writeUntilRefused(store, load, 0);
      expect(refused.error).toMatchObject({ code: "STORE_FULL" });
      ({ position } = refused);
      expect(position).toBeGreaterThan(5);
      expect(await store.position(load.journal.uuid)).toBe(position);
      expect(await store.count()).toBe(load.rows(position));
      await expect(store.write(load.batch(position))).rejects.toMatchObject({ code: "STORE_FULL" });

      disk.resize(64);
      for (let more = 0; more < 5; more++) ({ position } = await store.write(load.batch(position)));
      expect(await store.count()).toBe(load.rows(position));
    }
    await using store = await openDuckDbStore({ path, log });
    expect(await store.position(load.journal.uuid)).toBe(position);
    expect(await store.count()).toBe(load.rows(position));
    expect(await store.tallies()).toMatchObject([
      { stored: load.rows(position) + position - 1, duplicate: 0 },
    ]);
  },
);

test.skipIf(!canMount())(
  "after a FATAL error DuckDB is opened again and goes on from the stored position (mounts a disk: root only)",
  async () => {
    using disk = smallDisk("store", 24);
    const load = new SteadyLoad(4000);
    const engine = new DuckDbEngine({
      path: join(disk.path, "marsad.duckdb"),
      memoryLimit: "1GB",
      threads: 1,
    });
    let { position } = await writeUntilRefused(engine, load, 0);
    // A checkpoint that finds no room is what invalidates the whole database.
    const answers = await Promise.allSettled([engine.checkpoint(), engine.count(), engine.tallies()]);
    expect(answers[0]).toMatchObject({ status: "rejected", reason: { code: "STORE_FULL" } });
    expect(await engine.count()).toBe(load.rows(position));
    expect(await engine.position(load.journal.uuid)).toBe(position);

    disk.resize(96);
    for (let more = 0; more < 5; more++) ({ position } = await engine.write(load.batch(position)));
    await engine.checkpoint();
    expect(await engine.count()).toBe(load.rows(position));
    await engine.close();
  },
);
