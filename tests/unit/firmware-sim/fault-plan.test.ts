import { assert, integer, property } from "fast-check";
import { describe, expect, test } from "vitest";
import { faultKinds, type Fault } from "#firmware-sim/faults/fault.ts";
import { FaultLabel, labelsOf } from "#firmware-sim/faults/label.ts";
import { demoFaultsPerDay } from "#firmware-sim/faults/plan.ts";
import { momentAt } from "#firmware-sim/moment.ts";
import { from, holds, to } from "./fault-pairs.ts";
import { RunningCity, zone } from "./running-city.ts";

describe("the plan", () => {
  const all = { perDay: 30, kinds: faultKinds };

  test("is a function of seed and time: the same in any order of asking, each fault whole whichever stretch it is asked in", () => {
    const plan = (): NonNullable<RunningCity["world"]["plan"]> =>
      new RunningCity({ seed: 9, faults: all, sensorsPerGateway: 40 }).world.plan!;
    const faults = plan().between(from, to);
    assert(
      property(integer({ min: from, max: to - 1 }), integer({ min: 1, max: 86_400_000 }), (start, length) => {
        const end = Math.min(to, start + length);
        expect(plan().between(start, end)).toEqual(
          faults.filter((fault) => fault.from < end && fault.to > start),
        );
        expect(plan().at(start).faults).toEqual(
          expect.arrayContaining(faults.filter((fault) => holds(fault, start))),
        );
      }),
      { numRuns: 20 },
    );
    expect(new RunningCity({ seed: 10, faults: all }).world.plan!.between(from, to)).not.toEqual(faults);
  });

  test("gives each sensor one fault at a time, with a rest between two", () => {
    const month = to + 27 * 86_400_000;
    const faults = new RunningCity({ faults: { perDay: 20 } }).world.plan!.between(from, month);
    const bySensor = new Map<string, Fault[]>();
    for (const fault of faults)
      for (const sensor of new Set(fault.effects.flatMap(({ sensors }) => sensors)))
        bySensor.set(sensor, [...(bySensor.get(sensor) ?? []), fault]);
    const crowded = [...bySensor.values()].flatMap((own) =>
      own.filter((fault, i) => fault.from < (own[i - 1]?.to ?? 0)),
    );
    expect(faults.length).toBeGreaterThan(100);
    expect(crowded).toEqual([]);
  });

  test("brings a city of 300 a handful a week, of every usual kind within a year, and a city of three almost nothing", () => {
    const year = from + 365 * 86_400_000;
    const faults = new RunningCity({ faults: { perDay: demoFaultsPerDay(300) } }).world.plan!.between(
      from,
      year,
    );
    expect(faults.length / 52).toBeGreaterThan(3.5);
    expect(faults.length / 52).toBeLessThan(8);
    expect(new Set(faults.map(({ kind }) => kind))).toEqual(
      new Set(faultKinds.filter((kind) => kind !== "gateway-swap")),
    );
    expect(demoFaultsPerDay(3)).toBeLessThan(0.01);
  });

  test("strikes only what a city has, and labels it as the schema says", () => {
    for (const sensors of [3, 17, 40, 300]) {
      const city = new RunningCity({ sensors, faults: all });
      const known = new Map(city.devices.map((device) => [device.sensor.id, device]));
      for (const label of city.world.plan!.between(from, to).flatMap(labelsOf)) {
        expect(FaultLabel.safeParse(JSON.parse(JSON.stringify(label))).success).toBe(true);
        for (const sensor of label.sensors) {
          expect(known.get(sensor)?.measurement).toBe(label.measurement);
          expect(known.get(sensor)?.fields.map(({ name }) => name)).toEqual(
            expect.arrayContaining(label.fields),
          );
        }
      }
    }
  });
});

test("a swapped gateway's sensors say through which other one of their agency they speak", () => {
  const city = new RunningCity({ sensorsPerGateway: 40, faults: { perDay: 4, kinds: ["gateway-swap"] } });
  const [fault] = city.world.plan!.between(from, to).filter((each) => each.from > from);
  const own = city.city.gateways.find(({ name }) => name === fault!.target)!;
  const other = city.city.gateways.find(({ name }) => name === fault!.through)!;
  expect([other.agency, other.name]).toEqual([own.agency, expect.not.stringMatching(own.name)]);
  const device = city.devices.find(({ sensor }) => sensor.id === own.sensors[0]!.id)!;
  const speakAt = (time: number): string | undefined => {
    device.speak(momentAt(1, zone, time), new Float64Array(64));
    return device.through;
  };
  expect([fault!.from - 1, fault!.from, fault!.to - 1, fault!.to].map(speakAt)).toEqual([
    undefined,
    other.name,
    other.name,
    undefined,
  ]);
});
