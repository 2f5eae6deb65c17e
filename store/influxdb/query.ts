import type { InfluxHttp } from "./http.ts";
import { MarsadError } from "#runtime/errors.ts";
import type { Policy } from "../query.ts";

/** Times that InfluxDB can say, in milliseconds since 1970. */
export const earliest = -9_223_372_036_854;
export const latest = 9_223_372_036_854;

export type InfluxValue = string | number | boolean | null;
export interface InfluxSeries {
  readonly name: string;
  readonly tags?: Readonly<Record<string, string>>;
  readonly columns: readonly string[];
  readonly values?: readonly (readonly InfluxValue[])[];
}

export interface QueryTarget {
  readonly database: string | undefined;
  readonly policy?: string | undefined;
  /** Milliseconds. */
  readonly timeout: number;
}

/** `name` as an identifier of InfluxQL. */
export function quoted(name: string): string {
  return `"${name.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}

/** A measurement of a policy as InfluxQL names it; `autogen` is the default policy, however it is called there. */
export function sourceOf({ policy, measurement }: { policy: Policy; measurement: string }): string {
  return policy === "autogen" ? quoted(measurement) : `${quoted(policy)}.${quoted(measurement)}`;
}

/** `text` as a string of InfluxQL. */
export function literal(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}

/**
 * A statement's answer in pieces of some thousand rows; leaving the loop ends it.
 * @throws MarsadError STORE_UNAVAILABLE
 */
export async function* query(
  http: InfluxHttp,
  statement: string,
  { database, policy, timeout }: QueryTarget,
): AsyncGenerator<InfluxSeries> {
  const parameters = new URLSearchParams({ q: statement, epoch: "ms", chunked: "true", chunk_size: "5000" });
  if (database !== undefined) parameters.set("db", database);
  if (policy !== undefined) parameters.set("rp", policy);
  const body = parameters.toString();
  const contentType = "application/x-www-form-urlencoded";
  for await (const line of http.lines({ method: "POST", path: "/query", body, contentType, timeout })) {
    yield* seriesOf(line, statement);
  }
}

function* seriesOf(line: string, statement: string): Generator<InfluxSeries> {
  const { results, error } = JSON.parse(line) as {
    results?: { series?: InfluxSeries[]; error?: string }[];
    error?: string;
  };
  const wrong = error ?? results?.find((result) => result.error !== undefined)?.error;
  if (wrong !== undefined)
    throw new MarsadError("STORE_UNAVAILABLE", `InfluxDB: ${wrong} (${statement.slice(0, 200)})`);
  for (const { series = [] } of results ?? []) yield* series;
}
