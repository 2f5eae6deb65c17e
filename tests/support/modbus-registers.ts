import type { FieldRegister, Register } from "#firmware-sim/modbus/register-map.ts";

const bytesOf = { u16: 2, i16: 2, u32: 4, i32: 4, u64: 8, i64: 8, f32: 4, f64: 8 } as const;

/** What stands in a register, read independently of the code that writes it. @param offset Register with which `bytes` begin. */
export function readRegisters(bytes: Uint8Array, { register, type, order }: Register, offset = 0): number {
  const at = 2 * (register - offset);
  const words = Array.from({ length: bytesOf[type] / 2 }, (_, i) => [
    bytes[at + 2 * i]!,
    bytes[at + 2 * i + 1]!,
  ]);
  if (order === "CDAB" || order === "DCBA") words.reverse();
  const straight = words.flatMap(([high, low]) =>
    order === "BADC" || order === "DCBA" ? [low!, high!] : [high!, low!],
  );
  const view = new DataView(Uint8Array.from(straight).buffer);
  return readers[type](view);
}

const readers: Record<Register["type"], (view: DataView) => number> = {
  u16: (view) => view.getUint16(0),
  i16: (view) => view.getInt16(0),
  u32: (view) => view.getUint32(0),
  i32: (view) => view.getInt32(0),
  u64: (view) => Number(view.getBigUint64(0)),
  i64: (view) => Number(view.getBigInt64(0)),
  f32: (view) => view.getFloat32(0),
  f64: (view) => view.getFloat64(0),
};

/** A field's value: raw x scale, at so many decimals. */
export function valueAt(bytes: Uint8Array, field: FieldRegister, decimals: number, offset = 0): number {
  return Number((readRegisters(bytes, field, offset) * (field.scale ?? 1)).toFixed(decimals));
}
