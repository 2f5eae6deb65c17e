import { expect } from "vitest";
import type { Fault, FaultKind } from "#firmware-sim/faults/fault.ts";
import { instant, mean, RunningCity, type Said, type Stretch } from "./running-city.ts";

const begin = "2026-07-06T00:00";
export const [from, to] = [instant(begin), instant("2026-07-09T00:00")];
export const minute_ms = 60_000;
const stretch: Stretch = { from: begin, hours: 72, step_min: 3 };

export interface Pair {
  readonly struck: ReadonlyMap<string, Said>;
  readonly calm: ReadonlyMap<string, Said>;
  readonly faults: readonly Fault[];
}

let calm: ReadonlyMap<string, Said> | undefined;

/** One city twice, with faults of one kind and without, over three days in steps of three minutes. */
export function twice(kind: FaultKind, perDay: number): Pair {
  calm ??= new RunningCity().say(stretch);
  const city = new RunningCity({ faults: { perDay, kinds: [kind] } });
  const faults = city.world.plan!.between(from, to);
  expect(faults.length).toBeGreaterThan(5);
  expect(new Set(faults.map((fault) => fault.kind))).toEqual(new Set([kind]));
  return { struck: city.say(stretch), calm, faults };
}

export interface Difference {
  readonly time: number;
  readonly struck: number;
  readonly calm: number;
}

/** Times and both values where a field differs. */
export function differences(pair: Pair, sensor: string, field: string): Difference[] {
  const [struck, usual] = [pair.struck.get(sensor)!, pair.calm.get(sensor)!];
  const [own, calm] = [struck.values[field]!, usual.values[field]!];
  const found: Difference[] = [];
  for (let i = 0, j = 0; i < struck.times.length; i += 1) {
    const time = struck.times[i]!;
    while (usual.times[j]! < time) j += 1; // both rise
    const before = usual.times[j] === time ? calm[j]! : Number.NaN;
    if (!Object.is(own[i], before)) found.push({ time, struck: own[i]!, calm: before });
  }
  return found;
}

export function holds({ from: since, to: until }: Fault, time: number): boolean {
  return since <= time && time < until;
}

/** The faults that touch a sensor. */
export function on(faults: readonly Fault[], sensor: string): Fault[] {
  return faults.filter(({ effects }) => effects.some(({ sensors }) => sensors.includes(sensor)));
}

/** A field's values while `when` says so. */
export function during({ times, values }: Said, field: string, when: (time: number) => boolean): number[] {
  return values[field]!.filter((_value, i) => when(times[i]!));
}

/** Means of a field while a fault holds. */
export function means(
  pair: Pair,
  sensor: string,
  field: string,
  fault: Fault,
): { struck: number; calm: number } {
  const part = (said: Said): number => mean(during(said, field, (time) => holds(fault, time)));
  return { struck: part(pair.struck.get(sensor)!), calm: part(pair.calm.get(sensor)!) };
}

/** Faults that begin and end in the stretch and last for some readings. */
export function whole(faults: readonly Fault[]): Fault[] {
  const found = faults.filter(
    (fault) => fault.from > from + 60 * minute_ms && fault.to < to && fault.to - fault.from > 10 * minute_ms,
  );
  expect(found.length).toBeGreaterThan(2);
  return found;
}

/** Where fields of a measurement differ although no label says so: a reading after its end may still hold some of it. */
export function strays(pair: Pair, measurement: string, fields: readonly string[]): string[] {
  return [...pair.struck].flatMap(([id, { device, sensor }]) =>
    device.measurement === measurement && sensor.attributes.role !== "source"
      ? fields.flatMap((field) =>
          differences(pair, id, field)
            .filter(
              ({ time }) =>
                !on(pair.faults, id).some(
                  (fault) => holds(fault, time - 4 * minute_ms) || holds(fault, time),
                ),
            )
            .map(({ time }) => `${id} ${field} ${new Date(time).toISOString()}`),
        )
      : [],
  );
}
