import { array, assert, boolean, constantFrom, nat, oneof, property, record } from "fast-check";
import { expect, test } from "vitest";
import { newSensor, sensorKey, type SensorRecord } from "#ingest/registry/sensor-record.ts";
import { StoredSensors } from "#ingest/registry/stored-sensors.ts";

const ids = Array.from({ length: 12 }, (_, i) => `m-${i}`);
const anyStep = oneof(
  record({
    put: constantFrom(...ids),
    gateway: constantFrom("gw-1", "gw-2"),
    at: nat(1_000),
    isRecent: boolean(),
  }),
  record({ get: constantFrom(...ids) }),
);

test("records are those on disk, however few of them stay in memory", () => {
  assert(
    property(array(anyStep, { maxLength: 300 }), nat({ max: 4 }), (steps, cached) => {
      const disk = new Map<string, SensorRecord>();
      const records = {
        get: (_: string, key: string) => disk.get(key),
        entries: () => [],
      };
      const sensors = new StoredSensors(records, cached + 1);
      for (const step of steps) {
        if ("get" in step) {
          const found = sensors.get("water", step.get);
          expect(found).toEqual(disk.get(sensorKey("water", step.get)));
          continue;
        }
        const made = newSensor({ name: step.gateway, agency: "water" }, step.put, step.at);
        const isNew = !disk.has(sensorKey("water", step.put));
        disk.set(sensorKey("water", step.put), made);
        expect(sensors.put(made, step.isRecent)).toBe(isNew);
      }
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
