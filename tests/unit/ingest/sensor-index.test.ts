import { array, assert, boolean, constantFrom, property, record } from "fast-check";
import { describe, expect, test } from "vitest";
import { SensorIndex } from "#ingest/registry/sensor-index.ts";
import { sensorKey } from "#ingest/registry/sensor-record.ts";

const agencies = ["water", "energy"] as const;
const ids = Array.from({ length: 40 }, (_, i) => `m-${i}`);
const gateways = ["gw-1", "gw-2", "gw-3"] as const;
const anyChange = record({
  agency: constantFrom(...agencies),
  sensor: constantFrom(...ids),
  gateway: constantFrom(...gateways),
  retired: boolean(),
});

describe("the index of sensors", () => {
  test("knows after any history of coming, moving and going what a plain Map knows", () => {
    assert(
      property(array(anyChange, { maxLength: 400 }), (changes) => {
        const index = new SensorIndex();
        const known = new Map<string, (typeof changes)[number]>();
        for (const { agency, sensor, gateway, retired } of changes) {
          index.put({ agency, sensor }, { gateway, retired });
          known.set(sensorKey(agency, sensor), { agency, sensor, gateway, retired });
        }
        expect(index.size).toBe(known.size);
        expect(new Set(index.agencies())).toEqual(new Set(changes.map(({ agency }) => agency)));
        for (const agency of agencies) {
          for (const sensor of ids) {
            const owner = known.get(sensorKey(agency, sensor));
            expect(index.has(agency, sensor)).toBe(owner !== undefined);
            expect(index.owner(agency, sensor)).toEqual(
              owner && { gateway: owner.gateway, retired: owner.retired },
            );
          }
        }
        for (const gateway of gateways) {
          const own = [...known.values()].filter((owner) => owner.gateway === gateway);
          expect(index.of(gateway)).toEqual(own.map(({ agency, sensor }) => ({ agency, sensor })));
          expect(index.countOf(gateway)).toBe(own.length);
          expect(index.activeSensors(gateway)).toBe(own.filter(({ retired }) => !retired).length);
        }
      }),
      { numRuns: 50 },
    );
  });

  test("takes less than 60 bytes a sensor of many, ids of 14 letters", () => {
    const index = new SensorIndex();
    for (let i = 0; i < 250_000; i += 1)
      index.put({ agency: "bench", sensor: `load-1.${1e6 + i}` }, { gateway: "load-1", retired: false });
    expect(index.byteLength / index.size).toBeLessThan(60);
  });
});
