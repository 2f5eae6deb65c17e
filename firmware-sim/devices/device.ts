import type { SensorAttributes } from "#telemetry/sensor.ts";
import type { Moment } from "../moment.ts";
import { randomFor, randomFrom, type Random } from "../random.ts";
import type { World } from "../world.ts";

/** One file each in this folder; `models.ts` has the table. */
export type DeviceKind =
  | "traffic-detector"
  | "travel-timer"
  | "water-meter"
  | "water-tank"
  | "water-quality"
  | "energy-meter"
  | "solar-plant"
  | "cold-store"
  | "food-stock"
  | "weather-station"
  | "air-monitor";

/** A sensor of the simulated city: what its gateway's birth says of it, and what it measures. */
export interface CitySensor {
  readonly id: string;
  readonly kind: DeviceKind;
  readonly attributes: SensorAttributes;
  /** How large the thing is that it watches; the model says in which unit. */
  readonly size: number;
  /** The district meter area that a meter of role `dma_out` leads to. */
  readonly leadsTo?: string;
}

/** How a field of a device stands in its lines. */
export interface FieldFormat {
  readonly name: string;
  readonly decimals: number;
}

/**
 * How one kind of device behaves. Pure but for `state`, `random` and the world; everything that changes is in `state` or kept by the
 * world, as numbers, so that a device can be saved and go on elsewhere.
 */
export interface DeviceModel<Traits, State extends Record<keyof State, number>> {
  readonly measurement: string;
  readonly fields: readonly FieldFormat[];
  /** What never changes about one device. */
  traits(sensor: CitySensor, random: Random, world: World): Traits;
  initial(traits: Traits, random: Random): State;
  /** Moves `state` on by `dt_s` seconds to `moment` and writes the fields' values into `out`, in their order; NaN = absent. */
  step(traits: Traits, state: State, moment: Moment, dt_s: number, random: Random, out: Float64Array): void;
  /** What the world keeps for this device. */
  keep?(traits: Traits): Readonly<Record<string, number>>;
  /** Gives it back to the world; from version 1, without the world's part. */
  giveBack?(traits: Traits, saved: Readonly<Record<string, number>>): void;
  /** What version 1 saved, in this version's names and units. */
  upgrade?(saved: Readonly<Record<string, number>>): Record<string, number>;
}

/** What must be kept of a device for it to go on. */
export interface SavedDevice {
  /** When it last spoke, ms since 1970. */
  readonly last: number;
  readonly random: number[];
  readonly state: Record<string, number>;
  /** Saved by the version before this one. */
  readonly version?: 1 | undefined;
}

export interface Device {
  readonly sensor: CitySensor;
  readonly measurement: string;
  readonly fields: readonly FieldFormat[];
  /** When it last spoke, ms since 1970; 0 = never. */
  readonly last: number;
  /** The gateway that it speaks through now, when that is not its own. */
  readonly through?: string | undefined;
  /**
   * Lives until `moment` and writes what it says then into `out`, NaN = absent. Answers the event time of that reading, ms since 1970, which a
   * wrong clock shifts; NaN when it says nothing at all.
   */
  speak(moment: Moment, out: Float64Array): number;
  save(): SavedDevice;
  restore(saved: SavedDevice): void;
}

/** What a device counts at its first reading; and at most after a silence: it was switched off, so an hour's worth and not a year's. */
const firstStep_s = 60;
const longestStep_s = 3600;

export interface DeviceOptions {
  /** What all devices of a city share: one for all of them. */
  readonly world: World;
}

export function makeDevice<Traits, State extends Record<keyof State, number>>(
  model: DeviceModel<Traits, State>,
  sensor: CitySensor,
  { world }: DeviceOptions,
): Device {
  return new ModelledDevice(model, sensor, world);
}

class ModelledDevice<Traits, State extends Record<keyof State, number>> implements Device {
  readonly sensor: CitySensor;
  readonly #model: DeviceModel<Traits, State>;
  readonly #world: World;
  readonly #traits: Traits;
  #random: Random;
  #state: State;
  #last = 0;

  constructor(model: DeviceModel<Traits, State>, sensor: CitySensor, world: World) {
    this.sensor = sensor;
    this.#model = model;
    this.#world = world;
    this.#traits = model.traits(sensor, randomFor(world.seed, `${sensor.id}/traits`), world);
    this.#random = randomFor(world.seed, sensor.id);
    this.#state = model.initial(this.#traits, this.#random);
  }

  get measurement(): string {
    return this.#model.measurement;
  }

  get fields(): readonly FieldFormat[] {
    return this.#model.fields;
  }

  get last(): number {
    return this.#last;
  }

  speak(moment: Moment, out: Float64Array): number {
    const { time } = moment;
    const dt_s = this.#model.keep === undefined ? this.#ownTime(time) : this.#sharedTime(time);
    this.#model.step(this.#traits, this.#state, moment, dt_s, this.#random, out);
    this.#last = time;
    return time;
  }

  /** Seconds since the last reading of a device that asks no network. */
  #ownTime(time: number): number {
    return this.#last === 0 ? firstStep_s : Math.min(longestStep_s, (time - this.#last) / 1000);
  }

  /** Seconds since the last reading that the networks lived through. */
  #sharedTime(time: number): number {
    this.#world.reach(time);
    return (time - Math.max(this.#last, this.#world.begun)) / 1000;
  }

  save(): SavedDevice {
    const kept = this.#model.keep?.(this.#traits);
    const { cell, begun } = this.#world;
    const where = kept && { "world.cell": cell, "world.begun": begun };
    const state = { ...this.#state, ...kept, ...where };
    return { last: this.#last, random: [...this.#random.getState()], state };
  }

  restore(saved: SavedDevice): void {
    this.#last = saved.last;
    this.#random = randomFrom(saved.random);
    const state = saved.version === 1 ? (this.#model.upgrade?.(saved.state) ?? saved.state) : saved.state;
    const { "world.cell": cell, "world.begun": begun, ...rest } = state;
    if (cell !== undefined && begun !== undefined) this.#world.place(cell, begun);
    this.#model.giveBack?.(this.#traits, rest);
    // A value that this version added keeps its initial one, and one that it no longer has is dropped.
    const own = Object.keys(this.#state).filter((name) => rest[name] !== undefined);
    this.#state = { ...this.#state, ...Object.fromEntries(own.map((name) => [name, rest[name]])) };
  }
}
