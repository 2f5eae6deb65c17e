import { Counter, Gauge, type Registry } from "prom-client";
import type { Rollup } from "#store/query.ts";

/** What the roll-up job counts. */
export class RollupMetrics {
  hoursBehind = 0;
  readonly #readings: Counter;
  readonly #rows: Counter<"policy">;
  readonly #forgotten: Counter;

  constructor(registry: Registry | undefined) {
    const registers = registry === undefined ? [] : [registry];
    this.#readings = new Counter({
      name: "marsad_analytics_rollup_readings_total",
      help: "Readings that were read to be rolled up, each as often as it was.",
      registers,
    });
    this.#rows = new Counter({
      name: "marsad_analytics_rollup_rows_total",
      help: "Rows of roll-ups written, each as often as it was.",
      labelNames: ["policy"],
      registers,
    });
    this.#forgotten = new Counter({
      name: "marsad_analytics_rollup_forgotten_hours_total",
      help: "Hours of a measurement with late readings that were not rolled up again: their readings are past the time they are kept.",
      registers,
    });
    const behind = (): number => this.hoursBehind;
    const gauge = new Gauge({
      name: "marsad_analytics_rollup_hours_behind",
      help: "Hours of a measurement with readings that are not rolled up yet, though their minutes are over.",
      registers: [],
      collect() {
        this.set(behind());
      },
    });
    registry?.registerMetric(gauge);
  }

  read(readings: number): void {
    this.#readings.inc(readings);
  }

  wrote(policy: Rollup, rows: number): void {
    this.#rows.inc({ policy }, rows);
  }

  forgot(hours: number): void {
    this.#forgotten.inc(hours);
  }
}
