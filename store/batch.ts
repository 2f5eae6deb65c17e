import { MarsadError } from "#runtime/errors.ts";
import { type Block, decodeBlock } from "#telemetry/block.ts";
import type { FieldType } from "#telemetry/catalogue.ts";
import type { SeriesEntry } from "#telemetry/series.ts";
import { type FieldTypes, separate } from "./field-types.ts";
import type { StoreBatch, StoreRefusal } from "./port.ts";
import { refusalsOf } from "./refusals.ts";

/** What every adapter does with a batch before it writes. */

/** The adapter's copy of the dictionary: a `SeriesTable`, a `Map`. */
export interface KnownSeries {
  get(series: number): SeriesEntry | undefined;
}

/** Sets aside the rows with a value that its column cannot hold. `learnt`: the types of the batch's measurements after it. */
export function takeOutMisfits(
  { dictionary, types }: { dictionary: KnownSeries; types: FieldTypes },
  { first, next }: StoreBatch,
  decoded: readonly Block[],
  entries: readonly SeriesEntry[],
): { blocks: Block[]; refused: StoreRefusal[]; learnt: Map<string, Map<string, FieldType>> } {
  const learnt = new Map<string, Map<string, FieldType>>();
  const known = new Map(types);
  const added = new Map(entries.map((entry) => [entry.series, entry]));
  const seriesOf = (series: number): SeriesEntry => dictionary.get(series) ?? added.get(series)!;
  const refused: StoreRefusal[] = [];
  const position = Math.max(first, next - decoded.length);
  const blocks = decoded.map((block, i) => {
    const separated = separate(block, known);
    for (const [measurement, fields] of separated.learnt) {
      const all = new Map([...(known.get(measurement) ?? []), ...fields]);
      known.set(measurement, all);
      learnt.set(measurement, all);
    }
    if (separated.refused.length > 0)
      refused.push(...refusalsOf(block, position + i, separated.refused, seriesOf));
    return separated.block;
  });
  return { blocks, refused, learnt };
}

/** The blocks of a batch from `position` on. @throws MarsadError QUEUE_CORRUPT */
export function decodeBatch({ journal, first, blocks }: StoreBatch, position: number): Block[] {
  return blocks.slice(Math.max(0, position - first)).map((bytes, i) => {
    try {
      return decodeBlock(bytes);
    } catch (error) {
      const at = Math.max(first, position) + i;
      throw new MarsadError("QUEUE_CORRUPT", `block ${at} of journal ${journal} cannot be read`, {
        cause: error,
      });
    }
  });
}

/**
 * Entries that the dictionary lacks.
 * @throws MarsadError STORE_FORMAT: a number that means another series there must not get that one's readings.
 */
export function newEntries(dictionary: KnownSeries, blocks: readonly Block[]): SeriesEntry[] {
  const entries = new Map<number, SeriesEntry>();
  for (const entry of blocks.flatMap(({ newSeries }) => newSeries)) {
    const known = dictionary.get(entry.series) ?? entries.get(entry.series);
    if (known === undefined) entries.set(entry.series, entry);
    else if (described(known) !== described(entry)) {
      throw new MarsadError(
        "STORE_FORMAT",
        `series ${entry.series} is ${described(known)} in the store and ${described(entry)} in the journal; ` +
          "they do not belong together: restore both from one backup",
      );
    }
  }
  return [...entries.values()];
}

function described({ measurement, agency, sensor }: SeriesEntry): string {
  return `${measurement} of ${agency}/${sensor}`;
}
