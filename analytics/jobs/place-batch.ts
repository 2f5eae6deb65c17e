import type { ResultBatch } from "#store/results.ts";
import { placeRows } from "#telemetry/place-rows.ts";
import { results } from "#telemetry/results.ts";

/** Every place with its names and position, for whoever has only the store to ask. @param at  As of `rollupChoice`. */
export function placeBatch(at: number): ResultBatch {
  const rows = placeRows();
  const { fields } = results.find(({ name }) => name === "place")!;
  return {
    policy: "autogen",
    measurement: "place",
    time: new Float64Array(rows.length).fill(at),
    series: Uint32Array.from(rows, (_, row) => row),
    tagSets: rows.map(({ tags }) => tags),
    fields: fields.map(({ name, type }) =>
      type === "string"
        ? { name, type, values: rows.map(({ fields }) => (fields[name] as string | undefined) ?? null) }
        : { name, type, values: Float64Array.from(rows, ({ fields }) => Number(fields[name] ?? Number.NaN)) },
    ),
  };
}
