import type { Block } from "#telemetry/block.ts";
import { MeasurementMinutes } from "../minutes.ts";
import type { RefusedLine } from "./write-lines.ts";

/** What became of a batch's readings, of which InfluxDB refused some. */

/** Readings of each gateway that were taken. */
export function storedByGateway(
  blocks: readonly Block[],
  refused: readonly RefusedLine[],
): Map<string, number> {
  const stored = new Map<string, number>();
  const add = (gateway: string, readings: number): void => {
    stored.set(gateway, (stored.get(gateway) ?? 0) + readings);
  };
  const refusedOf = Map.groupBy(refused, ({ block, table }) => `${block} ${table}`);
  for (const [number, { gateways, tables }] of blocks.entries()) {
    for (const [index, { runs }] of tables.entries()) {
      const rows = refusedOf.get(`${number} ${index}`) ?? [];
      let end = 0;
      let at = 0;
      for (let run = 0; run < runs.length; run += 2) {
        end += runs[run + 1]!;
        let bad = 0;
        for (; at < rows.length && rows[at]!.row < end; at++) bad += 1;
        if (runs[run + 1]! > bad) add(gateways[runs[run]!]!, runs[run + 1]! - bad);
      }
    }
  }
  return stored;
}

/** Minutes of the readings that were taken. */
export function minutesOf(blocks: readonly Block[], refused: readonly RefusedLine[]): MeasurementMinutes {
  const minutes = new MeasurementMinutes();
  const refusedOf = Map.groupBy(refused, ({ block, table }) => `${block} ${table}`);
  for (const [number, { tables }] of blocks.entries()) {
    for (const [index, { measurement, rows, time }] of tables.entries()) {
      const isTaken = new Uint8Array(rows).fill(1);
      for (const { row } of refusedOf.get(`${number} ${index}`) ?? []) isTaken[row] = 0;
      minutes.of(measurement).addNew(time, isTaken, rows);
    }
  }
  return minutes;
}
