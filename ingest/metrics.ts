import { Counter, Gauge, type Registry } from "prom-client";
import type { RefusalCount } from "./dead-letters.ts";
import type { JournalStatus } from "./journal/messages.ts";
import type { IngestTotals } from "./totals.ts";

export interface MetricSources {
  readonly totals: () => IngestTotals;
  readonly refusals: () => ReadonlyMap<string, RefusalCount>;
  readonly journalStatus: () => Promise<JournalStatus>;
  readonly trouble: () => { readonly journal: string | undefined; readonly store: string | undefined };
  readonly heldSessions: () => number;
}

/** Ingest's metrics: read from the account when scraped, not counted a second time. */
export function observeIngest(registry: Registry, sources: MetricSources): void {
  const total = (what: "received" | "stored" | "duplicate", help: string): void => {
    registry.registerMetric(
      new Counter({
        name: `marsad_ingest_${what}_readings_total`,
        help,
        registers: [],
        collect() {
          this.reset();
          this.inc(sources.totals()[what]);
        },
      }),
    );
  };
  const gauge = (name: string, help: string, read: () => number): void => {
    registry.registerMetric(
      new Gauge({
        name: `marsad_ingest_${name}`,
        help,
        registers: [],
        collect() {
          this.set(read());
        },
      }),
    );
  };
  const byReason = (name: string, help: string, read: (count: RefusalCount) => number): void => {
    registry.registerMetric(
      new Counter({
        name: `marsad_ingest_${name}_total`,
        help,
        labelNames: ["reason"],
        registers: [],
        collect() {
          this.reset();
          for (const [reason, count] of sources.refusals()) this.inc({ reason }, read(count));
        },
      }),
    );
  };

  total("received", "Readings taken.");
  total("stored", "Readings the store has taken.");
  total("duplicate", "Readings that had come before.");
  byReason("refused_readings", "Readings refused.", ({ readings }) => readings);
  byReason(
    "dead_letters",
    "Pieces of messages refused: of one message for one reason.",
    ({ letters }) => letters,
  );
  gauge("missing_readings", "Reading numbers that have not arrived.", () => sources.totals().missing);
  gauge("held_sessions", "Sessions whose next message must wait.", sources.heldSessions);
  observeParts(registry, sources);
}

function observeParts(registry: Registry, { journalStatus, trouble }: MetricSources): void {
  registry.registerMetric(
    new Gauge({
      name: "marsad_ingest_journal_bytes",
      help: "Bytes of the journal's file, and of dead letters in it.",
      labelNames: ["what"],
      registers: [],
      async collect() {
        const { fileBytes, deadLetterBytes } = await journalStatus();
        this.set({ what: "file" }, fileBytes);
        this.set({ what: "dead_letters" }, deadLetterBytes);
      },
    }),
  );
  registry.registerMetric(
    new Gauge({
      name: "marsad_ingest_blocked",
      help: "1: takes nothing at present.",
      labelNames: ["part"],
      registers: [],
      collect() {
        const { journal, store } = trouble();
        this.set({ part: "journal" }, journal === undefined ? 0 : 1);
        this.set({ part: "store" }, store === undefined ? 0 : 1);
      },
    }),
  );
}
