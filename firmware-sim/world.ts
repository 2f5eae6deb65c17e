import type { City } from "./city.ts";
import { ActiveFaults } from "./faults/active.ts";
import { presence, type Fault, type FaultKind } from "./faults/fault.ts";
import { faultPlan, type FaultPlan, type FaultWishes } from "./faults/plan.ts";
import { cell_ms } from "./network/cell.ts";
import { EnergyNetwork } from "./network/energy.ts";
import { Roads } from "./network/roads.ts";
import { supplyOf, type Supply } from "./network/supply.ts";
import { WaterNetwork } from "./network/water.ts";
import { momentAt, type Moment } from "./moment.ts";
import { makeZone, type Zone } from "#telemetry/zone.ts";

export interface WorldOptions {
  /** What goes wrong; undefined: nothing. */
  readonly faults?: FaultWishes | undefined;
}

/** How fast a burst main opens and a jam builds up and dissolves. */
const burst_ms = 20 * 60_000;
const jam_ms = 10 * 60_000;
/** Of a longer silence a city lives this much: it was switched off. */
const longestGap_ms = 3_600_000;

export function makeWorld(city: City, { faults }: WorldOptions = {}): World {
  return new World(city, faults);
}

/**
 * What the devices of one city share, and what happens to it. One for all of them: their sums agree because they ask the same world.
 *
 * Water and electricity are computed on whole minutes, whoever asks and whenever: so what is said at a moment does not depend on who spoke
 * before, and a city that is saved and restored between two readings says the same.
 */
export class World {
  readonly seed: number;
  readonly water: WaterNetwork;
  readonly energy: EnergyNetwork;
  readonly roads: Roads;
  readonly plan: FaultPlan | undefined;
  readonly #zone: Zone;
  readonly #supply: Supply;
  /** At the end of the cell, which is ahead of the devices; and at the devices' own moment. */
  readonly #atMinute: ActiveFaults;
  readonly #atMoment: ActiveFaults;
  #start = 0;
  #end = 0;
  #begun = 0;
  #settled = false;
  #reached = 0;

  constructor(city: City, faults: FaultWishes | undefined) {
    const sensors = city.gateways.flatMap((gateway) => gateway.sensors);
    this.seed = city.seed;
    this.#zone = makeZone(city.zone);
    this.#supply = supplyOf(city.seed, sensors);
    this.water = new WaterNetwork(city.seed, sensors);
    this.energy = new EnergyNetwork(city.seed, sensors);
    this.plan =
      faults === undefined || faults.perDay === 0
        ? undefined
        : faultPlan(city, this.#supply, this.#zone, faults);
    this.#atMinute = new ActiveFaults(this.plan);
    this.#atMoment = new ActiveFaults(this.plan);
    this.roads = new Roads(city.seed, this.#zone, sensors, city.venue, (corridor, time) => {
      const jam = this.#find("congestion", corridor, time);
      return jam === undefined ? 0 : jam.magnitude * presence(jam, time, jam_ms);
    });
  }

  /** Since when it has lived without a gap, ms since 1970: no device counts from before. */
  get begun(): number {
    return this.#begun;
  }

  /** The minute that the networks are in, ms since 1970; 0 = they have not begun. */
  get cell(): number {
    return this.#start;
  }

  /** Moves the networks on to `time`, ms since 1970, which no device has passed yet. */
  reach(time: number): void {
    if (time === this.#reached) return;
    this.#reached = time;
    if (this.#start === 0) this.#begin(Math.ceil(time / cell_ms - 1) * cell_ms);
    else if (time - this.#end > longestGap_ms) {
      this.#advance(); // so that no total is below what was said
      this.#begin(Math.ceil((time - longestGap_ms) / cell_ms) * cell_ms);
    }
    if (!this.#settled) {
      this.water.settle();
      this.#settled = true;
    }
    while (this.#end < time) this.#advance();
    const at_s = (time - this.#start) / 1000;
    this.water.at_s = at_s;
    this.water.tanks.at_s = at_s;
    this.energy.at_s = at_s;
  }

  /** Takes up a saved world. Once for all devices; then each gives back what was kept for it. */
  place(cell: number, begun: number): void {
    if (cell === this.#start || cell === 0) return;
    this.#load(cell);
    this.#begun = begun;
  }

  /** Does a cold store's compressor stand still? */
  isWarming(store: string, time: number): boolean {
    return this.#find("cold-chain-break", store, time) !== undefined || this.#isDark(store, time);
  }

  #isDark(sensor: string, time: number): boolean {
    const site = this.#supply.siteOf(sensor);
    return site !== undefined && this.#find("power-cut", site, time) !== undefined;
  }

  #begin(cell: number): void {
    this.#load(cell);
    this.#begun = cell;
  }

  #load(cell: number): void {
    this.#start = cell;
    this.#end = cell + cell_ms;
    const [start, end] = [this.#momentAt(this.#start), this.#momentAt(this.#end)];
    this.water.load(start, end, this.#waterTrouble(this.#start), this.#waterTrouble(this.#end));
    this.energy.load(start, end, this.#darkness(this.#start), this.#darkness(this.#end));
    this.#settled = false;
  }

  #advance(): void {
    this.#start = this.#end;
    this.#end += cell_ms;
    const end = this.#momentAt(this.#end);
    this.water.advance(end, this.#waterTrouble(this.#end));
    this.energy.advance(end, this.#darkness(this.#end));
  }

  #momentAt(time: number): Moment {
    return momentAt(this.seed, this.#zone, time);
  }

  #waterTrouble(time: number): { leak: (area: string) => number; dark: (tank: string) => boolean } {
    const faults = this.#atMinute.at(time);
    if (faults.length === 0) return noTrouble;
    return {
      leak: (area) =>
        faults.reduce(
          (sum, fault) =>
            fault.kind === "leak" && fault.target === area
              ? sum + fault.magnitude * Math.min(1, presence(fault, time, burst_ms))
              : sum,
          0,
        ),
      dark: (tank) => cutAt(faults, this.#supply.siteOf(tank), time),
    };
  }

  #darkness(time: number): (site: string) => boolean {
    const faults = this.#atMinute.at(time);
    return faults.length === 0 ? noTrouble.dark : (site) => cutAt(faults, site, time);
  }

  #find(kind: FaultKind, target: string, time: number): Fault | undefined {
    const faults = this.#atMoment.at(time);
    if (faults.length === 0) return undefined;
    return faults.find((fault) => fault.kind === kind && fault.target === target);
  }
}

const noTrouble = { leak: () => 0, dark: () => false };

/** Strictly inside, so that what goes down and comes up in straight lines stays inside too. */
function cutAt(faults: readonly Fault[], site: string | undefined, time: number): boolean {
  return faults.some(
    (fault) => fault.kind === "power-cut" && fault.target === site && fault.from < time && time < fault.to,
  );
}
