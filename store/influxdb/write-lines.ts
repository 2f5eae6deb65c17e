import type { Block } from "#telemetry/block.ts";
import type { RefusedRow } from "../field-types.ts";
import type { Refusal } from "./answers.ts";
import { findRefused } from "./find-refused.ts";
import { encodeFields } from "./line-writer.ts";
import { type BatchTable, RequestLines } from "./request-lines.ts";
import { type Prefix, prefixAt } from "./tags.ts";

/** A batch below this many readings is one request: InfluxDB's cost a reading falls until about 5,000 a request. */
const worthDividing = 10_000;
/** Times that lines may be refused after all that were refused before have been taken out. */
const mostRounds = 5;
/** Bytes; what a server takes at least. */
const smallestRequest = 64 * 1024;

export interface WriteLinesOptions {
  readonly linesPerRequest: number;
  readonly bytesPerRequest: number;
  readonly prefixes: (series: number) => readonly Prefix[];
  /** @throws MarsadError STORE_UNAVAILABLE */
  readonly send: (lines: Uint8Array) => Promise<(Refusal & { readonly status: number }) | undefined>;
  /** Lines are still refused though those that were refused are gone. @throws always */
  readonly giveUp: (words: string) => never;
}

/** A refused row and the index of its block in the batch. */
export type RefusedLine = RefusedRow & { readonly block: number };

/**
 * Writes blocks through several connections at once. All readings of a series take the same one, one request after the other, so that what
 * comes for a key is written in the order in which it arrived.
 */
export class LinesWriter {
  readonly #options: WriteLinesOptions;
  readonly #lanes: readonly RequestLines[];
  /** Shrinks when the server finds a request too large. */
  #bytesPerRequest: number;

  constructor(connections: number, options: WriteLinesOptions) {
    this.#options = options;
    this.#lanes = Array.from({ length: connections }, () => new RequestLines());
    this.#bytesPerRequest = options.bytesPerRequest;
  }

  /** @returns the rows that the server refuses, in order of blocks. @throws MarsadError STORE_UNAVAILABLE */
  async write(blocks: readonly Block[]): Promise<RefusedLine[]> {
    const { linesPerRequest } = this.#options;
    const readings = blocks.reduce((sum, block) => sum + block.readings, 0);
    const lanes = readings < worthDividing ? this.#lanes.slice(0, 1) : this.#lanes;
    const refused: RefusedLine[] = [];
    const flush = async (): Promise<void> => {
      // Also when one fails, all have to end: the next write fills the same lanes.
      const answers = await Promise.allSettled(lanes.map((lane) => this.#flush(lane)));
      for (const answer of answers) {
        if (answer.status === "rejected") throw answer.reason;
        refused.push(...answer.value);
      }
    };
    for (const lane of lanes) lane.clear();
    for (const [number, block] of blocks.entries()) {
      for (const [index, table] of block.tables.entries()) {
        const source: BatchTable = { block: number, index, table, fields: encodeFields(table) };
        for (let row = 0; row < table.rows; row++) {
          const series = table.series[row]!;
          const lane = lanes[series % lanes.length]!;
          const prefix = prefixAt(this.#options.prefixes(series), table.time[row]!);
          lane.add(prefix.bytes, source, row);
          if (lane.count >= linesPerRequest || lane.length >= this.#bytesPerRequest) await flush();
        }
      }
    }
    await flush();
    return refused.toSorted((a, b) => a.block - b.block || a.table - b.table || a.row - b.row);
  }

  async #flush(lane: RequestLines): Promise<RefusedLine[]> {
    if (lane.count === 0) return [];
    const refused = await this.#sendLane(lane);
    const rows = Array.from(refused, ([line, detail]): RefusedLine => {
      const { block, index, row } = lane.source(line);
      return { block, table: index, row, detail };
    });
    lane.clear();
    return rows;
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
