import type { CitySensor } from "../devices/device.ts";
import type { Moment } from "../moment.ts";
import { between, noiseAt, noiseKey, randomFor } from "../random.ts";
import { cell_s, integral } from "./cell.ts";
import { meanLoss } from "./water-plan.ts";
import type { WaterTrouble } from "./water.ts";

interface Tank {
  readonly id: string;
  /** Of all that the mains carry, the part that passes through it. */
  readonly share: number;
  readonly height: number; // m
  readonly area: number; // m2
  /** Filled by pumps that start low and stop high, and holds less than two days; else kept near three quarters by a valve. */
  readonly tower: boolean;
  readonly key: number;
}

/** Below this share of its height the outlet closes (the fire reserve); above that the inlet does. */
const reserve = 0.08;
const brim = 0.98;

/** What must be kept of a tank: at the begin of the cell and, of flows, at its end too. */
export interface KeptTank extends Record<string, number> {
  readonly "cell.level": number;
  readonly "cell.inFrom": number;
  readonly "cell.inTo": number;
  readonly "cell.outFrom": number;
  readonly "cell.outTo": number;
  readonly "cell.inflow": number;
  readonly "cell.outflow": number;
  readonly "cell.pumping": number;
}

/** @param demand  Mean demand of all areas, L/s. */
export function tanksOf(seed: number, sensors: readonly CitySensor[], demand: number): Tanks {
  const own = sensors.filter(({ kind }) => kind === "water-tank");
  const whole = own.reduce((sum, { size }) => sum + size, 0);
  const tanks = own.map(({ id, size, attributes }): Tank => {
    const capacity_m3 = attributes.capacity_m3 ?? size * 86.4;
    const height = between(randomFor(seed, `${id}/traits`), 5.5, 9);
    const tower = capacity_m3 < size * 86.4 * 2;
    return { id, share: size / whole, height, area: capacity_m3 / height, tower, key: noiseKey(seed, id) };
  });
  return new Tanks(tanks, demand / (1 - meanLoss));
}

/** The tanks between sources and areas: what all areas take passes through them, and they take it from the sources in their own time. */
export class Tanks {
  /** Seconds into the cell. */
  at_s = 0;
  readonly #tanks: readonly Tank[];
  readonly #demand: number; // L/s, mean
  readonly #pumping: Float64Array;
  readonly #level: Float64Array; // m
  readonly #inFrom: Float64Array; // L/s
  readonly #inTo: Float64Array;
  readonly #outFrom: Float64Array;
  readonly #outTo: Float64Array;
  readonly #inflow: Float64Array; // L since some day
  readonly #outflow: Float64Array;

  constructor(tanks: readonly Tank[], demand: number) {
    this.#tanks = tanks;
    this.#demand = demand;
    const rows = (): Float64Array => new Float64Array(tanks.length);
    [this.#pumping, this.#level] = [rows(), rows()];
    [this.#inFrom, this.#inTo, this.#outFrom, this.#outTo] = [rows(), rows(), rows(), rows()];
    [this.#inflow, this.#outflow] = [rows(), rows()];
  }

  rowOf(sensor: string): number {
    const row = this.#tanks.findIndex(({ id }) => id === sensor);
    if (row < 0) throw new RangeError(`no tank ${sensor}`);
    return row;
  }

  height(row: number): number {
    return this.#tanks[row]!.height;
  }

  /** L/s that all tanks take more than they give, at the begin and the end of the cell. */
  get takenFrom(): number {
    return sumOf(this.#inFrom) - sumOf(this.#outFrom);
  }

  get takenTo(): number {
    return sumOf(this.#inTo) - sumOf(this.#outTo);
  }

  /** Water passes straight through, at what the mains carry at both ends of the cell. */
  load(from: number, to: number): void {
    for (const [row, { share }] of this.#tanks.entries()) {
      this.#inFrom[row] = this.#outFrom[row] = from * share;
      this.#inTo[row] = this.#outTo[row] = to * share;
    }
  }

  /** @param mains  What the mains carry at the end of the new cell, L/s. */
  advance(mains: number, end: Moment, trouble: WaterTrouble): void {
    const season = 1 + 0.009 * (end.weather.temp - 26);
    for (let row = 0; row < this.#tanks.length; row += 1) {
      const { id, share, height, area, tower, key } = this.#tanks[row]!;
      const taken = ((this.#inFrom[row]! + this.#inTo[row]!) * cell_s) / 2;
      const given = ((this.#outFrom[row]! + this.#outTo[row]!) * cell_s) / 2;
      this.#inflow[row]! += taken;
      this.#outflow[row]! += given;
      this.#level[row]! += (taken - given) / 1000 / area;
      this.#inFrom[row] = this.#inTo[row]!;
      this.#outFrom[row] = this.#outTo[row]!;

      const fill = this.#level[row]! / height;
      if (fill < 0.45) this.#pumping[row] = 1;
      if (fill > 0.92) this.#pumping[row] = 0;
      const mean = this.#demand * share;
      let supplied: number;
      if (tower)
        supplied = trouble.dark(id)
          ? 0
          : this.#pumping[row]! * mean * (1.9 + 0.02 * noiseAt(key, end.time / 120_000));
      else supplied = Math.max(0, mean * season * (1 + 2.5 * (0.76 - fill)));
      const wanted = mains * share;
      const outflow = fill < reserve ? Math.min(wanted, supplied) : wanted;
      this.#outTo[row] = outflow;
      this.#inTo[row] = fill > brim ? Math.min(supplied, outflow) : supplied;
    }
  }

  level(row: number): number {
    const net =
      integral(this.#inFrom[row]!, this.#inTo[row]!, this.at_s) -
      integral(this.#outFrom[row]!, this.#outTo[row]!, this.at_s);
    return this.#level[row]! + net / 1000 / this.#tanks[row]!.area;
  }

  /** What has run in since some day, L. */
  inflow(row: number): number {
    return this.#inflow[row]! + integral(this.#inFrom[row]!, this.#inTo[row]!, this.at_s);
  }

  outflow(row: number): number {
    return this.#outflow[row]! + integral(this.#outFrom[row]!, this.#outTo[row]!, this.at_s);
  }

  setLevel(row: number, level: number): void {
    this.#level[row] = level;
  }

  keep(row: number): KeptTank {
    return {
      "cell.level": this.#level[row]!,
      "cell.inFrom": this.#inFrom[row]!,
      "cell.inTo": this.#inTo[row]!,
      "cell.outFrom": this.#outFrom[row]!,
      "cell.outTo": this.#outTo[row]!,
      "cell.inflow": this.#inflow[row]!,
      "cell.outflow": this.#outflow[row]!,
      "cell.pumping": this.#pumping[row]!,
    };
  }

  giveBack(row: number, kept: KeptTank): void {
    this.#level[row] = kept["cell.level"];
    this.#inFrom[row] = kept["cell.inFrom"];
    this.#inTo[row] = kept["cell.inTo"];
    this.#outFrom[row] = kept["cell.outFrom"];
    this.#outTo[row] = kept["cell.outTo"];
    this.#inflow[row] = kept["cell.inflow"];
    this.#outflow[row] = kept["cell.outflow"];
    this.#pumping[row] = kept["cell.pumping"];
  }
}

function sumOf(values: Float64Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum;
}
