import { serveWorker } from "#runtime/worker.ts";
import type { SeriesEntry } from "#telemetry/series.ts";
import type {
  GatewayTally,
  ReadingQuery,
  ReadingRows,
  StoreBatch,
  StoreOutcome,
  StoreRefusal,
} from "../port.ts";
import { type EngineOptions, type Health, InfluxEngine, type SensorRef, type SensorTags } from "./engine.ts";

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
      health: () => engine.health(),
      abort: () => engine.abort(),
    },
    close: () => engine.close(),
  };
});
