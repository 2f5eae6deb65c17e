import type { GatewayTally } from "#store/port.ts";
import { encodeBlock } from "#telemetry/block.ts";
import type { Catalogue, Measurement } from "#telemetry/catalogue.ts";
import { ReadingTable } from "#telemetry/reading-table.ts";
import type { SeriesEntry } from "#telemetry/series.ts";
import type { GatewayState } from "./gateway-state.ts";
import type { GatewayCounts } from "./in-flight.ts";
import type { JournalGroup, OutboxName, RefusedPayload, WaitingPayload } from "./journal/messages.ts";
import type { Outbox } from "./outboxes.ts";
import type { IngestSession } from "./source.ts";

/** What a payload beside the tables, or an acknowledgement, takes in memory apart from its bytes; about. */
const payloadOverhead = 512;
const acknowledgementBytes = 64;

/**
 * What the next journal commit will hold: the readings of all connections since the last one, and everything that must
 * become durable with them. Tables keep their room from group to group.
 */
export class Group {
  /** By the measurement's index in the catalogue; the same array always, which grows. */
  readonly tables: ReadingTable[] = [];
  readonly #rowBytes: number[] = [];
  #newSeries: SeriesEntry[] = [];
  #adoptedSeries: readonly SeriesEntry[] = [];
  #storeBase: readonly GatewayTally[] | undefined;
  readonly #gateways = new Set<GatewayState>();
  readonly #outboxes = new Map<Outbox, GatewayState>();
  #outboxesForgotten: OutboxName[] = [];
  #waiting: WaitingPayload[] = [];
  #waitingDone: string[] = [];
  #deadLetters: RefusedPayload[] = [];
  #deadLettersDone: string[] = [];
  #refusalsTaken: number | undefined;
  #acknowledgements: Acknowledgement[] = [];
  /** When the first message came whose acknowledgement waits; of the process' clock. */
  #openedAt = 0;
  /** What lies beside the tables. */
  #otherBytes = 0;

  constructor(catalogue: Catalogue) {
    this.addMeasurements(catalogue.measurements);
  }

  /** Makes room for measurements that were put behind those that it knows. */
  addMeasurements(measurements: readonly Measurement[]): void {
    for (const measurement of measurements) {
      this.tables.push(new ReadingTable(measurement));
      this.#rowBytes.push(12 + 8 * measurement.fields.length);
    }
  }

  /** The message just taken from `session` is acknowledged once this group is on disk. */
  acknowledgeAfter(session: IngestSession): void {
    const last = this.#acknowledgements.at(-1);
    if (last === undefined) this.#openedAt = performance.now();
    if (last?.session === session) last.count += 1;
    else {
      this.#acknowledgements.push({ session, count: 1 });
      this.#otherBytes += acknowledgementBytes;
    }
  }

  /** A series that is new to journal and store. */
  addSeries(entry: SeriesEntry): void {
    this.#newSeries.push(entry);
  }

  /** What a new journal takes over from the store it was put beside; written with the first commit. */
  adopt(series: readonly SeriesEntry[], storeBase: readonly GatewayTally[] | undefined): void {
    this.#adoptedSeries = series;
    this.#storeBase = storeBase;
  }

  /** The gateway's counts changed. */
  touch(gateway: GatewayState): void {
    this.#gateways.add(gateway);
  }

  touchOutbox(gateway: GatewayState, outbox: Outbox): void {
    this.#outboxes.set(outbox, gateway);
  }

  forgetOutbox(gateway: GatewayState, outbox: Outbox): void {
    this.#outboxes.delete(outbox);
    this.#outboxesForgotten.push({ gateway: gateway.identity.name, outbox: outbox.id });
    this.#otherBytes += payloadOverhead;
  }

  addWaiting(payload: WaitingPayload): void {
    this.#waiting.push(payload);
    this.#otherBytes += payload.bytes.length + payloadOverhead;
  }

  addDeadLetter(payload: RefusedPayload): void {
    this.#deadLetters.push(payload);
    this.#otherBytes += payload.bytes.length + payloadOverhead;
  }

  waitingDone(key: string): void {
    this.#waitingDone.push(key);
  }

  deadLetterDone(key: string): void {
    this.#deadLettersDone.push(key);
  }

  /** Among the dead letters are all readings that the store refused of blocks before `position`. */
  refusalsTakenTo(position: number): void {
    this.#refusalsTaken = position;
  }

  get readings(): number {
    let readings = 0;
    for (const table of this.tables) readings += table.length;
    return readings;
  }

  /** Readings of one gateway, by its number. */
  readingsOf(gateway: number): number {
    const counts = this.#counts();
    const at = counts.findIndex((number, i) => i % 2 === 0 && number === gateway);
    return at === -1 ? 0 : counts[at + 1]!;
  }

  /** What it holds, about: readings as they are in a block, payloads, acknowledgements. */
  get bytes(): number {
    let bytes = this.#otherBytes;
    for (let i = 0; i < this.tables.length; i += 1) bytes += this.tables[i]!.length * this.#rowBytes[i]!;
    return bytes;
  }

  /** Milliseconds that the first message has waited; 0: none waits. */
  get oldest_ms(): number {
    return this.#acknowledgements.length === 0 ? 0 : performance.now() - this.#openedAt;
  }

  /** Nobody waits for a commit. Series alone wait for the first reading that uses them. */
  get isEmpty(): boolean {
    return this.#acknowledgements.length === 0 && this.#gateways.size === 0;
  }

  /** Hands everything over for the journal and starts anew. */
  take(gatewayName: (gateway: number) => string): TakenGroup {
    const acknowledgements = this.#acknowledgements;
    this.#acknowledgements = [];
    this.#otherBytes = 0;
    // Everything to be kept changes some gateway's counts.
    if (this.#gateways.size === 0) return { content: undefined, counts: [], acknowledgements };
    const counts = this.#counts();
    const newSeries = this.#newSeries;
    const hasBlock = counts.length > 0 || newSeries.length > 0;
    const content: JournalGroup = {
      block: hasBlock ? encodeBlock({ tables: this.tables, newSeries, gatewayName }) : undefined,
      series: [...this.#adoptedSeries, ...newSeries],
      storeBase: this.#storeBase,
      ledgers: Array.from(this.#gateways, (gateway) => gateway.toRecord()),
      outboxes: Array.from(this.#outboxes, ([{ id, numbers, lastUsed }, gateway]) => ({
        gateway: gateway.identity.name,
        outbox: id,
        intervals: numbers.toJSON(),
        lastUsed,
      })),
      outboxesForgotten: this.#outboxesForgotten,
      waiting: this.#waiting,
      waitingDone: this.#waitingDone,
      deadLetters: this.#deadLetters,
      deadLettersDone: this.#deadLettersDone,
      refusalsTaken: this.#refusalsTaken,
    };
    this.#clear();
    return { content, counts, acknowledgements };
  }

  #counts(): GatewayCounts {
    const byGateway = new Map<number, number>();
    for (const { runs } of this.tables) {
      for (let i = 0; i < runs.length; i += 2)
        byGateway.set(runs[i]!, (byGateway.get(runs[i]!) ?? 0) + runs[i + 1]!);
    }
    return Array.from(byGateway).flat();
  }

  #clear(): void {
    for (const table of this.tables) if (table.length > 0) table.clear();
    this.#newSeries = [];
    this.#adoptedSeries = [];
    this.#storeBase = undefined;
    this.#gateways.clear();
    this.#outboxes.clear();
    this.#outboxesForgotten = [];
    this.#waiting = [];
    this.#waitingDone = [];
    this.#deadLetters = [];
    this.#deadLettersDone = [];
    this.#refusalsTaken = undefined;
  }
}

export interface TakenGroup {
  /** Undefined when there is nothing to keep, only messages to acknowledge behind those before. */
  readonly content: JournalGroup | undefined;
  /** The content's readings; it has a block if there are any. */
  readonly counts: GatewayCounts;
  readonly acknowledgements: readonly Acknowledgement[];
}

/** `count` messages of a session, in the order they came. */
export interface Acknowledgement {
  readonly session: IngestSession;
  count: number;
}
