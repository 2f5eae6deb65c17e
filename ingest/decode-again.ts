import type { ReadingTable } from "#telemetry/reading-table.ts";
import type { Decoded, Decoder, Received } from "./decoder.ts";
import { markTables } from "./table-marks.ts";

/**
 * Decodes a kept payload again. It was cut out of a larger one, and odd bytes can mean something else by themselves: with another
 * number of readings than then nothing is added, or the account would not balance.
 * @returns undefined then
 */
export function decodeAgain(
  { decoder, tables }: { readonly decoder: Decoder; readonly tables: readonly ReadingTable[] },
  received: Omit<Received, "start">,
  readings: number,
): Decoded | undefined {
  const takeBack = markTables(tables);
  const decoded = decoder.decode({ ...received, start: 0 });
  if (decoded.count.accepted + decoded.count.refused === readings) return decoded;
  takeBack();
  return undefined;
}
