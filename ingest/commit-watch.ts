import { Histogram, type Registry } from "prom-client";
import type { QueueLevel } from "#runtime/queue-metrics.ts";
import type { Journal } from "./journal/journal.ts";
import type { JournalGroup } from "./journal/messages.ts";

/** What was handed to the journal and is not on disk yet. */
export class CommitWatch {
  readonly #seconds: Histogram;
  /** Commits end in their order: the oldest stands first. */
  readonly #underWay: { readonly at: number; readonly bytes: number }[] = [];

  constructor(registry: Registry) {
    this.#seconds = new Histogram({
      name: "marsad_ingest_journal_commit_seconds",
      help: "How long a group took from being handed to the journal to being on its disk: what a PUBACK waits for.",
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
      registers: [registry],
    });
  }

  /** The same journal, whose commits are watched. */
  watch(journal: Journal): Journal {
    return { ...journal, commit: (group) => this.#commit(journal, group) };
  }

  level(): QueueLevel {
    const [oldest] = this.#underWay;
    return {
      bytes: this.#underWay.reduce((sum, { bytes }) => sum + bytes, 0),
      oldest_ms: oldest === undefined ? 0 : performance.now() - oldest.at,
    };
  }

  async #commit(journal: Journal, group: JournalGroup): Promise<number> {
    const at = performance.now();
    this.#underWay.push({ at, bytes: group.block?.byteLength ?? 0 });
    try {
      const next = await journal.commit(group);
      this.#seconds.observe((performance.now() - at) / 1_000);
      return next;
    } finally {
      this.#underWay.shift();
    }
  }
}
