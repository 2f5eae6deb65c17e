import type { CitySensor } from "../devices/device.ts";
import type { Moment } from "../moment.ts";
import { between, noiseAt, noiseKey, randomFor } from "../random.ts";
import { eventTraffic, venueEventOn, type VenueEvent } from "../venue-calendar.ts";
import { shapeAt, trafficShape } from "../week-shape.ts";
import type { Zone } from "#telemetry/zone.ts";

/** Share of its capacity that a corridor has lost. */
export type Blockage = (corridor: string, time: number) => number;

/** A stretch of road as all its detectors, readers and air monitors meet it. */
export interface Corridor {
  readonly freeSpeed_km_h: number;
  /** Demand as a share of the usual peak, and the share of capacity that is lost, at this moment. */
  at(moment: Moment): { readonly demand: number; readonly blocked: number };
}

/** The corridors of a city. */
export class Roads {
  readonly #seed: number;
  readonly #zone: Zone;
  readonly #blockage: Blockage;
  readonly #corridors = new Map<string, CorridorState>();
  readonly #venueCorridors: ReadonlySet<string>;
  /** By local day. */
  #events: { readonly localDay: number; readonly all: readonly VenueEvent[] } = {
    localDay: Number.NaN,
    all: [],
  };

  constructor(
    seed: number,
    zone: Zone,
    sensors: readonly CitySensor[],
    venue: string | undefined,
    blockage: Blockage,
  ) {
    this.#seed = seed;
    this.#zone = zone;
    this.#blockage = blockage;
    this.#venueCorridors = new Set(
      sensors.flatMap(({ attributes: { place, corridor } }) => (place === venue ? (corridor ?? []) : [])),
    );
  }

  /** @param name  Sensors without one are on a road of their own. */
  corridor(name: string): Corridor {
    const known = this.#corridors.get(name);
    if (known !== undefined) return known;
    const events = this.#venueCorridors.has(name) ? (moment: Moment) => this.#eventsAround(moment) : noEvents;
    const corridor = new CorridorState(this.#seed, name, events, this.#blockage);
    this.#corridors.set(name, corridor);
    return corridor;
  }

  /** Those of today, and of yesterday, which may end after midnight. */
  #eventsAround({ localDay }: Moment): readonly VenueEvent[] {
    if (this.#events.localDay !== localDay) {
      const all = [localDay - 1, localDay].map((day) => venueEventOn(this.#seed, this.#zone, day));
      this.#events = { localDay, all: all.filter((event) => event !== undefined) };
    }
    return this.#events.all;
  }
}

const noEvents = (): readonly VenueEvent[] => [];

class CorridorState implements Corridor {
  readonly freeSpeed_km_h: number;
  readonly #name: string;
  readonly #key: number;
  readonly #shift_h: number;
  readonly #events: (moment: Moment) => readonly VenueEvent[];
  readonly #blockage: Blockage;
  #time = Number.NaN;
  readonly #now = { demand: 0, blocked: 0 };

  constructor(
    seed: number,
    name: string,
    events: (moment: Moment) => readonly VenueEvent[],
    blockage: Blockage,
  ) {
    const random = randomFor(seed, `corridor/${name}`);
    this.freeSpeed_km_h = between(random, 65, 105);
    this.#shift_h = between(random, -0.3, 0.3);
    this.#key = noiseKey(seed, `corridor/${name}`);
    this.#name = name;
    this.#events = events;
    this.#blockage = blockage;
  }

  at(moment: Moment): { readonly demand: number; readonly blocked: number } {
    const { time } = moment;
    if (time === this.#time) return this.#now;
    this.#time = time;
    const usual =
      shapeAt(trafficShape, moment, this.#shift_h) * (1 + 0.13 * noiseAt(this.#key, time / 1_500_000));
    this.#now.demand = this.#events(moment).reduce((sum, event) => sum + eventTraffic(event, time), usual);
    this.#now.blocked = this.#blockage(this.#name, time);
    return this.#now;
  }
}

/** How many times longer than on a free road one drives, by the share of capacity in use (BPR 1964, straight above 1.2). */
export function slowness(use: number): number {
  return use < 1.2 ? 1 + 0.45 * use ** 4 : Math.min(7, 1.93 + 3.1 * (use - 1.2));
}
