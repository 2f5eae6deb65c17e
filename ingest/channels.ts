import { type UplinkFormat, uplinkFormats } from "#telemetry/topic.ts";

/** Can a payload of this channel hold readings? */
export function isUplinkFormat(channel: string): channel is UplinkFormat {
  return uplinkFormats.some((format) => format === channel);
}
