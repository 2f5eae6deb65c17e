import { type ScriptedDevice, openScriptedDevice } from "./scripted-device.ts";

/** A map for `openRowDevice`. */
export const rowMap = {
  measurement: "water_flow",
  time: { register: 0, type: "u64" },
  row: { register: 4, type: "u32" },
  fields: { flow: { register: 6, type: "f32", unit: "L/s" } },
};

export interface RowDevice extends ScriptedDevice {
  /** Number of the row that a unit shows, from 0. */
  row(unit: number): number;
}

/** Event time of a row, milliseconds since 1970. */
export function rowTime(row: number): number {
  return 1_763_860_000_000 + 60_000 * row;
}

/**
 * Loggers behind one address, each with rows to give: a request to a unit on the same connection is its proof that its row before has arrived, and it shows
 * the next one; on a new connection it shows the last one again.
 */
export async function openRowDevice(
  rows: number,
  time: (row: number) => bigint = (row) => BigInt(rowTime(row)),
): Promise<RowDevice> {
  const units = new Map<number, { row: number; proving: number }>();
  const device = await openScriptedDevice(({ unit, connection }) => {
    const shown = units.get(unit) ?? { row: 0, proving: -1 };
    units.set(unit, shown);
    if (connection === shown.proving && shown.row < rows - 1) shown.row += 1;
    shown.proving = connection;
    const registers = Buffer.alloc(16);
    registers.writeBigUInt64BE(time(shown.row), 0);
    registers.writeUInt32BE(shown.row, 8);
    registers.writeFloatBE(shown.row, 12);
    return registers;
  });
  return Object.assign(device, { row: (unit: number) => units.get(unit)?.row ?? 0 });
}
