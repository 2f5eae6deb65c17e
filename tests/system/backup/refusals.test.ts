import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { appendFile, cp, mkdir, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { holdFolder } from "#cli/backup/hold.ts";
import { makeBackup } from "#cli/backup/make.ts";
import { restoreBackup } from "#cli/backup/restore.ts";
import { connectGateway } from "../../support/mqtt-gateway.ts";
import { admitGateway, dataFolder, type Platform, startPlatform } from "../../support/platform.ts";
import { poll } from "../../support/poll.ts";
import { SteadyReadings } from "../../support/steady-readings.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { canMount, smallDisk } from "../../support/small-disk.ts";
import { cleanEnvironment, collect, entry, runMarsad } from "../cli/run-marsad.ts";

const resources = new AsyncDisposableStack();
/** One platform that runs, and a backup of it that nobody changes. */
let folder: string;
let data: string;
let platform: Platform;
let whole: string;
const readings = new SteadyReadings("s", Date.now() - 3_600_000);
const identity = { name: "corniche-1", agency: "mobility" };
let password: string;

beforeAll(async () => {
  folder = resources.use(tempFolder("backup")).path;
  data = dataFolder(folder);
  password = await admitGateway(data, identity);
  platform = resources.use(await startPlatform({ folder }));
  await send(0, 5000);
  whole = join(folder, "whole");
  await makeBackup(data, whole, "test");
});
afterAll(() => resources.disposeAsync());

async function send(from: number, to: number): Promise<void> {
  await using gateway = await connectGateway({ identity, password, port: platform.mqttPort });
  await gateway.birth(readings.sensors);
  for (let at = from; at < to; at += 500) await gateway.send(readings.lines(at, Math.min(at + 500, to)));
  await platform.settled(identity.name, ({ stored }) => stored === to);
}

/** `marsad backup`, told to write no file beyond so many KiB: the disk refuses in the middle. */
async function backupWithin(kibibytes: number, to: string): ReturnType<typeof runMarsad> {
  const command = `ulimit -f ${kibibytes}; exec "$0" "$@"`;
  const args = ["-c", command, process.execPath, entry, "backup", to, "--data", data];
  return await collect(spawn("bash", args, { env: cleanEnvironment(), stdio: ["ignore", "pipe", "pipe"] }));
}

/** A copy of the whole backup that a test may damage. */
async function copyOf(name: string): Promise<string> {
  const copy = join(folder, name);
  await cp(whole, copy, { recursive: true });
  return copy;
}

describe("a backup is refused", () => {
  test.for([
    ["into a folder that is there", () => whole, "is there already"],
    ["into the data folder", () => join(data, "backups"), "is inside"],
    ["into a folder that is not there", () => join(folder, "none", "x"), "there is no folder"],
  ] as const)("%s", async ([, to, why]) => {
    const before = await readdir(folder);
    const { code, stderr } = await runMarsad(["backup", to(), "--data", data]);
    expect({ code: code === 1 || code === 2, stderr }).toEqual({
      code: true,
      stderr: expect.stringContaining(why),
    });
    expect(await readdir(folder)).toEqual(before);
  });

  test("of what is no data folder", async () => {
    const { code, stderr } = await runMarsad([
      "backup",
      join(folder, "x"),
      "--data",
      join(folder, "nothing"),
    ]);
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining("no data folder") });
    expect(existsSync(join(folder, "nothing"))).toBe(false);
  });

  test("by a disk that is full in the middle, wherever that is, and nothing is left that looks like one", async () => {
    const before = await readdir(folder);
    for (const kibibytes of [60, 300, 700]) {
      const { code, stderr } = await backupWithin(kibibytes, join(folder, "cut"));
      expect({ kibibytes, code, stderr }).toEqual({
        kibibytes,
        code: 1,
        stderr: expect.stringContaining("cut"),
      });
      expect(await readdir(folder)).toEqual(before);
    }
    expect(await platform.health()).toMatchObject({ ready: true });
    // With room it goes through.
    expect(await backupWithin(100_000, join(folder, "uncut"))).toMatchObject({ code: 0 });
  });

  test.skipIf(!canMount())("by a disk with too little room, before anything is written", async () => {
    using disk = smallDisk("backup", 8);
    await expect(makeBackup(data, join(disk.path, "x"), "test")).rejects.toMatchObject({
      code: "BACKUP_UNWRITABLE",
      message: expect.stringMatching(/8 MiB free, and \d+ MiB are needed/),
    });
    expect(await readdir(disk.path)).toEqual([]);
  });
});

describe("a restore is refused", () => {
  const cases: readonly [what: string, damage: (backup: string) => Promise<void>, why: string][] = [
    [
      "of a backup with a byte more",
      (backup) => appendFile(join(backup, "registry", "data.mdb"), "x"),
      "not as it was written",
    ],
    [
      "of a backup with another byte",
      async (backup) => {
        const file = join(backup, "store", "marsad.duckdb");
        const bytes = await readFile(file);
        bytes[bytes.length >> 1]! ^= 1;
        await writeFile(file, bytes);
      },
      "not as it was written",
    ],
    ["of a backup without a file", (backup) => rm(join(backup, "journal", "data.mdb")), "is missing"],
    ["of a folder without backup.json", (backup) => rm(join(backup, "backup.json")), "is no backup"],
    [
      "of a backup whose list is damaged",
      (backup) => writeFile(join(backup, "backup.json"), '{"backup":1,"version":"0.1.0"}'),
      "is damaged",
    ],
    [
      "of a backup whose list names a file elsewhere",
      async (backup) => {
        const list = await readFile(join(backup, "backup.json"), "utf8");
        await writeFile(
          join(backup, "backup.json"),
          list.replace("registry/data.mdb", "../../registry/data.mdb"),
        );
      },
      "a path below the backup",
    ],
    [
      "of a backup of a newer version",
      async (backup) => {
        const list = await readFile(join(backup, "backup.json"), "utf8");
        await writeFile(join(backup, "backup.json"), list.replace(/"format": \d+/, '"format": 99'));
      },
      "newer than this one",
    ],
  ];
  test.for(cases)("%s", async ([what, damage, why]) => {
    const backup = await copyOf(what.replaceAll(/\W/g, "-"));
    await damage(backup);
    await expect(restoreBackup(backup, join(folder, "never"))).rejects.toThrow(why);
    expect(existsSync(join(folder, "never"))).toBe(false);
  });

  test("by the command, with what is wrong and exit code 1; --check finds it too", async () => {
    const backup = await copyOf("damaged");
    await appendFile(join(backup, "registry", "data.mdb"), "x");
    const answer = { code: 1, stdout: "", stderr: expect.stringMatching(/^marsad: .*not as it was written/) };
    expect(await runMarsad(["restore", backup, "--check"])).toEqual(answer);
    expect(await runMarsad(["restore", backup, "--data", join(folder, "never")])).toEqual(answer);
  });

  test("into a folder that holds anything, also the platform's own", async () => {
    const before = await readFile(join(data, "format.json"), "utf8");
    const { code, stderr } = await runMarsad(["restore", whole, "--data", data]);
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining("is not empty") });
    expect(await readFile(join(data, "format.json"), "utf8")).toBe(before);
  });
});

/** Bytes of readings in the journal: the store has them all, but they are not trimmed. */
async function journalBytes(): Promise<number> {
  const metrics = await (await fetch(`${platform.ready.http}/metrics`)).text();
  return Number(/ingest_queue_bytes\{queue="journal"\} (\d+)/.exec(metrics)?.[1]);
}

test("what a backup holds is kept while it is there, and let go when it is killed", async () => {
  await poll(async () => (await journalBytes()) === 0);
  const program = join(import.meta.dirname, "hold-and-stay.ts");
  const backup = spawn(process.execPath, [program, data], { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  try {
    const [said] = (await once(backup, "message")) as [string];
    expect(said).toBe("held");
    // Readings are taken and stored as ever.
    await send(5000, 6000);
    await sleep(500); // more than two trims
    expect(await journalBytes()).toBeGreaterThan(10_000);
  } finally {
    backup.kill("SIGKILL");
  }
  await poll(async () => (await journalBytes()) === 0);
  expect(platform.log()).toContain("A backup was given up.");
});

test("what a backup left that was killed is no obstacle to the next, and what is another's is left alone", async () => {
  const to = join(folder, "killed");
  await mkdir(`${to}.partial/store`, { recursive: true });
  for (const file of ["lock", "holder", "store/marsad.duckdb"])
    await writeFile(join(`${to}.partial`, file), "");
  const { manifest } = await makeBackup(data, to, "test");
  expect(manifest.store.rows).toBe(6000);
  expect((await readdir(to)).sort()).toEqual([
    "backup.json",
    "format.json",
    "identities",
    "journal",
    "registry",
    "store",
  ]);
  expect(existsSync(`${to}.partial`)).toBe(false);

  const other = join(folder, "other");
  await mkdir(`${other}.partial`);
  await writeFile(join(`${other}.partial`, "diary.txt"), "mine");
  await expect(makeBackup(data, other, "test")).rejects.toMatchObject({ code: "ALREADY_EXISTS" });
  expect(await readdir(`${other}.partial`)).toEqual(["diary.txt"]);
});

test("one backup is made at a time", async () => {
  await using _hold = await holdFolder(data, []);
  const { code, stderr } = await runMarsad(["backup", join(folder, "second"), "--data", data]);
  expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining("is used by process") });
});

test("without a platform the folder is backed up as it lies there, its write-ahead log too", async () => {
  await platform.end("SIGKILL");
  expect((await stat(join(data, "store", "marsad.duckdb.wal"))).size).toBeGreaterThan(0);
  const offline = join(folder, "offline");
  expect(await runMarsad(["backup", offline, "--data", data])).toMatchObject({
    code: 0,
    stdout: expect.stringContaining("6,000 readings"),
  });
  expect(await runMarsad(["restore", offline, "--check"])).toMatchObject({
    code: 0,
    stdout: expect.stringContaining("6,000 readings"),
  });
});
