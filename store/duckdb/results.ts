import type { DuckDBConnection } from "@duckdb/node-api";
import { type Policy, policies } from "../query.ts";
import { Freshness } from "./freshness.ts";
import { type Place, type ResultPlace, resultPlaceOf } from "./partition.ts";
import type { Partitions } from "./partitions.ts";
import type { ResultSeries } from "./result-series.ts";
import { readFloors, readResultSeries } from "./schema.ts";

/**
 * What the platform's own jobs wrote, as far as it is committed: of `autogen` the results that are no roll-up, of the other policies
 * roll-ups, whose measurements and series numbers are the readings'.
 */
export class Results {
  /** Numbers and tag sets of results that are no roll-up. */
  readonly series: ResultSeries;
  readonly #places: ReadonlyMap<ResultPlace, { readonly tables: Partitions; readonly freshness: Freshness }>;

  constructor(
    series: ResultSeries,
    places: ReadonlyMap<ResultPlace, { readonly tables: Partitions; readonly freshness: Freshness }>,
  ) {
    this.series = series;
    this.#places = places;
  }

  /** Tables, and the columns of each measurement over all of its tables. */
  tables(policy: Policy): Partitions {
    return this.at(resultPlaceOf(policy));
  }

  at(place: Place): Partitions {
    return this.#places.get(place as ResultPlace)!.tables;
  }

  freshness(policy: Policy): Freshness {
    return this.#places.get(resultPlaceOf(policy))!.freshness;
  }
}

export async function openResults(
  connection: DuckDBConnection,
  tables: ReadonlyMap<Place, Partitions>,
): Promise<Results> {
  const found = new Map<ResultPlace, { tables: Partitions; freshness: Freshness }>();
  for (const place of policies.map(resultPlaceOf)) {
    const partitions = tables.get(place)!;
    const freshness = new Freshness(await readFloors(connection, partitions));
    found.set(place, { tables: partitions, freshness });
  }
  return new Results(await readResultSeries(connection), found);
}
