import type { MessagePort } from "node:worker_threads";
import { release } from "#runtime/release.ts";
import { serveWorker, transferred } from "#runtime/worker.ts";
import { buffersOf, type SeriesContent } from "#telemetry/series-table.ts";
import type { GatewayTally, ReadingQuery, ReadingRows, StoreBatch, StoreRefusal } from "../port.ts";
import type { Policy } from "../query.ts";
import {
  type DirtyHour,
  type ResultBatch,
  type RowPiece,
  type RowsQuery,
  buffersOf as buffersOfPiece,
} from "../results.ts";
import type { SeriesRange } from "./job-rows.ts";
import { DuckDbEngine, type EngineOptions, type EngineOutcome, type HeldFiles } from "./engine.ts";
import type { OpenedQuery, PortableRequest, QueryPiece } from "./query/queries.ts";
import { askOver } from "./query/tag-channel.ts";
import type { SensorRef } from "../tags.ts";
import type { RewriteStep } from "./rewriting.ts";

/** What the store thread answers. */
export type StoreThread = {
  answerTags(port: MessagePort): void;
  forgetTags(sensors: readonly SensorRef[]): void;
  openQuery(request: PortableRequest): Promise<OpenedQuery>;
  nextPiece(query: number): Promise<QueryPiece>;
  closeQuery(query: number): void;
  position(journal: string): Promise<number>;
  write(batch: StoreBatch): Promise<EngineOutcome>;
  writeResults(batches: readonly ResultBatch[]): Promise<Pick<EngineOutcome, "wal_bytes">>;
  dirty(): Promise<DirtyHour[]>;
  clean(hours: readonly DirtyHour[]): Promise<void>;
  planRows(query: RowsQuery): Promise<SeriesRange[]>;
  readPiece(which: {
    query: RowsQuery;
    range: SeriesRange;
  }): Promise<{ piece: RowPiece; rest?: SeriesRange }>;
  expire(which: { policy: Policy; before: number }): Promise<string[]>;
  refusals(journal: string): Promise<StoreRefusal[]>;
  forgetRefusals(which: { journal: string; before: number }): Promise<void>;
  series(): Promise<SeriesContent>;
  tallies(): Promise<GatewayTally[]>;
  read(query: ReadingQuery): Promise<ReadingRows>;
  count(): Promise<number>;
  closeQueries(): Promise<void>;
  checkpoint(): Promise<boolean>;
  closedDays(now: number): Promise<string[]>;
  rewriteStep(table: string): Promise<RewriteStep>;
  abandonRewrite(): Promise<void>;
  hold(): Promise<HeldFiles>;
  letGo(): Promise<boolean>;
};

function buffersOfAnswer({ bytes }: QueryPiece): ArrayBuffer[] {
  return bytes === undefined ? [] : [bytes.buffer];
}

await serveWorker<StoreThread>(async (options: EngineOptions) => {
  const engine = new DuckDbEngine(options);
  await engine.open();
  return {
    methods: {
      answerTags: (port) => engine.answerTagsWith(askOver(port)),
      forgetTags: (sensors) => engine.forgetTags(sensors),
      openQuery: async (request) => {
        const opened = await engine.openQuery(request);
        return transferred(opened, buffersOfAnswer(opened.first));
      },
      nextPiece: async (query) => {
        const piece = await engine.nextPiece(query);
        return transferred(piece, buffersOfAnswer(piece));
      },
      closeQuery: (query) => engine.closeQuery(query),
      position: (journal) => engine.position(journal),
      write: (batch) => engine.write(batch).finally(() => batch.blocks.forEach(release)),
      writeResults: (batches) => engine.writeResults(batches),
      dirty: () => engine.dirty(),
      clean: (hours) => engine.clean(hours),
      planRows: (query) => engine.planRows(query),
      readPiece: async ({ query, range }) => {
        const read = await engine.readPiece(query, range);
        return transferred(read, buffersOfPiece(read.piece));
      },
      expire: ({ policy, before }) => engine.expire(policy, before),
      refusals: (journal) => engine.refusals(journal),
      forgetRefusals: ({ journal, before }) => engine.forgetRefusals(journal, before),
      series: async () => {
        const series = await engine.series();
        return transferred(series, buffersOf(series));
      },
      tallies: () => engine.tallies(),
      read: (query) => engine.read(query),
      count: () => engine.count(),
      closeQueries: () => engine.closeQueries(),
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
