import type { SeriesEntry } from "#telemetry/series.ts";
import type { ReadingQuery, ReadingRows } from "../port.ts";
import type { RowPiece, RowsQuery } from "../results.ts";
import { type Gathered, type JobPlan, PieceGatherer, correct, jobStatement } from "./job-rows.ts";
import type { InfluxSeries } from "./query.ts";
import { type ReadPlan, RowMerger, selectStatement } from "./rows.ts";
import type { SensorRef, SensorTags, SeriesPrefixes } from "./series-prefixes.ts";
import type { InfluxServer } from "./server.ts";
import type { InfluxState } from "./state.ts";
import { prefixAt, sameTags } from "./tags.ts";

/** Milliseconds; who reads may compute between pieces. */
const timeout = 900_000;

/** Rows on their way to a job. */
interface Reading {
  readonly plan: JobPlan;
  readonly gatherer: PieceGatherer;
  /** Undefined: all have come. */
  answers: AsyncGenerator<InfluxSeries> | undefined;
  /** A piece that waits for tags. */
  gathered: Gathered | undefined;
}

/** Streams rows to jobs, piece by piece, each only when it is asked for. */
export class JobReader {
  readonly #server: InfluxServer;
  readonly #state: InfluxState;
  readonly #prefixes: SeriesPrefixes;
  readonly #readings = new Map<number, Reading>();
  #last = 0;

  constructor(parts: { server: InfluxServer; state: InfluxState; prefixes: SeriesPrefixes }) {
    this.#server = parts.server;
    this.#state = parts.state;
    this.#prefixes = parts.prefixes;
  }

  /** @returns a number for `next` and `close` */
  open(query: RowsQuery): number {
    const { dictionary } = this.#state;
    const all = query.series?.map((number) => dictionary.get(number)) ?? [...dictionary.values()];
    const entries = all.filter((entry) => entry?.measurement === query.measurement) as SeriesEntry[];
    const sensors = new Map(entries.map((entry) => [entry.series, entry]));
    const plan = { query, sensors, known: this.#state.seriesCount(query.measurement) };
    const isEmpty = sensors.size === 0 || query.fields?.length === 0 || query.from >= query.to;
    const answers = isEmpty ? undefined : this.#server.query(jobStatement(plan), timeout);
    this.#readings.set(++this.#last, {
      plan,
      answers,
      gatherer: new PieceGatherer(plan),
      gathered: undefined,
    });
    return this.#last;
  }

  /** @returns a piece, undefined after the last, or the sensors whose tags it needs before. */
  async next(id: number, supplied: readonly SensorTags[]): Promise<RowPiece | SensorRef[] | undefined> {
    const reading = this.#readings.get(id);
    if (reading === undefined) return undefined;
    reading.gathered ??= await gather(reading);
    if (reading.gathered === undefined) return undefined;
    const { piece, twofold } = reading.gathered;
    const needed = this.#prefixes.take(
      supplied,
      Array.from(twofold.keys(), (n) => reading.plan.sensors.get(n)!),
    );
    if (needed.length > 0) return needed;
    for (const [series, times] of twofold)
      correct(piece, series, await this.#untangle(reading.plan, piece, series, times));
    reading.gathered = undefined;
    return piece;
  }

  async close(id: number): Promise<void> {
    const reading = this.#readings.get(id);
    this.#readings.delete(id);
    await reading?.answers?.return(undefined);
  }

  /** A series' rows where two of one time have become one: those under the tag set of now win. */
  async #untangle(
    { query: { policy, measurement }, sensors, known }: JobPlan,
    { fields }: RowPiece,
    series: number,
    times: { from: number; to: number },
  ): Promise<ReadingRows> {
    const query: ReadingQuery = {
      measurement,
      series: [series],
      ...times,
      limit: Number.POSITIVE_INFINITY,
      order: "asc",
    };
    const one = new Map([[series, sensors.get(series)!]]);
    const plan: ReadPlan = { query, policy, fields: fields.map(({ name }) => name), sensors: one, known };
    const merger = new RowMerger(plan, (_, time, tags) =>
      sameTags(prefixAt(this.#prefixes.of(series), time).tags, tags),
    );
    for await (const answer of this.#server.query(selectStatement(plan, true), timeout)) merger.add(answer);
    return merger.end();
  }
}

async function gather(reading: Reading): Promise<Gathered | undefined> {
  const { gatherer } = reading;
  while (reading.answers !== undefined && !gatherer.isFull) {
    const answer = await reading.answers.next();
    if (answer.done === true) reading.answers = undefined;
    else gatherer.add(answer.value);
  }
  const gathered = gatherer.take(reading.answers === undefined);
  return gathered.piece.time.length === 0 ? undefined : gathered;
}
