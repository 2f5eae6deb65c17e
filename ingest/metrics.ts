import { Gauge, type Registry } from "prom-client";
import type { JournalStatus } from "./journal/messages.ts";

/** Ingest's metrics; the `…_total` ones are read from the account when scraped, not counted a second time. */
export function observeIngest(
  registry: Registry,
  sources: {
    readonly totals: () => { received: number; stored: number; duplicate: number; waiting: number; journal: number; missing: number };
    readonly refusedByReason: () => Iterable<readonly [reason: string, readings: number]>;
    readonly journalStatus: () => Promise<JournalStatus>;
  },
): void {
  const registers = [registry];
  const gauge = (name: string, help: string, read: () => number): void => {
    new Gauge({ name, help, registers, collect: collectInto(read) });
  };
  gauge("marsad_ingest_received_readings", "Readings taken since the process began.", () => sources.totals().received);
  gauge("marsad_ingest_stored_readings", "Readings the store has taken since the process began.", () => sources.totals().stored);
  gauge("marsad_ingest_duplicate_readings", "Readings that had come before.", () => sources.totals().duplicate);
  gauge("marsad_ingest_waiting_readings", "Readings of unknown sensors, kept.", () => sources.totals().waiting);
  gauge("marsad_ingest_journal_readings", "Readings not yet in the store.", () => sources.totals().journal);
  gauge("marsad_ingest_missing_readings", "Reading numbers that have not arrived.", () => sources.totals().missing);
  new Gauge({
    name: "marsad_ingest_refused_readings",
    help: "Readings refused, by reason, since the journal began.",
    labelNames: ["reason"],
    registers,
    collect(): void {
      this.reset();
      for (const [reason, readings] of sources.refusedByReason()) this.set({ reason }, readings);
    },
  });
  new Gauge({
    name: "marsad_ingest_journal_bytes",
    help: "Bytes in the journal: live records, its file, and dead letters.",
    labelNames: ["what"],
    registers,
    async collect(): Promise<void> {
      const { liveBytes, fileBytes, deadLetterBytes } = await sources.journalStatus();
      this.set({ what: "live" }, liveBytes);
      this.set({ what: "file" }, fileBytes);
      this.set({ what: "dead_letters" }, deadLetterBytes);
    },
  });
}

function collectInto(read: () => number): (this: Gauge) => void {
  return function collect(this: Gauge): void {
    this.set(read());
  };
}
