import type { GatewayTally } from "../port.ts";

/** What a batch makes of each gateway's readings. */
export class Tally {
  readonly #numbers = new Map<string, number>();
  readonly #counts: { gateway: string; stored: number; merged: number; duplicate: number }[] = [];

  /** The number by which the other methods know this gateway. */
  numberOf(gateway: string): number {
    let number = this.#numbers.get(gateway);
    if (number === undefined) {
      number = this.#counts.length;
      this.#numbers.set(gateway, number);
      this.#counts.push({ gateway, stored: 0, merged: 0, duplicate: 0 });
    }
    return number;
  }

  addNew(gateway: number, readings = 1): void {
    this.#counts[gateway]!.stored += readings;
  }

  /** A reading that changed fields of one that was there. */
  addMerged(gateway: number): void {
    this.#counts[gateway]!.stored += 1;
    this.#counts[gateway]!.merged += 1;
  }

  addDuplicate(gateway: number): void {
    this.#counts[gateway]!.duplicate += 1;
  }

  /** Gateways that sent a reading. */
  counts(): GatewayTally[] {
    return this.#counts
      .filter(({ stored, duplicate }) => stored + duplicate > 0)
      .map((count): GatewayTally => ({ ...count }));
  }
}
