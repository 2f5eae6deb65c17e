import type { FieldType } from "#telemetry/catalogue.ts";
import type { LineSender } from "./line-sender.ts";
import type { CellValue, ReplaySink, Series } from "./replay-series.ts";

const chunkBytes = 64 * 1024;

/** Readings as line protocol, to an agent's line input: one line each, gathered into chunks. */
export function lineSink(all: readonly Series[], sender: LineSender): ReplaySink {
  const series = all.map(({ measurement, sensor, fields }) => ({
    head: `${measurement},sensor=${sensor} `,
    fields: fields.map(({ name, type }) => ({ key: `${name}=`, type })),
  }));
  let lines = "";
  const flush = (): Promise<void> | undefined => {
    if (lines === "") return undefined;
    const chunk = Buffer.from(lines);
    lines = "";
    return sender.write(chunk);
  };
  return {
    take(index, utc, values) {
      const { head, fields } = series[index]!;
      let line = head;
      let separator = "";
      for (const [i, { key, type }] of fields.entries()) {
        const value = values[i];
        if (value === undefined) continue;
        line += `${separator}${key}${textOf(value, type)}`;
        separator = ",";
      }
      lines += `${line} ${utc}\n`;
      return lines.length >= chunkBytes ? flush() : undefined;
    },
    flush,
    async finish() {
      await flush();
      await sender.flushed();
    },
  };
}

function textOf(value: Exclude<CellValue, undefined>, type: FieldType): string {
  return type === "integer" ? `${value}i` : String(value);
}
