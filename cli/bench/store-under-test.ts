import type { RawResult } from "./raw-duckdb.ts";

/** The same readings that a platform is loaded with, to be written straight into the store. */
export interface RawLoad {
  /** Of its own. */
  readonly folder: string;
  readonly readings: number;
  /** Sensors of each gateway. */
  readonly sensors: readonly (readonly string[])[];
  readonly agency: string;
  /** Readings a message. */
  readonly batch: number;
  /** Event time of the first readings, milliseconds since 1970. */
  readonly startTime: number;
}

/** A store as the benchmark sees it. */
export interface StoreUnderTest {
  /** A run ends by time or by so many readings, unless it is said. */
  readonly mostReadings: number;
  /** How many are written past the platform for so many readings of a run. */
  rawReadings(mostReadings: number): number;
  /** Writes them past the platform; CPU is what the store itself takes. */
  raw(load: RawLoad, signal: AbortSignal): Promise<RawResult>;
  /** What a platform with this store needs, for the time of one run. @param folder  Of the run. */
  open(folder: string): Promise<OpenStore>;
}

export interface OpenStore extends AsyncDisposable {
  /** Arguments of `marsad platform`. */
  readonly args: readonly string[];
  /** CPU seconds of its own process so far, its work in the background done; undefined when it has none. */
  cpuSeconds(): Promise<number | undefined>;
  /** Rows, counted once the platform has left it. */
  count(): Promise<number>;
}
