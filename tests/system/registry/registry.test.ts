import { join } from "node:path";
import { pino } from "pino";
import { Registry as Metrics } from "prom-client";
import { describe, expect, test } from "vitest";
import { override, retire, verify } from "#ingest/registry/operator.ts";
import { openRegistry } from "#ingest/registry/registry.ts";
import type { Registry, SensorChange } from "#ingest/registry/registry.ts";
import type { SensorRecord } from "#ingest/registry/sensor-record.ts";
import { openRecordStore } from "#runtime/record-store.ts";
import type { Birth } from "#telemetry/birth.ts";
import { tempFolder } from "../../support/temp-folder.ts";

const gateway = { name: "gw-1", agency: "water" };
const log = pino({ level: "silent" });

function open(path: string, metrics?: Metrics): Promise<Registry> {
  return openRegistry({ path, limits: { sensorsPerGateway: 5000 }, log, ...(metrics && { metrics }) });
}

function birth(count: number, place = "QA-DA"): Birth {
  return {
    marsad: 1,
    agent: "1.0.0",
    sensors: Array.from({ length: count }, (_, i) => ({ id: `m-${i}`, place })),
  };
}

function known(change: (record: SensorRecord) => SensorRecord): SensorChange {
  return (record, { sensor }) => {
    if (!record) throw new Error(`no ${sensor}`);
    return change(record);
  };
}

const first = [{ agency: "water", sensor: "m-0" }];

describe("the registry", () => {
  test("knows after a restart what births and operators said", async () => {
    using folder = tempFolder("registry");
    {
      await using registry = await open(folder.path);
      expect(registry.birth(gateway, birth(3), 1000)).toEqual({
        changed: [0, 1, 2].map((i) => ({ agency: "water", sensor: `m-${i}` })),
        refused: [],
      });
      registry.change(
        first,
        known((record) => override(record, { attributes: { role: "customer" }, rollovers: {} }, 2000)),
      );
      registry.change(
        [{ agency: "water", sensor: "m-1" }],
        known((record) => retire(record, 2000)),
      );
    }
    await using registry = await open(folder.path);
    expect(registry.count).toBe(3);
    expect(registry.lookup("water", "m-0")).toMatchObject({ gateway: "gw-1", retired: false });
    expect(registry.lookup("water", "m-1")).toMatchObject({ gateway: "gw-1", retired: true });
    expect(registry.lookup("water", "m-9")).toBeUndefined();
    expect(registry.lookup("energy", "m-0")).toBeUndefined();
    expect(registry.attributes("water", "m-0", 1999)).toEqual({ place: "QA-DA" });
    expect(registry.attributes("water", "m-0", 2000)).toEqual({ place: "QA-DA", role: "customer" });
    expect(registry.sensorsOf("gw-1").map(({ sensor }) => sensor)).toEqual(["m-0", "m-1", "m-2"]);
    expect(registry.lastBirth("gw-1")).toEqual({
      gateway: "gw-1",
      agency: "water",
      agent: "1.0.0",
      at: 1000,
    });
  });

  test("writes nothing for a birth that says nothing new, and remembers when it came", async () => {
    using folder = tempFolder("registry");
    const metrics = new Metrics();
    await using registry = await open(folder.path, metrics);
    await using store = await openRecordStore(folder.path);
    registry.birth(gateway, birth(3), 1000);
    const { version } = store;
    for (let time = 2000; time < 2020; time += 1) {
      expect(registry.birth(gateway, birth(3), time)).toEqual({ changed: [], refused: [] });
    }
    expect(store.version).toBe(version);
    expect(registry.lastBirth("gw-1")?.at).toBe(2019);
    expect(await metrics.metrics()).toContain('marsad_ingest_registry_births_total{result="unchanged"} 20');
    expect(await metrics.metrics()).toContain("marsad_ingest_registry_sensors 3");
  });

  test("writes when only the agent's version is new", async () => {
    using folder = tempFolder("registry");
    {
      await using registry = await open(folder.path);
      registry.birth(gateway, birth(3), 1000);
      registry.birth(gateway, { ...birth(3), agent: "1.1.0" }, 2000);
    }
    await using registry = await open(folder.path);
    expect(registry.lastBirth("gw-1")).toMatchObject({ agent: "1.1.0", at: 2000 });
  });

  test("changes all sensors of a change or none", async () => {
    using folder = tempFolder("registry");
    await using registry = await open(folder.path);
    registry.birth(gateway, birth(1), 1000);
    const both = [...first, { agency: "water", sensor: "m-7" }];
    expect(() => registry.change(both, known(verify))).toThrow("no m-7");
    expect(registry.record("water", "m-0")?.verified).toBe(false);
    expect(registry.change(first, known(verify))).toHaveLength(1);
    expect(registry.change(first, known(verify))).toEqual([]);
  });

  test("tells of its own changes, after the call that made them, until told to stop", async () => {
    using folder = tempFolder("registry");
    await using registry = await open(folder.path);
    const heard: unknown[] = [];
    const stop = registry.onChange((changed) => heard.push(changed));
    registry.birth(gateway, birth(1), 1000);
    expect(heard).toEqual([]);
    await Promise.resolve();
    expect(heard).toEqual([first]);
    registry.birth(gateway, birth(1), 2000);
    stop();
    registry.change(first, known(verify));
    await Promise.resolve();
    expect(heard).toEqual([first]);
  });

  test("sees what another registry on the folder changes, and tells of that too", async () => {
    using folder = tempFolder("registry");
    await using one = await open(folder.path);
    await using other = await open(folder.path);
    const heard: unknown[] = [];
    one.onChange((changed) => heard.push(...changed));
    other.birth(gateway, birth(3), 1000);
    await expect.poll(() => heard, { timeout: 1000 }).toHaveLength(3);
    expect(one.count).toBe(3);
    other.change(first, known(verify));
    await expect.poll(() => heard, { timeout: 1000 }).toHaveLength(4);
    expect(one.record("water", "m-0")?.verified).toBe(true);
  });

  test("that missed more changes than are noted reads everything again", async () => {
    using folder = tempFolder("registry");
    await using one = await open(folder.path);
    await using other = await open(folder.path);
    other.birth(gateway, birth(2500), 1000);
    await expect.poll(() => one.count, { timeout: 1000 }).toBe(2500);
    other.birth(gateway, birth(2500, "QA-RA"), 2000);
    await expect.poll(() => one.attributes("water", "m-0", 3000)?.place, { timeout: 1000 }).toBe("QA-RA");
    expect(one.attributes("water", "m-2499", 3000)?.place).toBe("QA-RA");
  });

  test("takes a birth on top of what another process has just changed", async () => {
    using folder = tempFolder("registry");
    await using one = await open(folder.path);
    await using other = await open(folder.path);
    other.birth(gateway, birth(1), 1000);
    // `one` has not looked yet, and would register the sensor anew.
    const rival = one.birth({ name: "gw-2", agency: "water" }, birth(2), 2000);
    expect(rival.refused).toEqual([expect.objectContaining({ sensor: "m-0", reason: "sensor-owned" })]);
    expect(rival.changed).toEqual([{ agency: "water", sensor: "m-1" }]);
    expect(one.lookup("water", "m-0")).toMatchObject({ gateway: "gw-1" });
  });

  test("can be closed twice", async () => {
    using folder = tempFolder("registry");
    const registry = await open(join(folder.path, "registry"));
    await registry[Symbol.asyncDispose]();
    await registry[Symbol.asyncDispose]();
    expect(registry.count).toBe(0);
  });
});
