import { type ScriptedDevice, openScriptedDevice } from "./scripted-device.ts";

/** A map for `openRowDevice`. */
export const rowMap = {
  measurement: "water_flow",
  time: { register: 0, type: "u64" },
  row: { register: 4, type: "u32" },
  fields: { flow: { register: 6, type: "f32", unit: "L/s" } },
};

export interface RowDevice extends ScriptedDevice {
  /** Number of the row it shows, from 0. */
  readonly row: number;
}

/** Event time of a row, milliseconds since 1970. */
export function rowTime(row: number): number {
  return 1_763_860_000_000 + 60_000 * row;
}

/**
 * A logger with rows to give: a request on the same connection is its proof that the row before has arrived, and it shows the next one; on a new
 * connection it shows the last one again.
 */
export async function openRowDevice(rows: number): Promise<RowDevice> {
  let row = 0;
  let proving = -1;
  const device = await openScriptedDevice(({ connection }) => {
    if (connection === proving && row < rows - 1) row += 1;
    proving = connection;
    const registers = Buffer.alloc(16);
    registers.writeBigUInt64BE(BigInt(rowTime(row)), 0);
    registers.writeUInt32BE(row, 8);
    registers.writeFloatBE(row, 12);
    return registers;
  });
  return Object.defineProperty(device as RowDevice, "row", { get: () => row });
}
