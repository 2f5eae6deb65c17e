import { type Served, serveWorker } from "#runtime/worker.ts";
import {
  type OutboxFileOptions,
  type OutboxState,
  type StoredRecord,
  openOutboxFile,
} from "./outbox-file.ts";

/** What the outbox's thread answers. */
export type OutboxMethods = {
  state(): OutboxState;
  commit(argument: { readonly payloads: readonly Uint8Array[]; readonly nextNumber: number }): OutboxState;
  read(argument: { readonly from: number; readonly maxBytes: number }): readonly StoredRecord[];
  trim(before: number): OutboxState;
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
      read: ({ from, maxBytes }) => file.read(from, maxBytes),
      trim: (before) => {
        file.trim(before);
        return file.state;
      },
    },
    close: () => file[Symbol.dispose](),
  };
});
