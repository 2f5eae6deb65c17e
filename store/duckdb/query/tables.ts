import type { Partition } from "../partition.ts";
import type { ValueType } from "../../influxql/engine.ts";
import type { SeriesTags } from "./series-tags.ts";

/** What a query may read: readings, and what the platform's jobs wrote, look alike. */
export interface TableSource {
  /** In no order. */
  measurements(policy: string): readonly string[];
  /** Undefined: there is no such measurement. */
  measurement(policy: string, name: string): Measurement | undefined;
}

export interface Measurement {
  readonly fields: ReadonlyMap<string, ValueType>;
  /** The tables that may have rows with `from` <= time < `to` (ms since 1970), by time, in groups that do not overlap. */
  groups(from: number, to: number): readonly (readonly Partition[])[];
  /** What its series are, as of now; may have to be asked for. */
  tags(): Promise<SeriesTags>;
}
