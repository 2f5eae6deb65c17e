import type { Range } from "#telemetry/catalogue.ts";
import { type DeviceField, rawOf } from "../inputs/modbus/device-plan.ts";
import { type ByteOrder, type RegisterType, byteOrders } from "../inputs/modbus/register-map.ts";

/** Bytes in a wrong order make floats that are next to nothing or astronomical; no sensor shows those. */
const smallest = 1e-6;
const largest = 1e12;

/** May a sensor show this? @param value  In the field's unit. @param raw  As the device has it. */
export function isPlausible(value: number, raw: number, type: RegisterType, [low, high]: Range): boolean {
  if (!Number.isFinite(value) || (low !== null && value < low) || (high !== null && value > high))
    return false;
  if (type === "bool") return true;
  const size = Math.abs(raw);
  return size <= largest && (size === 0 || size >= smallest);
}

/** The byte orders in which an implausible value would be a plausible one, with that value. */
export function betterOrders(
  field: DeviceField,
  answers: readonly Buffer[],
  range: Range,
): readonly { readonly order: ByteOrder; readonly value: number }[] {
  const { register } = field;
  if (register.type === "bool") return [];
  const found = new Map<number, ByteOrder>();
  for (const order of byteOrders) {
    const raw = rawOf({ ...field, register: { ...register, order } }, answers);
    const value = field.scale(raw);
    if (order !== register.order && isPlausible(value, raw, register.type, range) && !found.has(value))
      found.set(value, order);
  }
  return Array.from(found, ([value, order]) => ({ order, value }));
}
