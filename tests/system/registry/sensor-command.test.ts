import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { pino } from "pino";
import { beforeEach, afterEach, describe, expect, test } from "vitest";
import { addGateway } from "#broker/identities.ts";
import { openRegistry } from "#ingest/registry/registry.ts";
import type { Registry } from "#ingest/registry/registry.ts";
import { openRecordStore } from "#runtime/record-store.ts";
import { tempFolder } from "../../support/temp-folder.ts";

const program = fileURLToPath(new URL("../../../marsad.ts", import.meta.url));

let folder: ReturnType<typeof tempFolder>;
let data: string;

beforeEach(async () => {
  folder = tempFolder("sensor-command");
  data = join(folder.path, "data");
  mkdirSync(data);
  await using identities = await openRecordStore(join(data, "identities"));
  await addGateway(identities, { name: "gw-1", agency: "water" });
  await addGateway(identities, { name: "gw-2", agency: "water" });
  await addGateway(identities, { name: "gw-9", agency: "energy" });
});
afterEach(() => folder[Symbol.dispose]());

interface Run {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `marsad sensor …` as a process of its own on the test's data folder. */
async function sensor(...args: string[]): Promise<Run> {
  const child = spawn(process.execPath, [program, "sensor", ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, MARSAD_DATA: data },
  });
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "close"),
  ]);
  return { code: Number(code), stdout, stderr };
}

function openPlatformRegistry(): Promise<Registry> {
  return openRegistry({
    path: join(data, "registry"),
    limits: { sensorsPerGateway: 10_000 },
    log: pino({ level: "silent" }),
  });
}

describe("while the platform has the registry open", () => {
  test("a sensor that an operator adds is known to it in under a second", async () => {
    await using registry = await openPlatformRegistry();
    const heard: unknown[] = [];
    registry.onChange((changed) => heard.push(...changed));
    const added = await sensor("add", "wm-1", "--gateway", "gw-1", "--place", "Doha", "--role", "customer");
    expect(added).toEqual({ code: 0, stdout: "wm-1 (water, gateway gw-1): added.\n", stderr: "" });
    await expect
      .poll(() => registry.lookup("water", "wm-1"), { timeout: 1000 })
      .toMatchObject({ gateway: "gw-1", retired: false });
    expect(heard).toEqual([{ agency: "water", sensor: "wm-1" }]);
    expect(registry.attributes("water", "wm-1", 0)).toEqual({ place: "QA-DA", role: "customer" });
  });

  test("what an operator decides wins over a birth, from its time on", async () => {
    await using registry = await openPlatformRegistry();
    const birth = { marsad: 1 as const, agent: "1.0.0", sensors: [{ id: "wm-1", place: "QA-DA" }] };
    registry.birth({ name: "gw-1", agency: "water" }, birth, Date.now());
    const from = "2026-01-01T00:00:00+03:00";
    expect(await sensor("set", "wm-1", "place=Lusail", "lane=2", "--valid-from", from)).toMatchObject({
      code: 0,
    });
    await expect
      .poll(() => registry.attributes("water", "wm-1", Date.now())?.lane, { timeout: 1000 })
      .toBe("2");
    registry.birth({ name: "gw-1", agency: "water" }, { ...birth, agent: "1.0.1" }, Date.now());
    expect(registry.attributes("water", "wm-1", Date.parse(from))?.place).toBe("QA-ZA-lusail");
    expect(registry.attributes("water", "wm-1", Date.parse(from) - 1)?.place).toBe("QA-DA");
  });

  test("operators and births at once lose nothing", async () => {
    await using registry = await openPlatformRegistry();
    const ids = Array.from({ length: 6 }, (_, i) => `wm-${i}`);
    const adding = Promise.all(ids.map((id) => sensor("add", id, "--gateway", "gw-1", "--place", "Doha")));
    let births = 0;
    const born = setInterval(() => {
      const sensors = [{ id: `tank-${births}`, place: "QA-RA" }];
      registry.birth({ name: "gw-2", agency: "water" }, { marsad: 1, agent: "1.0.0", sensors }, Date.now());
      births += 1;
    }, 10);
    const runs = await adding;
    clearInterval(born);
    expect(runs.map(({ code }) => code)).toEqual(ids.map(() => 0));
    await expect.poll(() => registry.count, { timeout: 1000 }).toBe(ids.length + births);
    await using again = await openPlatformRegistry();
    expect(again.count).toBe(ids.length + births);
    expect(again.sensorsOf("gw-1").map(({ sensor }) => sensor)).toEqual(expect.arrayContaining(ids));
  });

  test("two operators at once on one sensor: both their words count", async () => {
    await sensor("add", "wm-1", "--gateway", "gw-1", "--place", "Doha");
    const runs = await Promise.all([
      sensor("set", "wm-1", "role=customer"),
      sensor("set", "wm-1", "dma=north"),
      sensor("verify", "wm-1"),
    ]);
    expect(runs.map(({ code }) => code)).toEqual([0, 0, 0]);
    await using registry = await openPlatformRegistry();
    expect(registry.attributes("water", "wm-1", Date.now())).toEqual({
      place: "QA-DA",
      role: "customer",
      dma: "north",
    });
    expect(registry.record("water", "wm-1")?.verified).toBe(true);
  });
});

describe("marsad sensor", () => {
  test("leads a sensor through its life", async () => {
    const steps = [
      ["add", "wm-1", "--gateway", "gw-1", "--place", "Doha", "capacity_m3=1200"],
      ["verify", "wm-1"],
      ["move", "wm-1", "--gateway", "gw-2", "--place", "Lusail"],
      ["replace", "wm-1", "--at", "2026-01-01T00:00:00Z"],
      ["retire", "wm-1", "--json"],
    ];
    for (const step of steps) expect(await sensor(...step)).toMatchObject({ code: 0, stderr: "" });
    const { stdout } = await sensor("list", "--gateway", "gw-2", "--json");
    expect(JSON.parse(stdout)).toEqual({
      sensors: [
        expect.objectContaining({
          agency: "water",
          sensor: "wm-1",
          gateway: "gw-2",
          verified: true,
          retired_at: expect.any(Number),
          replacements: [Date.parse("2026-01-01T00:00:00Z")],
          attributes: { place: "QA-ZA-lusail", capacity_m3: 1200 },
        }),
      ],
    });
    expect(await sensor("retire", "wm-1")).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("already"),
    });
  });

  test("lists sensors in columns, and says so when there are none", async () => {
    expect(await sensor("list")).toMatchObject({ code: 0, stdout: expect.stringContaining("No sensors.") });
    await sensor("add", "wm-10", "--gateway", "gw-1", "--place", "Doha");
    await sensor("add", "wm-2", "--gateway", "gw-1", "--place", "Lusail", "--role", "customer");
    const { stdout } = await sensor("list");
    expect(stdout.replaceAll(/\d{4}-\S+ \S+Z/g, "(time)")).toBe(
      "AGENCY  SENSOR  GATEWAY  PLACE                  ROLE      STATE  SINCE\n" +
        "water   wm-2    gw-1     Lusail (QA-ZA-lusail)  customer  new    (time)\n" +
        "water   wm-10   gw-1     Doha (QA-DA)           -         new    (time)\n",
    );
  });

  test("asks whose sensor is meant when two agencies use an id", async () => {
    await sensor("add", "m-1", "--gateway", "gw-1", "--place", "Doha");
    await sensor("add", "m-1", "--gateway", "gw-9", "--place", "Doha");
    expect(await sensor("verify", "m-1")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("--agency"),
    });
    expect(await sensor("verify", "m-1", "--agency", "energy")).toMatchObject({ code: 0 });
    expect(await sensor("move", "m-1", "--agency", "water", "--gateway", "gw-9")).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("Gateway gw-9 is of agency energy, not water"),
    });
  });

  test.each([
    [["add", "m-1", "--gateway", "gw-7", "--place", "Doha"], 1, "marsad gateway add gw-7"],
    [["add", "m-1", "--gateway", "gw-1", "--place", "Dohha"], 2, "the nearest are Doha (QA-DA)"],
    [["add", "m-1", "--gateway", "gw-1"], 2, "--place"],
    [["add", "m 1", "--gateway", "gw-1", "--place", "Doha"], 2, "letters, digits and . _ : -"],
    [["set", "m-1", "role=customer"], 1, "There is no sensor m-1"],
    [["set", "m-1", "roll=customer"], 2, 'unknown key "roll"'],
    [["set", "m-1", "role=customer", "--valid-from", "yesterday"], 2, "Write a time with its zone"],
    [["move", "m-1"], 2, "say where to"],
    [["retire", "m-1", "--at", "2999-01-01T00:00:00Z"], 2, "in the future"],
    [["list", "--data", "/nowhere/at-all"], 1, "There is no data folder /nowhere/at-all"],
    [["lsit"], 2, "unknown command"],
  ])("%j ends with %i and says what to do", async (args, code, says) => {
    expect(await sensor(...args)).toMatchObject({ code, stdout: "", stderr: expect.stringContaining(says) });
  });
});
