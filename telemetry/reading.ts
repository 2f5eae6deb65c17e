import type { DecodeContext, SeriesHandle } from "./decode.ts";

/** A reading that passed all checks, as the readable decoders make it. */
export interface Reading {
  /** The measurement's index in the catalogue. */
  readonly measurement: number;
  readonly handle: SeriesHandle;
  /** By the field's index in its measurement. */
  readonly values: ReadonlyMap<number, number>;
  /** Milliseconds since 1970. */
  readonly time: number;
}

/** Puts a reading into its measurement's table. */
export function addReading({ measurement, handle, values, time }: Reading, context: DecodeContext): void {
  const table = context.tables[measurement]!;
  const row = table.nextRow();
  table.time[row] = time;
  table.series[row] = handle.series;
  for (const [index, column] of table.values.entries()) column[row] = values.get(index) ?? Number.NaN;
  table.commitRow(context.gateway);
}
