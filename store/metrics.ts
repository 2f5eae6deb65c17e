import { Counter, Histogram, type Registry } from "prom-client";
import type { StoreOutcome } from "./port.ts";

/** What every adapter counts of its writes. */
export class StoreMetrics {
  readonly #writeSeconds: Histogram;
  readonly #readings: Counter<"outcome">;
  readonly #errors: Counter<"code">;

  constructor(registry: Registry) {
    const registers = [registry];
    this.#writeSeconds = new Histogram({
      name: "marsad_store_write_seconds",
      help: "How long a batch took to be on the store's disk.",
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
      registers,
    });
    this.#readings = new Counter({
      name: "marsad_store_readings_total",
      help: "Readings written, by what became of them: new, merged (changed one that was there), duplicate or refused.",
      labelNames: ["outcome"],
      registers,
    });
    this.#errors = new Counter({
      name: "marsad_store_errors_total",
      help: "Calls of the store that failed, by error code.",
      labelNames: ["code"],
      registers,
    });
  }

  wrote(seconds: number, { tallies, refused }: StoreOutcome): void {
    this.#writeSeconds.observe(seconds);
    let [added, merged, duplicate] = [0, 0, 0];
    for (const tally of tallies) {
      added += tally.stored - tally.merged;
      merged += tally.merged;
      duplicate += tally.duplicate;
    }
    this.#readings.inc({ outcome: "new" }, added);
    this.#readings.inc({ outcome: "merged" }, merged);
    this.#readings.inc({ outcome: "duplicate" }, duplicate);
    this.#readings.inc(
      { outcome: "refused" },
      refused.reduce((sum, { readings }) => sum + readings, 0),
    );
  }

  failed(code: string): void {
    this.#errors.inc({ code });
  }
}

/** What became of an InfluxQL request. `given up`: by who asked it. */
export type QueryOutcome = "answered" | "given up" | "refused" | "failed";

export class QueryMetrics {
  readonly #seconds: Histogram;
  readonly #queries: Counter<"outcome">;
  readonly #limits: Counter<"limit">;

  constructor(registry: Registry) {
    const registers = [registry];
    this.#seconds = new Histogram({
      name: "marsad_store_query_seconds",
      help: "How long an InfluxQL request took, until the last byte of its answer was taken.",
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
      registers,
    });
    this.#queries = new Counter({
      name: "marsad_store_queries_total",
      help: "InfluxQL requests, by what became of them: answered (whatever the answer says), given up by who asked, refused because too many wait, or failed.",
      labelNames: ["outcome"],
      registers,
    });
    this.#limits = new Counter({
      name: "marsad_store_query_limits_total",
      help: "Statements that were ended by a limit: time, rows, values or memory.",
      labelNames: ["limit"],
      registers,
    });
  }

  ended(outcome: QueryOutcome, seconds: number): void {
    this.#queries.inc({ outcome });
    this.#seconds.observe(seconds);
  }

  met(limits: readonly string[]): void {
    for (const limit of limits) this.#limits.inc({ limit });
  }
}
