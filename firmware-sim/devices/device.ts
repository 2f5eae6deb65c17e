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
}

/** How a field of a device stands in its lines. */
export interface FieldFormat {
  readonly name: string;
  readonly decimals: number;
}

/**
 * How one kind of device behaves. Pure but for `state` and `random`; everything that changes is in `state`, as numbers,
 * so that a device can be saved and go on elsewhere.
 */
export interface DeviceModel<Traits, State extends Record<keyof State, number>> {
  readonly measurement: string;
  readonly fields: readonly FieldFormat[];
  /** What never changes about one device. */
  traits(sensor: CitySensor, random: Random): Traits;
  initial(traits: Traits, random: Random): State;
  /** Moves `state` on by `dt_s` seconds to `moment` and writes the fields' values into `out`, in their order; NaN = absent. */
  step(traits: Traits, state: State, moment: Moment, dt_s: number, random: Random, out: Float64Array): void;
}

/** What must be kept of a device for it to go on. */
export interface SavedDevice {
  /** When it last spoke, ms since 1970. */
  readonly last: number;
  readonly random: number[];
  readonly state: Record<string, number>;
}

export interface Device {
  readonly sensor: CitySensor;
  readonly measurement: string;
  readonly fields: readonly FieldFormat[];
  /** When it last spoke, ms since 1970; 0 = never. */
  readonly last: number;
  /**
   * Lives until `moment` and writes what it says then into `out`, NaN = absent. Answers the event time of that reading, ms since 1970, which a
   * wrong clock shifts; NaN when it says nothing at all.
   */
  speak(moment: Moment, out: Float64Array): number;
  save(): SavedDevice;
  restore(saved: SavedDevice): void;
}

/** What a device counts after a longer silence: it was switched off, so an hour's worth and not a year's. */
const longestStep_s = 3600;

export interface DeviceOptions {
  /** What all devices of a city share: one for all of them. */
  readonly world: World;
  /** How long a device counts before its first reading. */
  readonly firstStep_s: number;
}

export function makeDevice<Traits, State extends Record<keyof State, number>>(
  model: DeviceModel<Traits, State>,
  sensor: CitySensor,
  { world, firstStep_s }: DeviceOptions,
): Device {
  return new ModelledDevice(model, sensor, world.seed, firstStep_s);
}

class ModelledDevice<Traits, State extends Record<keyof State, number>> implements Device {
  readonly sensor: CitySensor;
  readonly #model: DeviceModel<Traits, State>;
  readonly #traits: Traits;
  readonly #firstStep_s: number;
  #random: Random;
  #state: State;
  #last = 0;

  constructor(model: DeviceModel<Traits, State>, sensor: CitySensor, seed: number, firstStep_s: number) {
    this.sensor = sensor;
    this.#model = model;
    this.#traits = model.traits(sensor, randomFor(seed, `${sensor.id}/traits`));
    this.#firstStep_s = firstStep_s;
    this.#random = randomFor(seed, sensor.id);
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
    const dt_s =
      this.#last === 0 ? this.#firstStep_s : Math.min(longestStep_s, (moment.time - this.#last) / 1000);
    this.#model.step(this.#traits, this.#state, moment, dt_s, this.#random, out);
    this.#last = moment.time;
    return moment.time;
  }

  save(): SavedDevice {
    return { last: this.#last, random: [...this.#random.getState()], state: { ...this.#state } };
  }

  restore(saved: SavedDevice): void {
    this.#last = saved.last;
    this.#random = randomFrom(saved.random);
    // A field that this version added keeps its initial value.
    this.#state = { ...this.#state, ...saved.state };
  }
}
