import { between, type Random, randomFor } from "#firmware-sim/random.ts";

/** Decisions from a seed: the same seed and name decide the same. */
export class Chance {
  readonly #random: Random;

  constructor(seed: number, name: string) {
    this.#random = randomFor(seed, name);
  }

  /** 0 to `end - 1`. */
  below(end: number): number {
    return Math.floor(between(this.#random, 0, end));
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)]!;
  }

  /** True once in `n` times. */
  oneIn(n: number): boolean {
    return this.below(n) === 0;
  }

  bytes(length: number): Buffer {
    return Buffer.from(Array.from({ length }, () => this.below(256)));
  }

  uuid(): string {
    return this.bytes(16)
      .toString("hex")
      .replace(/(.{8})(.{4})(.{4})(.{4})(.{12})/, "$1-$2-$3-$4-$5");
  }
}
