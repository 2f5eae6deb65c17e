import { Counter, Gauge, type Registry } from "prom-client";

/** What the rewriting of closed days counts. */
export class DayMetrics {
  readonly #waiting: Gauge;
  readonly #lastSeconds: Gauge;
  readonly #lastRows: Gauge;
  readonly #rewrites: Counter<"outcome">;

  constructor(registry: Registry) {
    const registers = [registry];
    this.#waiting = new Gauge({
      name: "marsad_store_days_waiting",
      help: "Closed days (or months) that are to be rewritten in series order.",
      registers,
    });
    this.#lastSeconds = new Gauge({
      name: "marsad_store_rewrite_last_seconds",
      help: "How long the last rewrite of a closed day took, pauses included.",
      registers,
    });
    this.#lastRows = new Gauge({
      name: "marsad_store_rewrite_last_rows",
      help: "Rows of the closed day that was rewritten last.",
      registers,
    });
    this.#rewrites = new Counter({
      name: "marsad_store_rewrites_total",
      help: "Rewrites of closed days, by outcome: done, disturbed (the day changed too much meanwhile) or failed; the latter two are tried again.",
      labelNames: ["outcome"],
      registers,
    });
    for (const outcome of ["done", "disturbed", "failed"]) this.#rewrites.inc({ outcome }, 0);
  }

  waiting(days: number): void {
    this.#waiting.set(days);
  }

  done(seconds: number, rows: number): void {
    this.#rewrites.inc({ outcome: "done" });
    this.#lastSeconds.set(seconds);
    this.#lastRows.set(rows);
  }

  notDone(outcome: "disturbed" | "failed"): void {
    this.#rewrites.inc({ outcome });
  }
}
