import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SensorAttributes } from "#telemetry/sensor.ts";
import {
  addSensor,
  moveToGateway,
  override,
  replaceDevice,
  retire,
  verify,
} from "#ingest/registry/operator.ts";
import type { SensorDescription } from "#ingest/registry/operator.ts";
import { applyBirth } from "#ingest/registry/birth.ts";
import { attributesAt, rolloverAt } from "#ingest/registry/sensor-record.ts";
import type { SensorRecord } from "#ingest/registry/sensor-record.ts";

const gateway = { name: "gw-1", agency: "water" };

function described(attributes: SensorAttributes): SensorDescription {
  return { attributes, rollovers: {} };
}

function added(now = 1000): SensorRecord {
  return addSensor(undefined, gateway, "m-1", described({ place: "QA-DA", role: "customer" }), now);
}

/** What a birth of `now` makes of the record. */
function bornAgain(record: SensorRecord, attributes: SensorAttributes, now: number): SensorRecord {
  const known = { get: () => record, activeSensors: () => 1 };
  const birth = { marsad: 1 as const, agent: "1.0.0", sensors: [{ id: record.sensor, ...attributes }] };
  return applyBirth(known, gateway, birth, now, { sensorsPerGateway: 9 }).records[0] ?? record;
}

const attributes = fc.record(
  {
    place: fc.constantFrom("QA-DA", "QA-RA"),
    role: fc.constantFrom("customer" as const, "feeder" as const),
    dma: fc.constantFrom("north", "south"),
  },
  { requiredKeys: ["place"] },
);
const changes = fc.record(
  {
    place: fc.constantFrom("QA-DA", "QA-US", null),
    role: fc.constantFrom("customer" as const, "generator" as const, null),
    capacity_m3: fc.constantFrom(100, 200, null),
  },
  { requiredKeys: [] },
);
/** Births and overrides in any order, time rising; each override from a time of its own. */
const history = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant("birth" as const), attributes }),
    fc.record({ kind: fc.constant("override" as const), changes, from: fc.nat(120) }),
  ),
  { maxLength: 12 },
);
const born = fc.record({ first: attributes, history });

function recordAfter({
  first,
  history,
}: {
  first: SensorAttributes;
  history: readonly Step[];
}): SensorRecord {
  let record = bornAgain({ ...added(0), overrides: {} }, first, 0);
  let now = 0;
  for (const step of history) {
    now += 10;
    record =
      step.kind === "birth"
        ? bornAgain(record, step.attributes, now)
        : override(record, { attributes: step.changes, rollovers: {} }, step.from);
  }
  return record;
}
type Step =
  | { kind: "birth"; attributes: SensorAttributes }
  | { kind: "override"; changes: Parameters<typeof override>[1]["attributes"]; from: number };

describe("an operator's override", () => {
  test("wins over births, whenever they come, from its time on", () => {
    fc.assert(
      fc.property(born, attributes, fc.nat(120), fc.nat(200), (past, later, from, time) => {
        const decided = override(
          recordAfter(past),
          { attributes: { role: "generator" }, rollovers: {} },
          from,
        );
        const record = bornAgain(decided, later, 500);
        const before = attributesAt(recordAfter(past), time);
        const { role, ...rest } = attributesAt(record, time);
        expect(role).toBe(time < from ? before.role : "generator");
        expect({ ...rest, role: before.role }).toEqual(before);
      }),
    );
  });

  test("leaves other attributes to the births", () => {
    fc.assert(
      fc.property(born, fc.nat(120), fc.nat(200), (past, from, time) => {
        const before = recordAfter(past);
        const after = override(before, { attributes: { lane: "3" }, rollovers: {} }, from);
        const { lane, ...rest } = attributesAt(after, time);
        expect(rest).toEqual(attributesAt(before, time));
        expect(lane).toBe(time < from ? undefined : "3");
      }),
    );
  });

  test("said twice changes nothing the second time", () => {
    fc.assert(
      fc.property(born, changes, fc.nat(120), (past, attributes, from) => {
        const once = override(recordAfter(past), { attributes, rollovers: { import_total: 1e6 } }, from);
        expect(override(once, { attributes, rollovers: { import_total: 1e6 } }, from)).toBe(once);
      }),
    );
  });

  test("leaves the sensor with attributes that the schema accepts, at every time, also as JSON", () => {
    fc.assert(
      fc.property(born, fc.nat(200), (past, time) => {
        const record = recordAfter(past);
        const back = JSON.parse(JSON.stringify(record)) as SensorRecord;
        expect(SensorAttributes.parse(attributesAt(back, time))).toEqual(attributesAt(record, time));
      }),
    );
  });

  test("can be taken back: then the births count again", () => {
    const record = bornAgain(added(), { place: "QA-RA", role: "feeder" }, 2000);
    const cleared = override(record, { attributes: { role: null }, rollovers: {} }, 3000);
    expect(attributesAt(cleared, 2999).role).toBe("customer");
    expect(attributesAt(cleared, 3000).role).toBe("feeder");
  });

  test("cannot take the place from a sensor that no birth has described", () => {
    expect(() => override(added(), { attributes: { place: null }, rollovers: {} }, 0)).toThrow(
      expect.objectContaining({ code: "REFUSED" }),
    );
  });

  test("declares from when on a counter starts again from 0", () => {
    const record = override(added(), { attributes: {}, rollovers: { volume_total: 99_999 } }, 500);
    expect(rolloverAt(record, "volume_total", 499)).toBeUndefined();
    expect(rolloverAt(record, "volume_total", 500)).toBe(99_999);
    expect(rolloverAt(record, "constructor", 500)).toBeUndefined();
    const none = override(record, { attributes: {}, rollovers: { volume_total: null } }, 900);
    expect(rolloverAt(none, "volume_total", 900)).toBeUndefined();
  });
});

describe("a sensor added by an operator", () => {
  test("has its attributes at all times, and keeps them when a birth comes", () => {
    const record = bornAgain(added(1000), { place: "QA-RA", role: "feeder", dma: "north" }, 2000);
    expect(attributesAt(added(1000), 0)).toEqual({ place: "QA-DA", role: "customer" });
    expect(attributesAt(record, 2000)).toEqual({ place: "QA-DA", role: "customer", dma: "north" });
  });

  test("cannot be added twice", () => {
    expect(() => addSensor(added(), gateway, "m-1", described({ place: "QA-RA" }), 2000)).toThrow(
      expect.objectContaining({ code: "ALREADY_EXISTS" }),
    );
  });

  test("comes back after it was retired, as another device, described anew from then on", () => {
    fc.assert(
      fc.property(born, fc.nat(300), (past, time) => {
        const retired = retire(verify(recordAfter(past)), 150);
        const other = { name: "gw-2", agency: "water" };
        const back = addSensor(retired, other, "m-1", described({ place: "QA-KH", dma: "east" }), 200);
        expect(back).toMatchObject({
          gateway: "gw-2",
          verified: false,
          retired_at: null,
          replacements: [200],
        });
        expect(attributesAt(back, time)).toEqual(
          time < 200 ? attributesAt(retired, time) : { place: "QA-KH", dma: "east" },
        );
      }),
    );
  });
});

describe("an operator", () => {
  test("verifies a sensor, and verifying it again changes nothing", () => {
    const record = verify(added());
    expect(record.verified).toBe(true);
    expect(verify(record)).toBe(record);
  });

  test("moves a sensor to another gateway of its agency, not of another one", () => {
    const record = moveToGateway(added(), { name: "gw-2", agency: "water" });
    expect(record.gateway).toBe("gw-2");
    const abroad = (): SensorRecord => moveToGateway(record, { name: "gw-3", agency: "energy" });
    expect(abroad).toThrow(expect.objectContaining({ code: "REFUSED" }));
  });

  test("notes a device's replacement at its time, in order and once", () => {
    const record = [900, 300, 900].reduce(replaceDevice, added());
    expect(record.replacements).toEqual([300, 900]);
  });

  test("retires a sensor once, and replaces no device of it afterwards", () => {
    const record = retire(added(), 5000);
    expect(record.retired_at).toBe(5000);
    expect(() => retire(record, 6000)).toThrow(expect.objectContaining({ code: "REFUSED" }));
    expect(() => replaceDevice(record, 6000)).toThrow(expect.objectContaining({ code: "REFUSED" }));
  });
});
