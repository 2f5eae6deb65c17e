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
import { MeasurementMinutes, wholeHour } from "../minutes.ts";
import type { Policy } from "../query.ts";
import { refusalsOf } from "../refusals.ts";
import type { DirtyHour, ResultBatch, RowPiece, RowsQuery } from "../results.ts";
import { Serial } from "../serial.ts";
import { minutesOf, storedByGateway } from "./account.ts";
import { JobReader } from "./job-reader.ts";
import { ResultWriter } from "./result-writer.ts";
import { type ReadPlan, RowCounter, RowMerger, countStatement, needsTags, selectStatement } from "./rows.ts";
import { InfluxServer, type ServerOptions } from "./server.ts";
import { InfluxState } from "./state.ts";
import { storedHours } from "./stored-hours.ts";
import { type SensorRef, type SensorTags, SeriesPrefixes } from "./series-prefixes.ts";
import { prefixAt, sameTags } from "./tags.ts";
import { LinesWriter } from "./write-lines.ts";

export interface EngineOptions extends ServerOptions {
  /** The store's folder. */
  readonly path: string;
  readonly linesPerRequest: number;
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
const hour_ms = 3_600_000;

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
  readonly #results: ResultWriter;
  readonly #commits = new Serial();
  readonly #prefixes = new SeriesPrefixes();
  readonly #jobs: JobReader;
  #prepared: Prepared | undefined;
  readonly #options: EngineOptions;
  /** By policy, what InfluxDB was told last. */
  readonly #keptHours = new Map<Policy, number>();

  private constructor(options: EngineOptions, state: InfluxState) {
    this.#options = options;
    this.#state = state;
    this.#server = new InfluxServer(options);
    const common = {
      bytesPerRequest,
      prefixes: (series: number) => this.#prefixes.of(series),
      giveUp: (words: string) => {
        throw new MarsadError(
          "STORE_UNAVAILABLE",
          `InfluxDB at ${options.url} goes on refusing lines that it took alone: ${words}`,
        );
      },
    };
    this.#writer = new LinesWriter(options.connections, {
      ...common,
      linesPerRequest: options.linesPerRequest,
      send: (lines) => this.#server.write(lines),
    });
    this.#results = new ResultWriter({
      ...common,
      send: (lines, policy) => this.#server.write(lines, policy === "autogen" ? undefined : policy),
    });
    this.#jobs = new JobReader({ server: this.#server, state, prefixes: this.#prefixes });
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
        if (this.#prefixes.has(number) || unknown.has(number)) continue;
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
    this.#prefixes.hold();
    return this.#prefixes.take([], [...unknown.values()]);
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
      this.#prefixes.letGo();
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
    this.#prefixes.take(supplied, unknown);
    const refusedLines = await this.#writer.write(blocks);

    const seriesOf = this.#seriesFinder(entries);
    const first = next - decoded.length;
    const byServer = [...Map.groupBy(refusedLines, ({ block }) => block)].flatMap(([block, rows]) =>
      refusalsOf(blocks[block]!, first + block, rows, seriesOf),
    );
    const all = [...refused, ...byServer].toSorted((a, b) => a.position - b.position);
    const stored = storedByGateway(blocks, refusedLines);
    const minutes = minutesOf(blocks, refusedLines);
    const change = { journal, position: next, entries, stored, learnt, refused: all, minutes };
    await this.#commits.run(() => this.#state.commit(change));
    const tallies = Array.from(stored, ([gateway, readings]) => ({
      gateway,
      stored: readings,
      merged: 0,
      duplicate: 0,
    }));
    return { position: next, tallies, refused: all };
  }

  /** One at a time, and none beside a batch of readings. @returns the sensors whose tags it needs, if so: nothing was written then. */
  async writeResults(batch: ResultBatch, supplied: readonly SensorTags[]): Promise<SensorRef[]> {
    if (batch.tagSets === undefined) {
      const needed = this.#prefixes.take(supplied, this.#entriesOf(new Set(batch.series)));
      if (needed.length > 0) return needed;
    }
    this.#prefixes.hold();
    try {
      await this.#results.write(batch);
      return [];
    } finally {
      this.#prefixes.letGo();
    }
  }

  #entriesOf(numbers: Iterable<number>): SeriesEntry[] {
    return Array.from(numbers, (number) => {
      const entry = this.#state.dictionary.get(number);
      if (entry === undefined) throw new RangeError(`nobody knows the series ${number}`);
      return entry;
    });
  }

  /** What is to be rolled up; of readings that were stored before there were marks, all hours. */
  async dirty(): Promise<DirtyHour[]> {
    if (this.#state.isUnmarked) await this.#markStored();
    return await this.#commits.run(async () => this.#state.marks.take());
  }

  async clean(hours: readonly DirtyHour[]): Promise<void> {
    await this.#commits.run(() => this.#state.keepMarks(this.#state.marks.cleaned(hours)));
  }

  async #markStored(): Promise<void> {
    const minutes = new MeasurementMinutes();
    for (const [measurement, types] of this.#state.types) {
      for await (const hour of storedHours(this.#server, measurement, [...types.keys()]))
        minutes.of(measurement).put({ hour, ...wholeHour });
    }
    await this.#commits.run(() => this.#state.keepMarks(this.#state.marks.news(minutes), false));
  }

  openRows(query: RowsQuery): number {
    return this.#jobs.open(query);
  }

  nextRows(id: number, supplied: readonly SensorTags[]): Promise<RowPiece | SensorRef[] | undefined> {
    return this.#jobs.next(id, supplied);
  }

  closeRows(id: number): Promise<void> {
    return this.#jobs.close(id);
  }

  /** Says to InfluxDB how long it keeps a policy's rows. @returns what was done or is to be done by hand, in words */
  async expire(policy: Policy, before: number): Promise<string[]> {
    const { retentionDays, policy: own } = this.#options;
    if (policy === "autogen") {
      await this.#commits.run(() => this.#state.keepMarks(this.#state.marks.forgotten(before)));
      if (retentionDays !== undefined) return []; // influx_retention_days says it
    }
    const hours = Math.max(1, Math.round((Date.now() - before) / hour_ms));
    if (this.#keptHours.get(policy) === hours) return [];
    const advice = await this.#server.retain(policy === "autogen" ? own : policy, hours / 24);
    this.#keptHours.set(policy, hours);
    return [advice ?? `InfluxDB keeps ${policy === "autogen" ? (own ?? policy) : policy} for ${hours} hours`];
  }

  /** The registry has changed these: their lines begin otherwise from now on. */
  forgetTags(sensors: readonly SensorRef[]): void {
    this.#prefixes.forget(sensors);
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
    const needed = this.#prefixes.take(supplied, entries);
    if (needed.length > 0) return needed;
    const prefixes = new Map(entries.map(({ series }) => [series, this.#prefixes.of(series)]));
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

  #seriesFinder(entries: readonly SeriesEntry[]): (series: number) => SeriesEntry {
    const added = new Map(entries.map((entry) => [entry.series, entry]));
    return (series) => this.#state.dictionary.get(series) ?? added.get(series)!;
  }
}
