import { serveWorker, transferred } from "#runtime/worker.ts";
import type { SeriesEntry } from "#telemetry/series.ts";
import type {
  GatewayTally,
  ReadingQuery,
  ReadingRows,
  StoreBatch,
  StoreOutcome,
  StoreRefusal,
} from "../port.ts";
import type { Policy } from "../query.ts";
import { type DirtyHour, type ResultBatch, type RowPiece, type RowsQuery, buffersOf } from "../results.ts";
import { type EngineOptions, type Health, InfluxEngine } from "./engine.ts";
import type { SensorRef, SensorTags } from "./series-prefixes.ts";

/** What the store thread answers. */
export type InfluxThread = {
  /** Where the rows of this state were kept before, if elsewhere. */
  before(): { url: string; database: string } | undefined;
  position(journal: string): number;
  prepare(batch: StoreBatch): SensorRef[];
  write(supplied: readonly SensorTags[]): Promise<StoreOutcome>;
  forgetTags(sensors: readonly SensorRef[]): void;
  refusals(journal: string): StoreRefusal[];
  forgetRefusals(which: { journal: string; before: number }): Promise<void>;
  series(): SeriesEntry[];
  tallies(): GatewayTally[];
  read(what: { query: ReadingQuery; supplied: readonly SensorTags[] }): Promise<ReadingRows | SensorRef[]>;
  count(): Promise<number>;
  writeResults(what: { batch: ResultBatch; supplied: readonly SensorTags[] }): Promise<SensorRef[]>;
  dirty(): Promise<DirtyHour[]>;
  clean(hours: readonly DirtyHour[]): Promise<void>;
  openRows(query: RowsQuery): number;
  nextRows(which: {
    id: number;
    supplied: readonly SensorTags[];
  }): Promise<RowPiece | SensorRef[] | undefined>;
  closeRows(id: number): Promise<void>;
  expire(which: { policy: Policy; before: number }): Promise<string[]>;
  health(): Health;
  abort(): Promise<void>;
};

await serveWorker<InfluxThread, EngineOptions>(async (options) => {
  const { engine, before } = await InfluxEngine.open(options);
  return {
    methods: {
      before: () => before,
      position: (journal) => engine.position(journal),
      prepare: (batch) => engine.prepare(batch),
      write: (supplied) => engine.write(supplied),
      forgetTags: (sensors) => engine.forgetTags(sensors),
      refusals: (journal) => engine.refusals(journal),
      forgetRefusals: ({ journal, before }) => engine.forgetRefusals(journal, before),
      series: () => engine.series(),
      tallies: () => engine.tallies(),
      read: ({ query, supplied }) => engine.read(query, supplied),
      count: () => engine.count(),
      writeResults: ({ batch, supplied }) => engine.writeResults(batch, supplied),
      dirty: () => engine.dirty(),
      clean: (hours) => engine.clean(hours),
      openRows: (query) => engine.openRows(query),
      nextRows: async ({ id, supplied }) => {
        const next = await engine.nextRows(id, supplied);
        return next === undefined || Array.isArray(next) ? next : transferred(next, buffersOf(next));
      },
      closeRows: (id) => engine.closeRows(id),
      expire: ({ policy, before }) => engine.expire(policy, before),
      health: () => engine.health(),
      abort: () => engine.abort(),
    },
    close: () => engine.close(),
  };
});
