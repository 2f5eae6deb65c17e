import { type ValueType } from "../../influxql/engine.ts";
import { type Policy, policies } from "../../query.ts";
import { fieldTypeOf } from "../partition.ts";
import type { Partitions } from "../partitions.ts";
import type { Session } from "../session.ts";
import type { ReadingTags } from "./reading-tags.ts";
import { SeriesTags } from "./series-tags.ts";
import type { Measurement, TableSource } from "./tables.ts";

/** What is in a session's tables: in `autogen` readings and results, in the other policies readings rolled up. */
export class SessionTables implements TableSource {
  readonly #session: Pick<Session, "partitions" | "results">;
  readonly #readingTags: ReadingTags;
  /** Tags of results; they do not change, there are only more of them. */
  readonly #ofResults = new Map<string, SeriesTags>();

  constructor(session: Pick<Session, "partitions" | "results">, readingTags: ReadingTags) {
    this.#session = session;
    this.#readingTags = readingTags;
  }

  measurements(policy: string): readonly string[] {
    return this.#places(policy).flatMap(({ tables }) => tables.measurements());
  }

  measurement(policy: string, name: string): Measurement | undefined {
    const place = this.#places(policy).find(({ tables }) => tables.of(name).length > 0);
    if (place === undefined) return undefined;
    const { tables, isOfReadings } = place;
    return {
      fields: new Map(
        tables.columns(name).map(({ name: field, type }): [string, ValueType] => [field, fieldTypeOf(type)]),
      ),
      groups: (from, to) => tables.groups(name, from, to),
      tags: () => (isOfReadings ? this.#readingTags.of(name) : Promise.resolve(this.#resultTags(name))),
    };
  }

  #places(policy: string): { readonly tables: Partitions; readonly isOfReadings: boolean }[] {
    const known = policies.find((each): each is Policy => each === policy);
    if (known === undefined) return [];
    const results = { tables: this.#session.results.tables(known), isOfReadings: known !== "autogen" };
    if (known !== "autogen") return [results];
    return [{ tables: this.#session.partitions, isOfReadings: true }, results];
  }

  #resultTags(measurement: string): SeriesTags {
    let tags = this.#ofResults.get(measurement);
    if (tags === undefined) this.#ofResults.set(measurement, (tags = new SeriesTags()));
    for (const [series, set] of this.#session.results.series.of(measurement, tags.size))
      tags.put(series, [{ from: Number.NEGATIVE_INFINITY, tags: set }]);
    return tags;
  }
}
