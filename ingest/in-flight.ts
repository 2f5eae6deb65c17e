/** Readings of each gateway in one block: gateway number, readings, gateway number, readings, … */
export type GatewayCounts = readonly number[];

/**
 * Readings that are in a block and not yet in the store, by gateway: counted from the rows themselves, so that the account
 * does not lean on the counter it is to check. A dead store lets blocks pile up by the million, so these are flat numbers.
 */
export class InFlight {
  /** Of each block, oldest first: how many numbers follow, when it was closed (ms of the process' clock), then its counts. */
  #blocks: number[] = [];
  #head = 0;
  #length = 0;
  #first: number;
  #readings = 0;
  readonly #byGateway: number[] = [];

  /** @param first  Position of the first block that will be added. */
  constructor(first: number) {
    this.#first = first;
  }

  get readings(): number {
    return this.#readings;
  }

  /** Milliseconds since the oldest block that is not in the store was closed, or found at the start; 0: there is none. */
  get oldest_ms(): number {
    return this.#length === 0 ? 0 : performance.now() - this.#blocks[this.#head + 1]!;
  }

  /** The position of the oldest block that is not in the store. */
  get first(): number {
    return this.#first;
  }

  /** The position the next block gets. */
  get next(): number {
    return this.#first + this.#length;
  }

  /** @param gateway  Its number. */
  of(gateway: number): number {
    return this.#byGateway[gateway] ?? 0;
  }

  /** A block was closed; it takes the next position. */
  add(counts: GatewayCounts): void {
    this.#blocks.push(counts.length + 1, performance.now());
    for (const number of counts) this.#blocks.push(number); // spread, those of 65,000 gateways overflow the stack
    this.#length += 1;
    for (let i = 0; i < counts.length; i += 2) this.#change(counts[i]!, counts[i + 1]!);
  }

  /** Blocks before `position` are in the store. */
  storedTo(position: number): void {
    while (this.#first < position && this.#length > 0) {
      const end = this.#head + 1 + this.#blocks[this.#head]!;
      for (let i = this.#head + 2; i < end; i += 2) this.#change(this.#blocks[i]!, -this.#blocks[i + 1]!);
      this.#head = end;
      this.#first += 1;
      this.#length -= 1;
    }
    if (this.#head > this.#blocks.length / 2) {
      this.#blocks = this.#blocks.slice(this.#head);
      this.#head = 0;
    }
  }

  #change(gateway: number, readings: number): void {
    this.#readings += readings;
    this.#byGateway[gateway] = this.of(gateway) + readings;
  }
}
