import { release } from "#runtime/release.ts";
import { serveWorker, transferred } from "#runtime/worker.ts";
import { buffersOf, type SeriesContent } from "#telemetry/series-table.ts";
import type { GatewayTally, ReadingQuery, ReadingRows, StoreBatch, StoreRefusal } from "../port.ts";
import { DuckDbEngine, type EngineOptions, type EngineOutcome, type HeldFiles } from "./engine.ts";
import type { RewriteStep } from "./rewriting.ts";

/** What the store thread answers. */
export type StoreThread = {
  position(journal: string): Promise<number>;
  write(batch: StoreBatch): Promise<EngineOutcome>;
  refusals(journal: string): Promise<StoreRefusal[]>;
  forgetRefusals(which: { journal: string; before: number }): Promise<void>;
  series(): Promise<SeriesContent>;
  tallies(): Promise<GatewayTally[]>;
  read(query: ReadingQuery): Promise<ReadingRows>;
  count(): Promise<number>;
  checkpoint(): Promise<void>;
  closedDays(now: number): Promise<string[]>;
  rewriteStep(table: string): Promise<RewriteStep>;
  abandonRewrite(): Promise<void>;
  hold(): Promise<HeldFiles>;
  letGo(): Promise<boolean>;
};

await serveWorker<StoreThread>(async (options: EngineOptions) => {
  const engine = new DuckDbEngine(options);
  await engine.open();
  return {
    methods: {
      position: (journal) => engine.position(journal),
      write: (batch) => engine.write(batch).finally(() => batch.blocks.forEach(release)),
      refusals: (journal) => engine.refusals(journal),
      forgetRefusals: ({ journal, before }) => engine.forgetRefusals(journal, before),
      series: async () => {
        const series = await engine.series();
        return transferred(series, buffersOf(series));
      },
      tallies: () => engine.tallies(),
      read: (query) => engine.read(query),
      count: () => engine.count(),
      checkpoint: () => engine.checkpoint(),
      closedDays: (now) => engine.closedDays(now),
      rewriteStep: (table) => engine.rewriteStep(table),
      abandonRewrite: () => engine.abandonRewrite(),
      hold: () => engine.hold(),
      letGo: () => engine.letGo(),
    },
    close: () => engine.close(),
  };
});
