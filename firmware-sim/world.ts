import type { City } from "./city.ts";

/** What the devices of one city share, and what happens to it. One for all of them: their sums agree because they ask the same world. */
export interface World {
  readonly seed: number;
}

export function makeWorld(city: City): World {
  return { seed: city.seed };
}
