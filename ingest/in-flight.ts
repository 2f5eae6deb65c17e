import { countByGateway, decodeBlock } from "#telemetry/block.ts";
import type { Journal } from "./journal/journal.ts";

/**
 * Readings that are in a block and not yet in the store, by gateway: counted from the blocks themselves, so that the account
 * does not lean on the counter it is to check.
 */
export class InFlight {
  /** Oldest first; positions follow one another. */
  readonly #blocks: ReadonlyMap<string, number>[] = [];
  readonly #byGateway = new Map<string, number>();
  #first: number;
  #readings = 0;

  /** @param first  Position of the first block that will be added. */
  constructor(first: number) {
    this.#first = first;
  }

  get readings(): number {
    return this.#readings;
  }

  /** Blocks that are not in the store. */
  get length(): number {
    return this.#blocks.length;
  }

  /** The position the next block gets. */
  get next(): number {
    return this.#first + this.#blocks.length;
  }

  of(gateway: string): number {
    return this.#byGateway.get(gateway) ?? 0;
  }

  /** A block was closed; it takes the next position. */
  add(block: ArrayBuffer): void {
    const counts = countByGateway(decodeBlock(block));
    this.#blocks.push(counts);
    for (const [gateway, readings] of counts) this.#change(gateway, readings);
  }

  /** Blocks before `position` are in the store. */
  storedTo(position: number): void {
    while (this.#first < position && this.#blocks.length > 0) {
      const counts = this.#blocks.shift();
      this.#first += 1;
      for (const [gateway, readings] of counts ?? []) this.#change(gateway, -readings);
    }
  }

  #change(gateway: string, readings: number): void {
    this.#readings += readings;
    this.#byGateway.set(gateway, this.of(gateway) + readings);
  }
}

/** Counts what the journal holds beyond the store's position, after a restart. */
export async function recoverInFlight(journal: Journal, stored: number): Promise<InFlight> {
  const { first, next } = journal.snapshot;
  const inFlight = new InFlight(Math.max(stored, first));
  let position = inFlight.next;
  while (position < next) {
    const range = await journal.read(position, recoveryBytes);
    for (const block of range.blocks) inFlight.add(block);
    if (range.next === position) break;
    position = range.next;
  }
  return inFlight;
}

const recoveryBytes = 8 * 1024 * 1024;
