import { spell } from "../field-plan.ts";
import type { DevicePlan, Shown } from "./device-plan.ts";

/** What a device shows as a line of line protocol, without a time if it shows none; undefined when it has none of the fields now. */
export function formatShown(
  { measurement, fields }: DevicePlan,
  sensor: string,
  { values, time }: Shown,
): Buffer | undefined {
  const texts = fields.flatMap(({ field }, index) => {
    const text = spell(values[index]!, field);
    return text === undefined ? [] : [`${field.name}=${text}`];
  });
  if (texts.length === 0) return undefined;
  const when = time === undefined ? "" : ` ${time}`;
  return Buffer.from(`${measurement.name},sensor=${sensor} ${texts.join(",")}${when}\n`, "latin1");
}
