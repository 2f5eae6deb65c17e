import { earliest, latest, quoted } from "./query.ts";
import type { InfluxServer } from "./server.ts";

const hour_ms = 3_600_000;
/** ms that a statement looks at. */
const step_ms = 7 * 24 * hour_ms;
/** Milliseconds. */
const timeout = 60_000;

/** The beginnings of the UTC hours, ms since 1970, in which a measurement has readings, and of some without if there are gaps between fields. */
export async function* storedHours(
  server: Pick<InfluxServer, "query">,
  measurement: string,
  fields: readonly string[],
): AsyncGenerator<number> {
  const [first, last] = [await edge("ASC"), await edge("DESC")];
  if (first === undefined || last === undefined) return;
  const counts = fields.map((name) => `count(${quoted(name)})`).join(", ");
  for (let from = Math.floor(first / hour_ms) * hour_ms; from <= last; from += step_ms) {
    const to = Math.min(from + step_ms, latest);
    const statement =
      `SELECT ${counts} FROM ${quoted(measurement)} WHERE time >= ${from}ms AND time < ${to}ms ` +
      "GROUP BY time(1h) fill(none)";
    const found = new Set<number>();
    for await (const { values = [] } of server.query(statement, timeout))
      for (const [time] of values) found.add(time as number);
    yield* found;
  }

  async function edge(order: "ASC" | "DESC"): Promise<number | undefined> {
    const columns = fields.map(quoted).join(", ");
    const statement =
      `SELECT ${columns} FROM ${quoted(measurement)} WHERE time >= ${earliest}ms AND time < ${latest}ms ` +
      `ORDER BY time ${order} LIMIT 1`;
    for await (const { values = [] } of server.query(statement, timeout))
      for (const [time] of values) return time as number;
    return undefined;
  }
}
