import type { ReadingTable } from "./reading-table.ts";
import type { Reason, Rejection } from "./rejection.ts";

/**
 * What every decoder of readings (scanner, its oracle, the JSON envelope) needs of its surroundings, and where it puts what it finds.
 * One series index (and one resolver) an agency: sensor ids are unique within one.
 */
export interface DecodeContext {
  /** Tables by the measurement's index in the catalogue. */
  readonly tables: readonly ReadingTable[];
  /** The number of the gateway that sent the payload. */
  readonly gateway: number;
  /** Milliseconds since 1970; readings later than `now + maxFuture` or earlier than `now - maxAge` are refused. */
  readonly now: number;
  readonly maxFuture: number;
  readonly maxAge: number;
  /** Reading numbers that were kept before are passed over and counted as seen. Undefined: none were. */
  readonly seen?: ((ordinal: number) => boolean) | undefined;
  /** Called for each refused reading, also for `unknown-sensor`. */
  readonly reject: (rejection: Rejection) => void;
}

/** A series as the registry knows it: its number and the number of the gateway that owns the sensor. */
export interface SeriesHandle {
  readonly series: number;
  readonly gateway: number;
}

/** Asked for each key that the scanner's index does not know, and for each reading by the others: the registry's answer, or why not. */
export type ResolveSeries = (
  measurement: string,
  sensor: string,
) => SeriesHandle | Extract<Reason, "unknown-sensor" | "sensor-retired">;

/** Readings found in a payload: `accepted` rows were added, `seen` were passed over, `refused` were rejected. */
export interface DecodeCount {
  accepted: number;
  seen: number;
  refused: number;
}
