import { parse } from "#store/influxql/parser.ts";

/** Why a text is no statement that only reads, in the query language's own words; undefined: it is one. */
export function refusal(influxql: string): string | undefined {
  try {
    parse(influxql);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
