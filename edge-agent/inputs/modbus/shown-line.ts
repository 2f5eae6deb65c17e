import { spell } from "../field-plan.ts";
import type { DevicePlan, Shown } from "./device-plan.ts";

/**
 * What a device shows as a line of line protocol, without a time if it shows none; undefined when it has none of the fields now. What stands where the
 * time should be stays in the line, which the platform refuses for it.
 */
export function formatShown(
  { measurement, fields }: DevicePlan,
  sensor: string,
  { values, time, noTime }: Shown,
): Buffer | undefined {
  const texts = fields.flatMap(({ field }, index) => {
    const text = spell(values[index]!, field);
    return text === undefined ? [] : [`${field.name}=${text}`];
  });
  if (texts.length === 0) return undefined;
  const stands = time ?? noTime;
  const when = stands === undefined ? "" : ` ${stands}`;
  return Buffer.from(`${measurement.name},sensor=${sensor} ${texts.join(",")}${when}\n`, "latin1");
}
