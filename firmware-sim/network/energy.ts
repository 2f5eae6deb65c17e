import type { CitySensor } from "../devices/device.ts";
import type { Moment } from "../moment.ts";
import { between, noiseAt, noiseKey, randomFor, whiteAt } from "../random.ts";
import { powerShape, shapeAt } from "../week-shape.ts";
import { cell_s, integral, positiveIntegral } from "./cell.ts";

/** Has this substation no electricity at one whole minute? */
export type Darkness = (site: string) => boolean;

interface Group {
  readonly site: string;
  /** Rows. */
  readonly customers: readonly number[];
  readonly plants: readonly number[];
  readonly feeder: number;
  /** Load of a hot day, kW. */
  readonly most: number;
}

interface Customer {
  /** Mean load without cooling, kW. */
  readonly base: number;
  /** Cooling load at 36 Cel, kW. */
  readonly cooling: number;
  /** Panels on the customer's own roof, kW at 1000 W/m2; most have none. */
  readonly roof: number;
  readonly shift_h: number;
  readonly key: number;
}

interface Plant {
  readonly peak: number; // kW at 1000 W/m2
  readonly key: number;
  /** Between two cleanings, days. */
  readonly cleaning: number;
  readonly phase: number;
}

/** Technical loss of a group, of its load of a hot day: iron always, copper with the square of the load. */
const loss = { iron: 0.008, copper: 0.035 };

/**
 * All electricity of a city at one time, as `WaterNetwork` has all water. Over any window a feeder's import less export is that of its
 * customers and the technical loss, less what the group's solar plants feed in.
 */
export class EnergyNetwork {
  /** Seconds into the cell. */
  at_s = 0;
  readonly #groups: readonly Group[];
  readonly #customers: readonly Customer[] = [];
  readonly #plants: readonly Plant[] = [];
  readonly #rows = new Map<string, number>();
  readonly #groupOfRow: readonly number[];
  /** By row: customers, plants, groups. kW at both ends of the cell, kW.h at its begin; plants export. */
  readonly #from: Float64Array;
  readonly #to: Float64Array;
  readonly #imported: Float64Array;
  readonly #exported: Float64Array;
  /** Load before roofs, kW, by row of customer, for the voltage. */
  readonly #load: Float64Array;
  readonly #dark: { readonly from: Uint8Array; readonly to: Uint8Array };

  constructor(seed: number, sensors: readonly CitySensor[]) {
    const own = sensors.filter(({ kind }) => kind === "energy-meter" || kind === "solar-plant");
    const sites = Map.groupBy(own, ({ attributes }) => attributes.site ?? "");
    const customers: Customer[] = [];
    const groupOfRow: number[] = [];
    const memberRows = [...sites.values()].map((members, group) =>
      members.filter(isCustomer).map((sensor) => {
        const row = customers.push(customerOf(seed, sensor)) - 1;
        groupOfRow.push(group);
        this.#rows.set(sensor.id, row);
        return row;
      }),
    );
    const plants: Plant[] = [];
    const plantRows = [...sites.values()].map((members, group) =>
      members
        .filter(({ kind }) => kind === "solar-plant")
        .map((sensor) => {
          const row = customers.length + plants.push(plantOf(seed, sensor)) - 1;
          groupOfRow.push(group);
          this.#rows.set(sensor.id, row);
          return row;
        }),
    );
    let row = customers.length + plants.length;
    this.#groups = [...sites].map(([site, members], group) => {
      const feeder = members.find(({ attributes }) => attributes.role === "feeder");
      if (feeder !== undefined) this.#rows.set(feeder.id, row);
      groupOfRow.push(group);
      const most = memberRows[group]!.reduce((sum, each) => sum + mostOf(customers[each]!), 0);
      return { site, customers: memberRows[group]!, plants: plantRows[group]!, feeder: row++, most };
    });
    this.#customers = customers;
    this.#plants = plants;
    this.#groupOfRow = groupOfRow;
    [this.#from, this.#to] = [new Float64Array(row), new Float64Array(row)];
    [this.#imported, this.#exported] = [new Float64Array(row), new Float64Array(row)];
    this.#load = new Float64Array(row);
    this.#dark = { from: new Uint8Array(this.#groups.length), to: new Uint8Array(this.#groups.length) };
  }

  /** A meter's or plant's row, for the questions below. */
  rowOf(sensor: string): number {
    const row = this.#rows.get(sensor);
    if (row === undefined) throw new RangeError(`no energy meter or plant ${sensor}`);
    return row;
  }

  /** Load of a hot day behind a row, kW. */
  most(row: number): number {
    const customer = this.#customers[row];
    if (customer !== undefined) return mostOf(customer);
    return (
      this.#plants[row - this.#customers.length]?.peak ??
      Math.max(1, this.#groups[this.#groupOfRow[row]!]!.most)
    );
  }

  /** Takes up the cell between two moments. */
  load(start: Moment, end: Moment, darkThen: Darkness, dark: Darkness): void {
    this.#compute(start, darkThen, this.#from, this.#dark.from);
    this.#compute(end, dark, this.#to, this.#dark.to);
  }

  /** Goes on to the next cell, whose end is `end`. */
  advance(end: Moment, dark: Darkness): void {
    for (let row = 0; row < this.#from.length; row += 1) {
      const a = this.#from[row]!;
      const b = this.#to[row]!;
      const taken = positiveIntegral(a, b, cell_s);
      this.#imported[row]! += taken / 3600;
      this.#exported[row]! += (taken - integral(a, b, cell_s)) / 3600;
      this.#from[row] = b;
    }
    this.#dark.from.set(this.#dark.to);
    this.#compute(end, dark, this.#to, this.#dark.to);
  }

  /** kW.h */
  imported(row: number): number {
    return this.#imported[row]! + positiveIntegral(this.#from[row]!, this.#to[row]!, this.at_s) / 3600;
  }

  /** kW.h */
  exported(row: number): number {
    const a = this.#from[row]!;
    const b = this.#to[row]!;
    return this.#exported[row]! + (positiveIntegral(a, b, this.at_s) - integral(a, b, this.at_s)) / 3600;
  }

  /** Share of a hot day's load that is drawn, own panels left out. */
  loadShare(row: number): number {
    return this.#load[row]! / this.most(row);
  }

  /** Is there no voltage? */
  isDark(row: number): boolean {
    const group = this.#groupOfRow[row]!;
    return this.#dark.to[group] === 1 && (this.#dark.from[group] === 1 || this.at_s >= cell_s);
  }

  keep(row: number): { "cell.imported": number; "cell.exported": number } {
    return { "cell.imported": this.#imported[row]!, "cell.exported": this.#exported[row]! };
  }

  giveBack(row: number, imported: number, exported: number): void {
    this.#imported[row] = imported;
    this.#exported[row] = exported;
  }

  #compute(moment: Moment, dark: Darkness, power: Float64Array, darkness: Uint8Array): void {
    const { time, weather } = moment;
    const minute = time / 60_000;
    const heat = Math.max(0, weather.temp - 20) / 16;
    for (let group = 0; group < this.#groups.length; group += 1) {
      const { site, customers, plants, feeder, most } = this.#groups[group]!;
      const cut = dark(site);
      darkness[group] = cut ? 1 : 0;
      let load = 0;
      let net = 0;
      for (const row of customers) {
        const { base, cooling, roof, shift_h, key } = this.#customers[row]!;
        const daily = shapeAt(powerShape, moment, shift_h);
        const wobble = 1 + 0.16 * noiseAt(key, time / 1_500_000) + 0.05 * whiteAt(key, minute);
        const drawn = cut ? 0 : (base * daily + cooling * heat * (0.6 + 0.4 * daily)) * wobble;
        this.#load[row] = drawn;
        const taken = cut ? 0 : drawn - (roof * weather.irradiance * 0.8) / 1000;
        power[row] = taken;
        load += drawn;
        net += taken;
      }
      let fedIn = 0;
      for (const row of plants) {
        const fed = cut ? 0 : plantPower(this.#plants[row - this.#customers.length]!, moment);
        power[row] = -fed;
        fedIn += fed;
      }
      this.#load[feeder] = load;
      const lost = cut || most === 0 ? 0 : loss.iron * most + (loss.copper * load * load) / most;
      power[feeder] = net + lost - fedIn;
    }
  }
}

function isCustomer({ kind, attributes }: CitySensor): boolean {
  return kind === "energy-meter" && attributes.role !== "feeder";
}

function customerOf(seed: number, { id, size }: CitySensor): Customer {
  const random = randomFor(seed, `${id}/traits`);
  const cooling = size * between(random, 1.5, 2.6);
  const roof = between(random, 0, 1) < 0.2 ? size * between(random, 0.8, 2) : 0;
  return { base: size, cooling, roof, shift_h: between(random, -0.5, 0.5), key: noiseKey(seed, id) };
}

function mostOf({ base, cooling }: Customer): number {
  return base + cooling;
}

function plantOf(seed: number, { id, size }: CitySensor): Plant {
  const random = randomFor(seed, `${id}/traits`);
  return {
    peak: size,
    key: noiseKey(seed, id),
    cleaning: Math.round(between(random, 12, 26)),
    phase: between(random, 0, 26),
  };
}

/** Heat and dust cost it what they cost in the Gulf. kW */
function plantPower(plant: Plant, moment: Moment): number {
  const days = moment.time / 86_400_000 + plant.phase;
  const soiling = 0.01 + 0.007 * (days % plant.cleaning);
  const heat = Math.max(0, 1 - 0.004 * (panelTemp(plant, moment) - 25));
  return (plant.peak * plantIrradiance(plant, moment) * heat * (1 - soiling) * 0.9) / 1000;
}

/** What falls on the panels, W/m2: the city's sun and a plant's own haze. */
export function plantIrradiance({ key }: Pick<Plant, "key">, { time, weather }: Moment): number {
  return weather.irradiance * Math.min(1.05, 0.97 + 0.08 * noiseAt(key, time / 600_000));
}

/** Cel */
export function panelTemp(plant: Pick<Plant, "key">, moment: Moment): number {
  const { temp, wind_speed } = moment.weather;
  return temp + (plantIrradiance(plant, moment) * 0.034) / (1 + 0.06 * wind_speed);
}
