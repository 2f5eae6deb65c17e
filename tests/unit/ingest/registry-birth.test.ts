import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SensorAttributes } from "#telemetry/sensor.ts";
import type { Birth } from "#telemetry/birth.ts";
import { applyBirth } from "#ingest/registry/birth.ts";
import type { KnownSensors } from "#ingest/registry/birth.ts";
import { moveToGateway, retire } from "#ingest/registry/operator.ts";
import { attributesAt, isRetired, sensorKey } from "#ingest/registry/sensor-record.ts";
import type { SensorRecord } from "#ingest/registry/sensor-record.ts";

const gateway = { name: "gw-1", agency: "water" };
const rival = { name: "gw-2", agency: "water" };
const limits = { sensorsPerGateway: 100 };

/** Sensors known, as a plain map. */
class Known implements KnownSensors {
  readonly records = new Map<string, SensorRecord>();

  get(agency: string, sensor: string): SensorRecord | undefined {
    return this.records.get(sensorKey(agency, sensor));
  }

  activeSensors(name: string): number {
    return [...this.records.values()].filter((record) => record.gateway === name && !isRetired(record))
      .length;
  }

  put(...records: readonly SensorRecord[]): void {
    for (const record of records) this.records.set(sensorKey(record.agency, record.sensor), record);
  }
}

function birth(...sensors: Birth["sensors"]): Birth {
  return { marsad: 1, agent: "1.0.0", sensors };
}

const attributes = fc.record(
  {
    place: fc.constantFrom("QA-DA", "QA-RA"),
    role: fc.constantFrom("customer" as const, "feeder" as const),
    dma: fc.constantFrom("north", "south"),
  },
  { requiredKeys: ["place"] },
);
const sensor = fc
  .tuple(attributes, fc.constantFrom("a", "b", "c"), fc.option(fc.nat(50), { nil: undefined }))
  .map(([declared, id, from]) => ({ id, ...(from === undefined ? {} : { valid_from: from }), ...declared }));
const anyBirth = fc
  .uniqueArray(sensor, { selector: ({ id, valid_from: from }) => `${id} ${from}`, maxLength: 6 })
  .map((all) => birth(...all));
const births = fc.array(fc.record({ birth: anyBirth, wait: fc.nat(20) }), { maxLength: 8 });

function knownAfter(all: readonly { birth: Birth; wait: number }[]): { known: Known; now: number } {
  const known = new Known();
  let now = 0;
  for (const { birth, wait } of all) {
    now += wait;
    known.put(...applyBirth(known, gateway, birth, now, limits).records);
  }
  return { known, now };
}

/** What a birth of `now` says of a sensor at `time`; undefined when it does not say. */
function saidOf(entries: Birth["sensors"], now: number, time: number): SensorAttributes | undefined {
  // An undated entry comes after what is dated now, and may hold since an earlier birth said the same.
  if (time <= now && entries.some((entry) => entry.valid_from === undefined)) return undefined;
  return entries
    .map(({ id: _id, valid_from: from = now + 0.5, ...value }) => ({ from, value }))
    .sort((a, b) => a.from - b.from)
    .findLast(({ from }) => from <= time)?.value;
}

/** What was known of `time` before a birth, if all of it speaks of later times. */
function rememberedOf(
  record: SensorRecord | undefined,
  entries: Birth["sensors"],
  time: number,
): SensorAttributes | undefined {
  const first = Math.min(...entries.map((entry) => entry.valid_from ?? -1));
  const known = record !== undefined && first > time && first > record.births[0]!.valid_from;
  return known ? attributesAt(record, time) : undefined;
}

describe("a birth", () => {
  test("applied twice is applied once, also later", () => {
    fc.assert(
      fc.property(births, anyBirth, fc.nat(100), (all, last, wait) => {
        const { known, now } = knownAfter(all);
        // Once a plan has come true, an entry that says otherwise of the present says something new.
        fc.pre(last.sensors.every(({ valid_from: from = now }) => from <= now || from > now + wait));
        known.put(...applyBirth(known, gateway, last, now, limits).records);
        expect(applyBirth(known, gateway, last, now + wait, limits)).toEqual({ records: [], refused: [] });
      }),
    );
  });

  test("says what its sensors are from its valid_from on, and leaves what was known of earlier times", () => {
    fc.assert(
      fc.property(births, anyBirth, fc.nat(200), (all, last, time) => {
        const { known, now } = knownAfter(all);
        const before = new Map(known.records);
        known.put(...applyBirth(known, gateway, last, now, limits).records);
        const expected = [...Map.groupBy(last.sensors, ({ id }) => id)]
          .map(([id, entries]) => {
            const old = before.get(sensorKey("water", id));
            return { id, attributes: saidOf(entries, now, time) ?? rememberedOf(old, entries, time) };
          })
          .filter(({ attributes }) => attributes !== undefined);
        const actual = expected.map(({ id }) => ({
          id,
          attributes: attributesAt(known.get("water", id)!, time),
        }));
        expect(actual).toEqual(expected);
      }),
    );
  });

  test("may tell a sensor's history, in any order", () => {
    const known = new Known();
    const history = birth(
      { id: "m-1", place: "QA-KH" },
      { id: "m-1", place: "QA-RA", valid_from: 200 },
      { id: "m-1", place: "QA-DA", valid_from: 100 },
    );
    known.put(...applyBirth(known, gateway, history, 1000, limits).records);
    const places = [50, 100, 200, 999, 1000].map(
      (time) => attributesAt(known.get("water", "m-1")!, time).place,
    );
    expect(places).toEqual(["QA-DA", "QA-DA", "QA-RA", "QA-RA", "QA-KH"]);
    expect(applyBirth(known, gateway, history, 2000, limits).records).toEqual([]);
  });

  test("never removes a sensor", () => {
    fc.assert(
      fc.property(births, anyBirth, (all, last) => {
        const { known, now } = knownAfter(all);
        const before = [...known.records.keys()];
        known.put(...applyBirth(known, gateway, last, now, limits).records);
        expect([...known.records.keys()]).toEqual(expect.arrayContaining(before));
      }),
    );
  });

  test("leaves each sensor with attributes that the schema accepts, at every time, also as JSON", () => {
    fc.assert(
      fc.property(births, fc.nat(60), (all, time) => {
        for (const record of knownAfter(all).known.records.values()) {
          const back = JSON.parse(JSON.stringify(record)) as SensorRecord;
          expect(SensorAttributes.parse(attributesAt(back, time))).toEqual(attributesAt(record, time));
        }
      }),
    );
  });

  test("registers a sensor as not yet verified, known for all times before", () => {
    const { records } = applyBirth(new Known(), gateway, birth({ id: "m-1", place: "QA-DA" }), 1000, limits);
    expect(records).toEqual([
      expect.objectContaining({
        agency: "water",
        sensor: "m-1",
        gateway: "gw-1",
        verified: false,
        retired_at: null,
      }),
    ]);
    expect(attributesAt(records[0]!, 5)).toEqual({ place: "QA-DA" });
  });

  test("that takes a plan back withdraws what it had announced for later", () => {
    const known = new Known();
    known.put(...applyBirth(known, gateway, birth({ id: "m-1", place: "QA-DA" }), 1000, limits).records);
    const planned = birth({ id: "m-1", place: "QA-RA", valid_from: 5000 });
    known.put(...applyBirth(known, gateway, planned, 2000, limits).records);
    expect(attributesAt(known.get("water", "m-1")!, 6000).place).toBe("QA-RA");
    known.put(...applyBirth(known, gateway, birth({ id: "m-1", place: "QA-DA" }), 3000, limits).records);
    expect(attributesAt(known.get("water", "m-1")!, 6000).place).toBe("QA-DA");
  });

  test("of a rival gateway is refused for the sensors that another one owns, and taken for its own", () => {
    const known = new Known();
    known.put(...applyBirth(known, gateway, birth({ id: "m-1", place: "QA-DA" }), 1000, limits).records);
    const both = birth({ id: "m-1", place: "QA-RA" }, { id: "m-2", place: "QA-RA" });
    const { records, refused } = applyBirth(known, rival, both, 2000, limits);
    expect(refused).toEqual([
      { sensor: "m-1", reason: "sensor-owned", detail: expect.stringContaining("belongs to gateway gw-1") },
    ]);
    expect(records.map(({ sensor }) => sensor)).toEqual(["m-2"]);
  });

  test("of another agency may use the same id for a sensor of its own", () => {
    const known = new Known();
    known.put(...applyBirth(known, gateway, birth({ id: "m-1", place: "QA-DA" }), 1000, limits).records);
    const other = { name: "gw-9", agency: "energy" };
    expect(applyBirth(known, other, birth({ id: "m-1", place: "QA-RA" }), 2000, limits).refused).toEqual([]);
  });

  test("is refused for the old gateway after an operator moved the sensor", () => {
    const known = new Known();
    const declared = birth({ id: "m-1", place: "QA-DA" });
    known.put(...applyBirth(known, gateway, declared, 1000, limits).records);
    known.put(moveToGateway(known.get("water", "m-1")!, rival));
    expect(applyBirth(known, gateway, declared, 2000, limits).refused[0]?.reason).toBe("sensor-owned");
    expect(applyBirth(known, rival, declared, 2000, limits).refused).toEqual([]);
  });

  test("does not bring a retired sensor back, and says what does", () => {
    const known = new Known();
    const declared = birth({ id: "m-1", place: "QA-DA" });
    known.put(...applyBirth(known, gateway, declared, 1000, limits).records);
    known.put(retire(known.get("water", "m-1")!, 1500));
    expect(applyBirth(known, gateway, declared, 2000, limits)).toEqual({
      records: [],
      refused: [
        { sensor: "m-1", reason: "sensor-retired", detail: expect.stringContaining("marsad sensor add m-1") },
      ],
    });
  });

  test("beyond the gateway's budget registers as many sensors as there is room for; the known ones may change", () => {
    const known = new Known();
    const two = { sensorsPerGateway: 2 };
    known.put(...applyBirth(known, gateway, birth({ id: "a", place: "QA-DA" }), 1000, two).records);
    const more = birth({ id: "b", place: "QA-DA" }, { id: "c", place: "QA-DA" }, { id: "a", place: "QA-RA" });
    const { records, refused } = applyBirth(known, gateway, more, 2000, two);
    expect(records.map(({ sensor }) => sensor)).toEqual(["b", "a"]);
    expect(refused).toEqual([
      { sensor: "c", reason: "sensor-budget", detail: expect.stringContaining("has its 2 sensors") },
    ]);
  });

  test("of a gateway whose sensors are retired has room again", () => {
    const known = new Known();
    const one = { sensorsPerGateway: 1 };
    known.put(...applyBirth(known, gateway, birth({ id: "a", place: "QA-DA" }), 1000, one).records);
    known.put(retire(known.get("water", "a")!, 1500));
    expect(applyBirth(known, gateway, birth({ id: "b", place: "QA-DA" }), 2000, one).refused).toEqual([]);
  });
});
