import type { RefusedRow } from "../field-types.ts";
import type { Refusal } from "./answers.ts";
import { findRefused } from "./find-refused.ts";
import { type BatchOrder, BatchSorter, type LineBlock, divide } from "./batch-order.ts";
import { RequestLines } from "./request-lines.ts";
import { type Prefix, prefixAt } from "./tags.ts";

/** A batch below this many readings is one request: InfluxDB's cost a reading falls until about 5,000 a request. */
const worthDividing = 10_000;
/** Milliseconds: with answers that take longer than `slowAnswer`, requests get larger, up to `mostTimesLarger`; below `quickAnswer` they get smaller again. */
const slowAnswer = 1_000;
const quickAnswer = 250;
const mostTimesLarger = 2;
/** Times that lines may be refused after all that were refused before have been taken out. */
const mostRounds = 5;
/** Bytes; what a server takes at least. */
const smallestRequest = 64 * 1024;

export interface WriteLinesOptions {
  /** While the server answers in time. */
  readonly linesPerRequest: number;
  readonly bytesPerRequest: number;
  readonly prefixes: (series: number) => readonly Prefix[];
  /** @throws MarsadError STORE_UNAVAILABLE */
  readonly send: (lines: Uint8Array) => Promise<(Refusal & { readonly status: number }) | undefined>;
  /** Lines are still refused though those that were refused are gone. @throws always */
  readonly giveUp: (words: string) => never;
  /** Milliseconds, of any beginning. */
  readonly now?: () => number;
}

/** A refused row and the index of its block in the batch. */
export type RefusedLine = RefusedRow & { readonly block: number };

/**
 * Writes batches through several connections at once, ordered by series. All readings of a series take the same one, one request after the other,
 * so that what comes for a key is written in the order in which it arrived.
 */
export class LinesWriter {
  readonly #options: WriteLinesOptions;
  readonly #lanes: readonly RequestLines[];
  readonly #sorter = new BatchSorter();
  /** Shrinks when the server finds a request too large. */
  #bytesPerRequest: number;
  /** A server that takes its time for each answer is given more at once. */
  #timesLarger = 1;

  constructor(connections: number, options: WriteLinesOptions) {
    this.#options = options;
    this.#lanes = Array.from({ length: connections }, () => new RequestLines());
    this.#bytesPerRequest = options.bytesPerRequest;
  }

  /** @returns the rows that the server refuses, in order of blocks. @throws MarsadError STORE_UNAVAILABLE */
  async write(blocks: readonly LineBlock[]): Promise<RefusedLine[]> {
    const order = this.#sorter.sort(blocks);
    const lanes = order.rows < worthDividing ? this.#lanes.slice(0, 1) : this.#lanes;
    const ends = divide(order, lanes.length);
    const state = { failed: false };
    // Also when one fails, all have to end: the next write fills the same lanes.
    const answers = await Promise.allSettled(
      lanes.map((lane, i) => this.#writeRows(lane, order, [ends[i - 1] ?? 0, ends[i]!], state)),
    );
    const refused: RefusedLine[] = [];
    for (const answer of answers) {
      if (answer.status === "rejected") throw answer.reason;
      refused.push(...answer.value);
    }
    return refused.toSorted((a, b) => a.block - b.block || a.table - b.table || a.row - b.row);
  }

  /** One request after the other. @param state  Of all lanes: when one has failed, no other begins a request. */
  async #writeRows(
    lane: RequestLines,
    order: BatchOrder,
    [start, end]: readonly [number, number],
    state: { failed: boolean },
  ): Promise<RefusedLine[]> {
    const { linesPerRequest, prefixes } = this.#options;
    const { tables, tableOf, rowOf } = order;
    const refused: RefusedLine[] = [];
    try {
      for (let at = start; at < end && !state.failed;) {
        const most = linesPerRequest * this.#timesLarger;
        lane.clear(tables);
        for (; at < end && lane.count < most && lane.length < this.#bytesPerRequest; at++) {
          const table = tableOf[at]!;
          const row = rowOf[at]!;
          const { series, time } = tables[table]!.table;
          lane.add(prefixAt(prefixes(series[row]!), time[row]!).bytes, table, row);
        }
        for (const line of await this.#flush(lane)) refused.push(line);
      }
    } catch (error) {
      state.failed = true;
      throw error;
    }
    return refused;
  }

  async #flush(lane: RequestLines): Promise<RefusedLine[]> {
    if (lane.count === 0) return [];
    const { now = () => performance.now() } = this.#options;
    const begun = now();
    const refused = await this.#sendLane(lane);
    const took = now() - begun;
    if (refused.size === 0 && took > slowAnswer)
      this.#timesLarger = Math.min(this.#timesLarger + 1, mostTimesLarger);
    else if (took < quickAnswer) this.#timesLarger = 1;
    return Array.from(refused, ([line, detail]): RefusedLine => {
      const { block, index, row } = lane.source(line);
      return { block, table: index, row, detail };
    });
  }

  async #sendLane(lane: RequestLines): Promise<Map<number, string>> {
    const refused = new Map<number, string>();
    const first = await this.#options.send(lane.all());
    if (first === undefined) return refused;
    let lines = Array.from({ length: lane.count }, (_, line) => line);
    let answer: (Refusal & { readonly status: number }) | undefined = first;
    let rounds = 0;
    while (answer !== undefined) {
      if (answer.status === 413 && this.#bytesPerRequest > smallestRequest) {
        const sent = Math.min(lane.length, this.#bytesPerRequest);
        this.#bytesPerRequest = Math.max(smallestRequest, Math.floor(sent / 2));
      } else {
        if (++rounds > mostRounds) this.#options.giveUp(answer.words);
        const send = (some: readonly number[]): Promise<Refusal | undefined> =>
          this.#options.send(lane.some(some));
        const found = await findRefused(lines, answer, { source: lane, send });
        for (const [line, why] of found) refused.set(line, why);
        lines = lines.filter((line) => !found.has(line));
      }
      // Once more in the order of their arrival: parts were sent out of it, and only an answer to all of them says that they are kept.
      answer = await this.#sendPieces(lane, lines);
    }
    return refused;
  }

  /** In requests that the server finds small enough. @returns what it says against one of them. */
  async #sendPieces(
    lane: RequestLines,
    lines: readonly number[],
  ): Promise<(Refusal & { readonly status: number }) | undefined> {
    let piece: number[] = [];
    let bytes = 0;
    for (const line of lines) {
      if (piece.length > 0 && bytes + lane.bytesOf(line) > this.#bytesPerRequest) {
        const answer = await this.#options.send(lane.some(piece));
        if (answer !== undefined) return answer;
        piece = [];
        bytes = 0;
      }
      piece.push(line);
      bytes += lane.bytesOf(line);
    }
    return piece.length === 0 ? undefined : await this.#options.send(lane.some(piece));
  }
}
