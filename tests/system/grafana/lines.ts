import type { ResultBatch } from "#store/results.ts";

/** A batch's rows in line protocol, past our own store adapter. @param tagsOf  of a roll-up's series */
export function linesOf(
  batch: ResultBatch,
  tagsOf: (series: number) => Readonly<Record<string, string>>,
): string[] {
  const { measurement, time, series, fields, tagSets } = batch;
  return Array.from(time, (at, row) => {
    const tags = Object.entries(tagSets?.[series[row]!] ?? tagsOf(series[row]!));
    const key = [
      measurement,
      ...tags.map(([name, value]) => `${name}=${value.replaceAll(/[,= ]/g, "\\$&")}`),
    ];
    const values = fields.flatMap((field) => {
      if (field.type === "string") {
        const text = field.values[row];
        return text == null ? [] : [`${field.name}="${text}"`];
      }
      const value = field.values[row]!;
      if (Number.isNaN(value)) return [];
      const said = { float: String(value), integer: `${value}i`, boolean: String(value === 1) };
      return [`${field.name}=${said[field.type]}`];
    });
    return `${key.join(",")} ${values.join(",")} ${at}`;
  });
}
