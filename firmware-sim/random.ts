import { uniformFloat32 } from "pure-rand/distribution/uniformFloat32";
import { xoroshiro128plus, xoroshiro128plusFromState } from "pure-rand/generator/xoroshiro128plus";
import type { RandomGenerator } from "pure-rand/types/RandomGenerator";

export type Random = RandomGenerator;

/** A generator of its own for everything that has a name in a city: equal seed and name, equal numbers. */
export function randomFor(seed: number, name: string): Random {
  const random = xoroshiro128plus(mix(hashText(name) ^ mix(seed)));
  // Its first outputs still show how alike two seeds are.
  for (let i = 0; i < 8; i += 1) random.next();
  return random;
}

/** The generator that goes on where the one with this state (`getState()`) stopped. */
export function randomFrom(state: readonly number[]): Random {
  return xoroshiro128plusFromState(state);
}

/** Evenly from [low, high). */
export function between(random: Random, low: number, high: number): number {
  return low + (high - low) * uniformFloat32(random);
}

/** Is an event that happens `perHour` times an hour on average due within `dt_s`? */
export function happens(random: Random, perHour: number, dt_s: number): boolean {
  return uniformFloat32(random) < (perHour * dt_s) / 3600;
}

/** Mean 0, variance 1, never beyond 3.47: the sum of four even numbers (Irwin-Hall), so that no sensor leaves physics by chance. */
export function normal(random: Random): number {
  const a = random.next();
  const b = random.next();
  const sum = (a & 0xffff) + (a >>> 16) + (b & 0xffff) + (b >>> 16);
  return (sum / 0xffff - 2) * Math.sqrt(3);
}

/** A count with this mean: exact (Knuth 1969) where counts are small, a rounded normal above 12. */
export function poisson(random: Random, mean: number): number {
  if (mean > 12) return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal(random)));
  const limit = Math.exp(-mean);
  let count = 0;
  for (let product = uniformFloat32(random); product > limit; product *= uniformFloat32(random)) count += 1;
  return count;
}

/**
 * One step of a value that wanders around 0 (Ornstein-Uhlenbeck, exact for any `dt_s`): it forgets within about `memory_s` and has the
 * standard deviation `spread` in the long run.
 */
export function wander(
  value: number,
  random: Random,
  dt_s: number,
  { memory_s, spread }: { memory_s: number; spread: number },
): number {
  const kept = Math.exp(-dt_s / memory_s);
  return value * kept + spread * Math.sqrt(1 - kept * kept) * normal(random);
}

/**
 * Smooth noise in -1..1 as a pure function of `x`: what a whole city shares (clouds, wind, grid frequency) needs no state
 * and no order. One unit of `x` is about one swing.
 */
export function smoothNoise(seed: number, channel: number, x: number): number {
  const cell = Math.floor(x);
  const part = x - cell;
  const from = lattice(seed, channel, cell);
  const to = lattice(seed, channel, cell + 1);
  return from + (to - from) * part * part * (3 - 2 * part);
}

/** What a name in a city is for `noiseAt` and `whiteAt`. */
export function noiseKey(seed: number, name: string): number {
  return mix(hashText(name) ^ mix(seed));
}

/** Smooth noise in -1..1 of standard deviation 0.48, as `smoothNoise`, for one key. */
export function noiseAt(key: number, x: number): number {
  const cell = Math.floor(x);
  const part = x - cell;
  const from = whiteAt(key, cell);
  return from + (whiteAt(key, cell + 1) - from) * part * part * (3 - 2 * part);
}

/** Evenly from -1..1 for each whole number, one hash (a Weyl sequence through MurmurHash3's finaliser). */
export function whiteAt(key: number, cell: number): number {
  return mix((key + Math.imul(cell, 0x9e37_79b1)) | 0) / 0x8000_0000;
}

function lattice(seed: number, channel: number, cell: number): number {
  return mix(mix(mix(seed) ^ channel) ^ cell) / 0x8000_0000;
}

/** FNV-1a over UTF-16 units, 32 bits. */
function hashText(text: string): number {
  let hash = 0x811c_9dc5;
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x0100_0193);
  return hash;
}

/** Finaliser of MurmurHash3: every input bit reaches every output bit. */
function mix(value: number): number {
  let h = value | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85eb_ca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2_ae35);
  return h ^ (h >>> 16);
}
