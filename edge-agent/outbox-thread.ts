import type { PositionRange } from "#runtime/durable-queue.ts";
import { type Served, serveWorker, transferred } from "#runtime/worker.ts";
import {
  type OutboxFileOptions,
  type OutboxState,
  type StoredBacklog,
  type StoredRecord,
  openOutboxFile,
} from "./outbox-file.ts";

/** What the outbox's thread answers. */
export type OutboxMethods = {
  state(): OutboxState;
  commit(argument: { readonly payloads: readonly Uint8Array[]; readonly nextNumber: number }): OutboxState;
  read(argument: { readonly from: number; readonly maxBytes: number }): readonly StoredRecord[];
  remove(ranges: readonly PositionRange[]): OutboxState;
  backlog(): StoredBacklog;
};

await serveWorker((options: OutboxFileOptions): Served<OutboxMethods> => {
  const file = openOutboxFile(options);
  return {
    methods: {
      state: () => file.state,
      commit: ({ payloads, nextNumber }) => {
        file.commit(payloads, nextNumber);
        return file.state;
      },
      read: ({ from, maxBytes }) => {
        const records = file.read(from, maxBytes);
        return transferred(
          records,
          records.map(({ record }) => record.buffer),
        );
      },
      remove: (ranges) => {
        file.remove(ranges);
        return file.state;
      },
      backlog: () => file.backlog(),
    },
    close: () => file[Symbol.dispose](),
  };
});
