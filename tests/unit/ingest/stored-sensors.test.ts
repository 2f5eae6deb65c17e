import { array, assert, boolean, constantFrom, nat, option, property, record } from "fast-check";
import { expect, test } from "vitest";
import { newSensor, sensorKey, type SensorRecord } from "#ingest/registry/sensor-record.ts";
import { StoredSensors } from "#ingest/registry/stored-sensors.ts";

const ids = Array.from({ length: 12 }, (_, i) => `m-${i}`);
/** Without a change it is asked for only. */
const anyStep = record({
  sensor: constantFrom(...ids),
  change: option(record({ gateway: constantFrom("gw-1", "gw-2"), at: nat(1_000), isRecent: boolean() }), {
    nil: undefined,
  }),
});

test("records are those on disk, however few of them stay in memory", () => {
  assert(
    property(array(anyStep, { maxLength: 300 }), nat({ max: 4 }), (steps, cached) => {
      const disk = new Map<string, SensorRecord>();
      const records = {
        get: (_: string, key: string) => disk.get(key),
        entries: () => [],
      };
      const sensors = new StoredSensors(records, cached + 1);
      const found: [SensorRecord | undefined, SensorRecord | undefined][] = [];
      for (const { sensor, change } of steps) {
        const key = sensorKey("water", sensor);
        const isNew = change !== undefined && !disk.has(key);
        if (change) disk.set(key, newSensor({ name: change.gateway, agency: "water" }, sensor, change.at));
        expect(change !== undefined && sensors.put(disk.get(key)!, change.isRecent)).toBe(isNew);
        if (change === undefined) found.push([sensors.get("water", sensor), disk.get(key)]);
      }
      expect(found.map(([ofSensors]) => ofSensors)).toEqual(found.map(([, onDisk]) => onDisk));
      for (const gateway of ["gw-1", "gw-2"]) {
        const own = [...disk.values()].filter((made) => made.gateway === gateway);
        expect(new Set(sensors.of(gateway))).toEqual(new Set(own));
        expect(sensors.countOf(gateway)).toBe(own.length);
      }
      expect(sensors.get("energy", "m-0")).toBeUndefined();
      expect(sensors.named("m-1")).toEqual([disk.get("water/m-1")].filter((made) => made !== undefined));
    }),
    { numRuns: 100 },
  );
});
