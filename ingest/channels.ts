import { type ReadingFormat, readingFormats } from "#telemetry/topic.ts";

/** Can a payload of this channel hold readings that can be decoded again? What was compressed is kept as it was inside. */
export function isReadingFormat(channel: string): channel is ReadingFormat {
  return readingFormats.some((format) => format === channel);
}
