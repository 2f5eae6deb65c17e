import type { CitySensor } from "../devices/device.ts";
import type { Moment } from "../moment.ts";
import { between, noiseAt, noiseKey, randomFor, whiteAt } from "../random.ts";
import { shapeAt, waterShape } from "../week-shape.ts";
import { cell_s, integral } from "./cell.ts";
import { tanksOf, type Tanks } from "./water-tanks.ts";
import { unmeteredShare } from "./water-plan.ts";

/** What befalls the network at one whole minute. */
export interface WaterTrouble {
  /** Lost on top of the usual, L/s, by area. */
  leak(area: string): number;
  /** Do the pumps of this tank have no electricity? */
  dark(tank: string): boolean;
}

interface Area {
  readonly name: string;
  readonly demand: number; // L/s
  readonly loss: number; // L/s in the long run
  readonly head: number; // kPa
  readonly headLoss: number; // kPa at mean flow
  readonly key: number;
  /** Rows of its customers. */
  readonly customers: readonly number[];
  /** Index of the area that it is fed through. */
  readonly through: number | undefined;
  /** Mean flow through its inlet, L/s, with what it passes on. */
  inflow: number;
}

interface Customer {
  readonly mean: number; // L/s
  readonly shift_h: number;
  readonly key: number;
}

/** Once in 400 hours water runs back through a customer's meter for three minutes: a white number above this. */
const reversal = 1 - 2 / (400 * 20);

/**
 * All water of a city at one time. Flows are functions of seed and minute, straight between minutes; every meter integrates the very
 * numbers that are summed for the meter before it. So, over any window, an inlet's volume is its customers', the authorised unmetered
 * share, what is lost and what is passed on; and the sources' is that of the inlets on the mains and what stays in the tanks.
 */
export class WaterNetwork {
  /** Seconds into the cell. */
  at_s = 0;
  readonly tanks: Tanks;
  readonly #areas: readonly Area[];
  readonly #customers: readonly Customer[];
  readonly #rows = new Map<string, number>();
  readonly #areaOfRow = new Map<number, number>();
  readonly #areaRow: number;
  readonly #outRows: readonly { readonly row: number; readonly area: number }[];
  readonly #sourceRows: readonly { readonly row: number; readonly share: number }[];
  /** By row: customers, areas' inlets, meters between areas, sources. L/s at both ends of the cell, m3 at its begin. */
  readonly #from: Float64Array;
  readonly #to: Float64Array;
  readonly #volume: Float64Array;
  /** Of customers alone, as above: what runs back. */
  readonly #backFrom: Float64Array;
  readonly #backTo: Float64Array;
  readonly #backVolume: Float64Array;

  constructor(seed: number, sensors: readonly CitySensor[]) {
    const meters = sensors.filter(({ kind }) => kind === "water-meter");
    const withRole = (role: string): CitySensor[] =>
      meters.filter(({ attributes }) => attributes.role === role);
    const customers: Customer[] = [];
    const members = Map.groupBy(withRole("customer"), ({ attributes }) => attributes.dma ?? "");
    const addCustomer = (id: string, mean: number): number => {
      const shift_h = between(randomFor(seed, `${id}/shift`), -0.4, 0.4);
      return customers.push({ mean, shift_h, key: noiseKey(seed, `${id}/flow`) }) - 1;
    };
    const inlets = withRole("dma_in");
    const outlets = withRole("dma_out");
    this.#areas = inlets.map(({ attributes: { dma = "" }, size: demand }) => {
      const own = (members.get(dma) ?? []).map(({ id, size }) => {
        const row = addCustomer(id, size);
        this.#rows.set(id, row);
        return row;
      });
      // Where nobody has a meter, the water is drunk all the same.
      if (own.length === 0) own.push(addCustomer(`${dma}/all`, demand * (1 - unmeteredShare)));
      const through = outlets.find(({ leadsTo }) => leadsTo === dma)?.attributes.dma;
      const parent =
        through === undefined ? -1 : inlets.findIndex((inlet) => inlet.attributes.dma === through);
      const random = randomFor(seed, `${dma}/network`);
      const share = between(random, 0.155, 0.175);
      return {
        name: dma,
        demand,
        loss: (demand * share) / (1 - share),
        head: between(random, 400, 560),
        headLoss: between(random, 25, 60),
        key: noiseKey(seed, dma),
        customers: own,
        through: parent < 0 ? undefined : parent,
        inflow: demand / (1 - share),
      };
    });
    for (const { through, inflow } of this.#areas.toReversed()) {
      if (through !== undefined) this.#areas[through]!.inflow += inflow;
    }
    this.#customers = customers;
    for (const [area, { customers: own }] of this.#areas.entries()) {
      for (const row of own) this.#areaOfRow.set(row, area);
    }
    this.#areaRow = customers.length;
    let row = this.#areaRow;
    for (const [area, { id }] of inlets.entries()) this.#areaOfRow.set(this.#register(id, row++), area);
    this.#outRows = outlets.map(({ id, leadsTo, attributes }) => {
      const area = this.#areas.findIndex(({ name }) => name === leadsTo);
      const own = { row: this.#register(id, row++), area };
      this.#areaOfRow.set(
        own.row,
        this.#areas.findIndex(({ name }) => name === attributes.dma),
      );
      return own;
    });
    const sources = withRole("source");
    this.#sourceRows = sources.map(({ id }) => ({
      row: this.#register(id, row++),
      share: 1 / sources.length,
    }));
    [this.#from, this.#to, this.#volume] = [rows(row), rows(row), rows(row)];
    [this.#backFrom, this.#backTo, this.#backVolume] = [
      rows(this.#areaRow),
      rows(this.#areaRow),
      rows(this.#areaRow),
    ];
    this.tanks = tanksOf(
      seed,
      sensors,
      inlets.reduce((sum, { size }) => sum + size, 0),
    );
  }

  /** A meter's row, for the questions below. */
  rowOf(sensor: string): number {
    const row = this.#rows.get(sensor);
    if (row === undefined) throw new RangeError(`no water meter ${sensor}`);
    return row;
  }

  /** Takes up the cell between two moments: what depends on nothing but them, and tanks as if they had stood so for long. */
  load(start: Moment, end: Moment, troubleThen: WaterTrouble, trouble: WaterTrouble): void {
    this.#compute(start, troubleThen, this.#from, this.#backFrom);
    this.#compute(end, trouble, this.#to, this.#backTo);
    this.tanks.load(this.#mains(this.#from), this.#mains(this.#to));
  }

  /** Sources follow from what tanks take: call it after `load`, and after tanks were given back what they had. */
  settle(): void {
    this.#computeSources(this.#from, this.tanks.takenFrom);
    this.#computeSources(this.#to, this.tanks.takenTo);
  }

  /** Goes on to the next cell, whose end is `end`. */
  advance(end: Moment, trouble: WaterTrouble): void {
    const { length } = this.#volume;
    for (let row = 0; row < length; row += 1) {
      this.#volume[row]! += ((this.#from[row]! + this.#to[row]!) * cell_s) / 2000;
      this.#from[row] = this.#to[row]!;
    }
    for (let row = 0; row < this.#areaRow; row += 1) {
      this.#backVolume[row]! += ((this.#backFrom[row]! + this.#backTo[row]!) * cell_s) / 2000;
      this.#backFrom[row] = this.#backTo[row]!;
    }
    this.#compute(end, trouble, this.#to, this.#backTo);
    this.tanks.advance(this.#mains(this.#to), end, trouble);
    this.#computeSources(this.#to, this.tanks.takenTo);
  }

  /** What has passed a meter forward, m3. */
  volume(row: number): number {
    return this.#volume[row]! + integral(this.#from[row]!, this.#to[row]!, this.at_s) / 1000;
  }

  /** What has passed it backward, m3. */
  reverse(row: number): number {
    if (row >= this.#areaRow) return 0;
    return this.#backVolume[row]! + integral(this.#backFrom[row]!, this.#backTo[row]!, this.at_s) / 1000;
  }

  /** Pressure in the mains of the area that a meter stands in, kPa; undefined at a source. */
  areaPressure(row: number): number | undefined {
    const index = this.#areaOfRow.get(row);
    if (index === undefined) return undefined;
    const area = this.#areas[index]!;
    const inflow = this.#areaRow + index;
    const flow = this.#from[inflow]! + ((this.#to[inflow]! - this.#from[inflow]!) * this.at_s) / cell_s;
    const relative = Math.min(2.4, flow / area.inflow);
    return area.head - area.headLoss * relative * relative;
  }

  /** What must be kept of a meter: its totals at the begin of the cell, m3. */
  keep(row: number): { "cell.volume": number; "cell.reverse": number } {
    return { "cell.volume": this.#volume[row]!, "cell.reverse": this.#backVolume[row] ?? 0 };
  }

  giveBack(row: number, volume: number, reverse: number): void {
    this.#volume[row] = volume;
    if (row < this.#areaRow) this.#backVolume[row] = reverse;
  }

  #compute(moment: Moment, trouble: WaterTrouble, flows: Float64Array, back: Float64Array): void {
    const { time } = moment;
    const season = 1 + 0.009 * (moment.weather.temp - 26);
    const minute = time / 60_000;
    for (let row = 0; row < this.#customers.length; row += 1) {
      const { mean, shift_h, key } = this.#customers[row]!;
      const white = whiteAt(key, minute);
      const reversed = whiteAt(~key, Math.floor(minute / 3)) > reversal;
      const wobble = 1 + 0.15 * noiseAt(key, time / 2_400_000) + 0.05 * white;
      flows[row] = reversed ? 0 : mean * shapeAt(waterShape, moment, shift_h) * season * wobble;
      back[row] = reversed ? 0.05 * mean : 0;
    }
    // From the last to the first: an area stands behind the one that feeds it.
    for (let index = this.#areas.length - 1; index >= 0; index -= 1) {
      const { name, customers, loss, key } = this.#areas[index]!;
      let taken = 0;
      for (const row of customers) taken += flows[row]! - back[row]!;
      const lost = loss * (1 + 0.07 * noiseAt(key, time / (45 * 86_400_000))) + trouble.leak(name);
      let passedOn = 0;
      for (let other = index + 1; other < this.#areas.length; other += 1) {
        if (this.#areas[other]!.through === index) passedOn += flows[this.#areaRow + other]!;
      }
      flows[this.#areaRow + index] = taken / (1 - unmeteredShare) + lost + passedOn;
    }
    for (const { row, area } of this.#outRows) flows[row] = flows[this.#areaRow + area]!;
  }

  /** What the areas on the mains take, L/s. */
  #mains(flows: Float64Array): number {
    let sum = 0;
    for (let index = 0; index < this.#areas.length; index += 1) {
      if (this.#areas[index]!.through === undefined) sum += flows[this.#areaRow + index]!;
    }
    return sum;
  }

  #computeSources(flows: Float64Array, taken: number): void {
    const produced = this.#mains(flows) + taken;
    for (const { row, share } of this.#sourceRows) flows[row] = produced * share;
  }

  #register(id: string, row: number): number {
    this.#rows.set(id, row);
    return row;
  }
}

function rows(count: number): Float64Array {
  return new Float64Array(count);
}
