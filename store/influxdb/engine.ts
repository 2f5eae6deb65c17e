import { MarsadError } from "#runtime/errors.ts";
import { release } from "#runtime/release.ts";
import type { Block } from "#telemetry/block.ts";
import type { SeriesEntry } from "#telemetry/series.ts";
import { decodeBatch, newEntries, takeOutMisfits } from "../batch.ts";
import type {
  GatewayTally,
  ReadingQuery,
  ReadingRows,
  StoreBatch,
  StoreOutcome,
  StoreRefusal,
} from "../port.ts";
import { refusalsOf } from "../refusals.ts";
import { Serial } from "../serial.ts";
import { type ReadPlan, RowCounter, RowMerger, countStatement, needsTags, selectStatement } from "./rows.ts";
import { InfluxServer, type ServerOptions } from "./server.ts";
import { InfluxState } from "./state.ts";
import { type Prefix, type TagVersion, prefixAt, prefixesOf, sameTags } from "./tags.ts";
import { LinesWriter, type RefusedLine } from "./write-lines.ts";

export interface EngineOptions extends ServerOptions {
  /** The store's folder. */
  readonly path: string;
  readonly linesPerRequest: number;
}

/** A sensor whose tags the caller must supply. */
export interface SensorRef {
  readonly agency: string;
  readonly sensor: string;
}
export interface SensorTags extends SensorRef {
  readonly versions: readonly TagVersion[];
}

export interface Health {
  /** Why InfluxDB does not answer, if so. */
  readonly trouble: string | undefined;
  /** What an operator has to do by hand, if anything. */
  readonly advice: string | undefined;
}

/** Bytes; a server's own bound is 10 MB (3.x) or 25 MB (1.x). */
const bytesPerRequest = 8 * 1024 * 1024;
/** Milliseconds. */
const readTimeout = 60_000;
const countTimeout = 900_000;

/** A batch that was decoded and waits for the tags of its sensors. */
interface Prepared {
  readonly batch: StoreBatch;
  readonly decoded: readonly Block[];
  readonly entries: readonly SeriesEntry[];
  /** Series of the batch whose lines nobody knows how to begin yet. */
  readonly unknown: readonly SeriesEntry[];
}

/** InfluxDB and the local state beside it, in whatever thread it is made. One writes at a time; all errors are `MarsadError`s. */
export class InfluxEngine {
  readonly #server: InfluxServer;
  readonly #state: InfluxState;
  readonly #writer: LinesWriter;
  readonly #commits = new Serial();
  /** By series number. */
  #prefixes: (readonly Prefix[] | undefined)[] = [];
  readonly #seriesOfSensor = new Map<string, number[]>();
  #prepared: Prepared | undefined;
  /** While a batch is on its way, tags stay as they are: what changes meanwhile is forgotten behind it. */
  #isWriting = false;
  #toForget: SensorRef[] = [];

  private constructor(options: EngineOptions, state: InfluxState) {
    this.#state = state;
    this.#server = new InfluxServer(options);
    this.#writer = new LinesWriter(options.connections, {
      linesPerRequest: options.linesPerRequest,
      bytesPerRequest,
      prefixes: (series) => this.#prefixes[series]!,
      send: (lines) => this.#server.write(lines),
      giveUp: (words) => {
        throw new MarsadError(
          "STORE_UNAVAILABLE",
          `InfluxDB at ${options.url} goes on refusing lines that it took alone: ${words}`,
        );
      },
    });
  }

  /** @returns the engine, and where the rows of this state were kept before, if elsewhere. */
  static async open(
    options: EngineOptions,
  ): Promise<{ engine: InfluxEngine; before: { url: string; database: string } | undefined }> {
    const state = await InfluxState.open(options.path);
    try {
      const before = await state.remember(options.url, options.database);
      return { engine: new InfluxEngine(options, state), before };
    } catch (error) {
      await state[Symbol.asyncDispose]();
      throw error;
    }
  }

  position(journal: string): number {
    return this.#state.position(journal);
  }

  /** Takes a batch. @returns the sensors whose tags `write` needs. */
  prepare(batch: StoreBatch): SensorRef[] {
    const position = this.#state.position(batch.journal);
    const decoded = batch.next <= position ? [] : decodeBatch(batch, position);
    const entries = newEntries(this.#state.dictionary, decoded);
    const added = new Map(entries.map((entry) => [entry.series, entry]));
    const unknown = new Map<number, SeriesEntry>();
    for (const { series } of decoded.flatMap(({ tables }) => tables)) {
      for (const number of series) {
        if (this.#prefixes[number] !== undefined || unknown.has(number)) continue;
        const entry = this.#state.dictionary.get(number) ?? added.get(number);
        if (entry === undefined)
          throw new MarsadError(
            "QUEUE_CORRUPT",
            `the series ${number} of journal ${batch.journal} has no entry`,
          );
        unknown.set(number, entry);
      }
    }
    this.#prepared = { batch, decoded, entries, unknown: [...unknown.values()] };
    this.#isWriting = true;
    return sensorsOf(unknown.values());
  }

  /** Writes the batch that was prepared. Its blocks have no bytes afterwards. */
  async write(supplied: readonly SensorTags[]): Promise<StoreOutcome> {
    const prepared = this.#prepared;
    this.#prepared = undefined;
    if (prepared === undefined) throw new TypeError("write comes after prepare");
    try {
      return await this.#write(prepared, supplied);
    } finally {
      prepared.batch.blocks.forEach(release);
      this.#isWriting = false;
      this.forgetTags(this.#toForget.splice(0));
    }
  }

  async #write(
    { batch, decoded, entries, unknown }: Prepared,
    supplied: readonly SensorTags[],
  ): Promise<StoreOutcome> {
    const { journal, next } = batch;
    const position = this.#state.position(journal);
    if (next <= position) return { position, tallies: [], refused: [] };
    const { blocks, refused, learnt } = takeOutMisfits(this.#state, batch, decoded, entries);
    this.#take(supplied, unknown);
    const refusedLines = await this.#writer.write(blocks);

    const seriesOf = this.#seriesFinder(entries);
    const first = next - decoded.length;
    const byServer = [...Map.groupBy(refusedLines, ({ block }) => block)].flatMap(([block, rows]) =>
      refusalsOf(blocks[block]!, first + block, rows, seriesOf),
    );
    const all = [...refused, ...byServer].toSorted((a, b) => a.position - b.position);
    const stored = storedByGateway(blocks, refusedLines);
    const change = { journal, position: next, entries, stored, learnt, refused: all };
    await this.#commits.run(() => this.#state.commit(change));
    const tallies = Array.from(stored, ([gateway, readings]) => ({
      gateway,
      stored: readings,
      merged: 0,
      duplicate: 0,
    }));
    return { position: next, tallies, refused: all };
  }

  /** The registry has changed these: their lines begin otherwise from now on. */
  forgetTags(sensors: readonly SensorRef[]): void {
    if (this.#isWriting) {
      this.#toForget.push(...sensors);
      return;
    }
    for (const sensor of sensors) {
      for (const series of this.#seriesOfSensor.get(keyOf(sensor)) ?? []) this.#prefixes[series] = undefined;
    }
  }

  refusals(journal: string): StoreRefusal[] {
    return this.#state.refusals(journal);
  }

  async forgetRefusals(journal: string, before: number): Promise<void> {
    await this.#commits.run(() => this.#state.forgetRefusals(journal, before));
  }

  series(): SeriesEntry[] {
    return this.#state.series();
  }

  tallies(): GatewayTally[] {
    return this.#state.tallies();
  }

  /** @returns the rows, or the sensors whose tags it needs to tell which of two rows is the newer. */
  async read(query: ReadingQuery, supplied: readonly SensorTags[]): Promise<ReadingRows | SensorRef[]> {
    const fields = [...(this.#state.types.get(query.measurement)?.keys() ?? [])];
    const entries = query.series
      .map((number) => this.#state.dictionary.get(number))
      .filter((entry) => entry?.measurement === query.measurement) as SeriesEntry[];
    const sensors = new Map(entries.map((entry) => [entry.series, entry]));
    const known = this.#state.seriesCount(query.measurement);
    const plan: ReadPlan = { query, fields, sensors, known };
    if (fields.length === 0 || sensors.size === 0 || query.limit === 0 || query.from >= query.to)
      return new RowMerger(plan).end();

    const plain = await this.#merge(plan, new RowMerger(plan), false);
    if (plain !== undefined) return plain;
    this.#take(supplied, entries);
    const unknown = entries.filter(({ series }) => this.#prefixes[series] === undefined);
    if (unknown.length > 0) return sensorsOf(unknown);
    const prefixes = new Map(entries.map(({ series }) => [series, this.#prefixes[series]!]));
    const merger = new RowMerger(plan, (series, time, tags) =>
      sameTags(prefixAt(prefixes.get(series)!, time).tags, tags),
    );
    return (await this.#merge(plan, merger, true))!;
  }

  async count(): Promise<number> {
    const counter = { rows: 0 };
    for (const [measurement, types] of this.#state.types) {
      const rows = new RowCounter();
      const statement = countStatement(measurement, [...types.keys()]);
      for await (const series of this.#server.query(statement, countTimeout)) rows.add(series);
      counter.rows += rows.count;
    }
    return counter.rows;
  }

  health(): Health {
    const { trouble, advice } = this.#server;
    return { trouble, advice };
  }

  /** Ends requests under way. */
  async abort(): Promise<void> {
    await this.#server[Symbol.asyncDispose]();
  }

  async close(): Promise<void> {
    await this.#server[Symbol.asyncDispose]();
    await this.#commits.run(() => this.#state[Symbol.asyncDispose]());
  }

  async #merge(plan: ReadPlan, merger: RowMerger, allTags: boolean): Promise<ReadingRows | undefined> {
    for await (const series of this.#server.query(selectStatement(plan, allTags), readTimeout)) {
      const wants = merger.add(series);
      if (wants === needsTags) return undefined;
      if (wants === "enough") break;
    }
    return merger.end();
  }

  /** Remembers how the lines of these sensors' series begin. */
  #take(supplied: readonly SensorTags[], entries: readonly SeriesEntry[]): void {
    if (supplied.length === 0) return;
    const versions = new Map(supplied.map((tags) => [keyOf(tags), tags.versions]));
    for (const entry of entries) {
      const key = keyOf(entry);
      const known = versions.get(key);
      if (known === undefined) continue;
      this.#prefixes[entry.series] = prefixesOf(entry, known);
      const numbers = this.#seriesOfSensor.get(key);
      if (numbers === undefined) this.#seriesOfSensor.set(key, [entry.series]);
      else if (!numbers.includes(entry.series)) numbers.push(entry.series);
    }
  }

  #seriesFinder(entries: readonly SeriesEntry[]): (series: number) => SeriesEntry {
    const added = new Map(entries.map((entry) => [entry.series, entry]));
    return (series) => this.#state.dictionary.get(series) ?? added.get(series)!;
  }
}

function keyOf({ agency, sensor }: SensorRef): string {
  return `${agency}/${sensor}`;
}

function sensorsOf(entries: Iterable<SeriesEntry>): SensorRef[] {
  const sensors = new Map<string, SensorRef>();
  for (const { agency, sensor } of entries) sensors.set(keyOf({ agency, sensor }), { agency, sensor });
  return [...sensors.values()];
}

/** Readings of each gateway that were taken. */
function storedByGateway(blocks: readonly Block[], refused: readonly RefusedLine[]): Map<string, number> {
  const stored = new Map<string, number>();
  const add = (gateway: string, readings: number): void => {
    stored.set(gateway, (stored.get(gateway) ?? 0) + readings);
  };
  const refusedOf = Map.groupBy(refused, ({ block, table }) => `${block} ${table}`);
  for (const [number, { gateways, tables }] of blocks.entries()) {
    for (const [index, { runs }] of tables.entries()) {
      const rows = refusedOf.get(`${number} ${index}`) ?? [];
      let end = 0;
      let at = 0;
      for (let run = 0; run < runs.length; run += 2) {
        end += runs[run + 1]!;
        let bad = 0;
        for (; at < rows.length && rows[at]!.row < end; at++) bad += 1;
        if (runs[run + 1]! > bad) add(gateways[runs[run]!]!, runs[run + 1]! - bad);
      }
    }
  }
  return stored;
}
