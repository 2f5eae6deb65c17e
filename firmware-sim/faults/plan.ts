import type { City } from "../city.ts";
import type { Supply } from "../network/supply.ts";
import { between, poisson, randomFor, type Random } from "../random.ts";
import type { Zone } from "#telemetry/zone.ts";
import { drawersOf, type Drawer } from "./candidates.ts";
import { usualFaultKinds, type Fault, type FaultKind } from "./fault.ts";

export interface FaultWishes {
  /** Faults a day on average; 0 = none. */
  readonly perDay: number;
  /** Which kinds may come. */
  readonly kinds?: readonly FaultKind[];
}

/** All that goes wrong in a city, at any time: a function of its seed and the day. */
export interface FaultPlan {
  /** Faults with `from` < `to_ms` and `to` > `from_ms`, by their begin. */
  between(from_ms: number, to_ms: number): readonly Fault[];
  /** Those that hold at `time`, and until when that is the answer. */
  at(time: number): { readonly faults: readonly Fault[]; readonly until: number };
  /** Those of one sensor's own readings (not of what it measures). */
  ofSensor(sensor: string, time: number): { readonly fault: Fault | undefined; readonly until: number };
}

/** A handful a week in a city of 300. */
export function demoFaultsPerDay(sensors: number): number {
  return (0.85 * sensors) / 300;
}

/** How often each kind comes, relative to the others. */
const weights: Readonly<Record<FaultKind, number>> = {
  leak: 1,
  congestion: 2,
  "cold-chain-break": 1,
  "power-cut": 0.8,
  stuck: 1.5,
  spike: 2.5,
  drift: 1.2,
  "drop-out": 2,
  "clock-skew": 0.6,
  "gateway-reboot": 0.6,
  "gateway-swap": 0.6,
};

const minute_ms = 60_000;
const day_ms = 86_400_000;
/** No fault lasts longer than two days and then leaves its sensors alone for a while, so that each effect has one cause. */
const longest_days = 3;
const rest_ms = 8 * 3_600_000;
const rememberedDays = 16;

export function faultPlan(city: City, supply: Supply, zone: Zone, wishes: FaultWishes): FaultPlan {
  const drawers = drawersOf(city, supply);
  const kinds = [...new Set(wishes.kinds ?? usualFaultKinds)];
  const proposals = remembering((day: number) =>
    propose(city.seed, zone, day, wishes.perDay, kinds, drawers),
  );
  const ofDay = remembering((day: number): readonly Fault[] => {
    const earlier: Fault[] = [];
    for (let before = longest_days; before > 0; before -= 1) earlier.push(...proposals(day - before));
    return proposals(day).filter(
      (fault, index, all) => ![...earlier, ...all.slice(0, index)].some((other) => collide(other, fault)),
    );
  });
  const around = remembering((day: number): readonly Fault[] => {
    const days = Array.from({ length: longest_days + 1 }, (_, back) => ofDay(day - longest_days + back));
    return days.flat().filter(({ to }) => to > day * day_ms);
  });
  const instrumentFaults = remembering((day: number): ReadonlyMap<string, readonly Fault[]> => {
    const bySensor = new Map<string, Fault[]>();
    for (const fault of around(day)) {
      if (physical.has(fault.kind)) continue;
      for (const sensor of fault.effects.flatMap(({ sensors }) => sensors)) {
        bySensor.set(sensor, [...(bySensor.get(sensor) ?? []), fault]);
      }
    }
    return bySensor;
  });

  return {
    between(from_ms, to_ms) {
      const faults: Fault[] = [];
      for (let day = dayOf(from_ms) - longest_days; day <= dayOf(to_ms); day += 1) faults.push(...ofDay(day));
      return faults
        .filter(({ from, to }) => from < to_ms && to > from_ms)
        .sort((a, b) => a.from - b.from || (a.cause < b.cause ? -1 : 1));
    },
    at(time) {
      const all = around(dayOf(time));
      return { faults: all.filter((fault) => holds(fault, time)), until: nextChange(all, time) };
    },
    ofSensor(sensor, time) {
      const all = instrumentFaults(dayOf(time)).get(sensor) ?? [];
      return { fault: all.find((fault) => holds(fault, time)), until: nextChange(all, time) };
    },
  };
}

/** These act on what is measured; all others on what is said of it. */
const physical: ReadonlySet<FaultKind> = new Set<FaultKind>([
  "leak",
  "congestion",
  "cold-chain-break",
  "power-cut",
]);

function propose(
  seed: number,
  zone: Zone,
  day: number,
  perDay: number,
  kinds: readonly FaultKind[],
  drawers: Readonly<Record<FaultKind, Drawer>>,
): Fault[] {
  const random = randomFor(seed, `faults/${day}`);
  return Array.from({ length: poisson(random, perDay) }, (_, index) => {
    const kind = kindBy(random, kinds);
    const from = day * day_ms + minuteOf(kind, zone, day, random) * minute_ms;
    const candidate = kind && drawers[kind](random);
    if (kind === undefined || candidate === undefined) return undefined;
    const { duration_min, ...rest } = candidate;
    const cause = `${new Date(day * day_ms).toISOString().slice(0, 10)}/${index + 1}`;
    return { cause, kind, from, to: from + Math.max(1, duration_min) * minute_ms, ...rest };
  }).filter((fault) => fault !== undefined);
}

function kindBy(random: Random, kinds: readonly FaultKind[]): FaultKind | undefined {
  const whole = kinds.reduce((sum, kind) => sum + weights[kind], 0);
  let left = between(random, 0, whole);
  return kinds.find((kind) => (left -= weights[kind]) < 0) ?? kinds.at(-1);
}

/** Minute of the UTC day. Roads are blocked when people are on them: from 6:30 to 20:30 on the city's clock. */
function minuteOf(kind: FaultKind | undefined, zone: Zone, day: number, random: Random): number {
  const drawn = between(random, 0, 1);
  if (kind !== "congestion") return Math.floor(drawn * 1440);
  const offset_min = zone.offsetAt(day * day_ms) / minute_ms;
  return (((Math.floor(390 + drawn * 840) - offset_min) % 1440) + 1440) % 1440;
}

/** Do both touch a sensor, one while the other holds or rests? */
function collide(a: Fault, b: Fault): boolean {
  if (a.from >= b.to + rest_ms || b.from >= a.to + rest_ms) return false;
  const sensors = new Set(a.effects.flatMap((effect) => effect.sensors));
  return b.effects.some((effect) => effect.sensors.some((sensor) => sensors.has(sensor)));
}

function holds({ from, to }: Fault, time: number): boolean {
  return from <= time && time < to;
}

/** When another answer may hold: at the next begin or end, and at the next day. */
function nextChange(faults: readonly Fault[], time: number): number {
  const changes = faults.flatMap(({ from, to }) => [from, to]).filter((change) => change > time);
  return Math.min((dayOf(time) + 1) * day_ms, ...changes);
}

function dayOf(time: number): number {
  return Math.floor(time / day_ms);
}

/** The last answers of a function of a day. */
function remembering<T>(make: (day: number) => T): (day: number) => T {
  const known = new Map<number, T>();
  return (day) => {
    let answer = known.get(day);
    if (answer === undefined) {
      answer = make(day);
      if (known.size >= rememberedDays) known.delete(known.keys().next().value!);
      known.set(day, answer);
    }
    return answer;
  };
}
