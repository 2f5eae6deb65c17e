import { encodeBlock } from "#telemetry/block.ts";
import type { Catalogue } from "#telemetry/catalogue.ts";
import { ReadingTable } from "#telemetry/reading-table.ts";
import type { SeriesEntry } from "#telemetry/series.ts";
import type { GatewayState, Outbox } from "./gateway-state.ts";
import type { JournalGroup, RefusedPayload, WaitingPayload } from "./journal/messages.ts";
import type { IngestSession } from "./source.ts";

/**
 * What the next journal commit will hold: the readings of all connections since the last one, and everything that must
 * become durable with them. Tables keep their room from group to group.
 */
export class Group {
  readonly tables: readonly ReadingTable[];
  readonly #newSeries: SeriesEntry[] = [];
  readonly #gateways = new Set<GatewayState>();
  readonly #outboxes = new Map<Outbox, GatewayState>();
  #waiting: WaitingPayload[] = [];
  #waitingDone: string[] = [];
  #deadLetters: RefusedPayload[] = [];
  #deadLettersDone: string[] = [];
  #acknowledgements: Acknowledgement[] = [];
  /** Bytes of payloads that ride along beside the tables. */
  #payloadBytes = 0;

  constructor(catalogue: Catalogue) {
    this.tables = catalogue.measurements.map((measurement) => new ReadingTable(measurement));
  }

  /** The message just taken from `session` is acknowledged once this group is on disk. */
  acknowledgeAfter(session: IngestSession): void {
    const last = this.#acknowledgements.at(-1);
    if (last?.session === session) last.count += 1;
    else this.#acknowledgements.push({ session, count: 1 });
  }

  addSeries(entry: SeriesEntry): void {
    this.#newSeries.push(entry);
  }

  touch(gateway: GatewayState): void {
    this.#gateways.add(gateway);
  }

  touchOutbox(gateway: GatewayState, outbox: Outbox): void {
    this.#outboxes.set(outbox, gateway);
  }

  addWaiting(payload: WaitingPayload): void {
    this.#waiting.push(payload);
    this.#payloadBytes += payload.bytes.length;
  }

  addDeadLetter(payload: RefusedPayload): void {
    this.#deadLetters.push(payload);
    this.#payloadBytes += payload.bytes.length;
  }

  waitingDone(key: string): void {
    this.#waitingDone.push(key);
  }

  deadLetterDone(key: string): void {
    this.#deadLettersDone.push(key);
  }

  get readings(): number {
    let readings = 0;
    for (const table of this.tables) readings += table.length;
    return readings;
  }

  /** Readings of one gateway, by its number. */
  readingsOf(gateway: number): number {
    let readings = 0;
    for (const { runs } of this.tables) {
      for (let run = 0; run < runs.length; run += 2) if (runs[run] === gateway) readings += runs[run + 1] ?? 0;
    }
    return readings;
  }

  /** About the size of the commit. */
  get bytes(): number {
    let bytes = this.#payloadBytes;
    for (const table of this.tables) bytes += table.length * (12 + 8 * table.values.length);
    return bytes;
  }

  get isEmpty(): boolean {
    return this.#acknowledgements.length === 0 && this.#gateways.size === 0;
  }

  /** Hands everything over for the journal and starts anew. */
  take(gatewayName: (gateway: number) => string): { group: JournalGroup; acknowledgements: Acknowledgement[] } {
    const filled = this.tables.filter((table) => table.length > 0);
    const series = this.#newSeries.splice(0);
    const block =
      filled.length > 0 || series.length > 0 ? encodeBlock({ tables: filled, newSeries: series, gatewayName }) : undefined;
    for (const table of filled) table.clear();
    const group: JournalGroup = {
      block,
      series,
      ledgers: Array.from(this.#gateways, (gateway) => gateway.toRecord()),
      outboxes: Array.from(this.#outboxes, ([outbox, gateway]) => ({
        gateway: gateway.identity.name,
        outbox: outbox.id,
        intervals: outbox.numbers.toJSON(),
        lastUsed: outbox.lastUsed,
      })),
      waiting: this.#waiting,
      waitingDone: this.#waitingDone,
      deadLetters: this.#deadLetters,
      deadLettersDone: this.#deadLettersDone,
    };
    const acknowledgements = this.#acknowledgements;
    this.#gateways.clear();
    this.#outboxes.clear();
    this.#waiting = [];
    this.#waitingDone = [];
    this.#deadLetters = [];
    this.#deadLettersDone = [];
    this.#acknowledgements = [];
    this.#payloadBytes = 0;
    return { group, acknowledgements };
  }
}

/** `count` messages of a session, in the order they came. */
export interface Acknowledgement {
  readonly session: IngestSession;
  count: number;
}
