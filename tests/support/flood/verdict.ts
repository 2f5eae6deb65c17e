import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { periodMs } from "./frames.ts";
import type { Flood, FloodPhase } from "./flood.ts";

/** What a flood's gateways find in the store, row by row. */
export interface FloodVerdict {
  /** Readings. */
  readonly sent: number;
  readonly acknowledged: number;
  readonly stored: number;
  /** Acknowledged and not stored. */
  readonly lost: number;
  /** Rows beyond one for each reading. */
  readonly twice: number;
  /** Rows that no reading made: another value, time or sensor, or a number that was never sent. */
  readonly invented: number;
}

interface Row {
  readonly rows: bigint;
  readonly numbers: bigint;
  readonly acknowledged: bigint;
  readonly wrong: bigint;
}

/**
 * Compares every row of a data folder that no platform has open with what its reading's number says it must be. In SQL: a flood is
 * tens of millions of rows. @param phase  The last one of the flood.
 */
export async function floodVerdict(data: string, flood: Flood, phase: FloodPhase): Promise<FloodVerdict> {
  const instance = await DuckDBInstance.create(join(data, "store", "marsad.duckdb"), {
    access_mode: "READ_ONLY",
  });
  const connection = await instance.connect();
  try {
    const ask = async <Answer>(sql: string): Promise<Answer[]> =>
      (await connection.runAndReadAll(sql)).getRowObjectsJS() as Answer[];
    const days = await ask<{ name: string }>(
      "SELECT table_name AS name FROM duckdb_tables() WHERE schema_name = 'main' AND regexp_matches(table_name, '^traffic_flow_[0-9]{8}$')",
    );
    const all = days.map(({ name }) => `SELECT time, series, vehicles, speed_avg FROM "${name}"`);
    const sum = { sent: 0, acknowledged: 0, stored: 0, lost: 0, twice: 0, invented: 0 };
    for (const { name, sensors, start, batch } of flood.gateways) {
      const totals = phase.totals.find((one) => one.name === name)!;
      const sent = totals.sent * batch;
      const acknowledged = totals.acknowledged * batch;
      sum.sent += sent;
      sum.acknowledged += acknowledged;
      if (all.length === 0) {
        sum.lost += acknowledged;
        continue;
      }
      const [found] = await ask<Row>(`
        WITH own AS (
          SELECT series, CAST(regexp_extract(sensor, '[0-9]+$') AS BIGINT) AS i FROM series
          WHERE measurement = 'traffic_flow' AND regexp_matches(sensor, '^${name}[.][0-9]+$')
        ), told AS (
          SELECT i, epoch_ms(time) - ${start} AS since, vehicles, speed_avg FROM (${all.join(" UNION ALL ")}) JOIN own USING (series)
        ), numbered AS (SELECT *, since // ${periodMs} AS step, (since // ${periodMs}) * ${sensors} + i AS number FROM told)
        SELECT count(*) AS rows, count(DISTINCT number) AS numbers,
          count(DISTINCT CASE WHEN number < ${acknowledged} THEN number END) AS acknowledged,
          count(*) FILTER (since < 0 OR since % ${periodMs} <> 0 OR number >= ${sent} OR i >= ${sensors}
            OR vehicles IS DISTINCT FROM 100 + step % 900
            OR speed_avg IS NULL OR abs(speed_avg - 48 - ((step * 7 + i) % 1000) / 1000.0) > 1e-9) AS wrong
        FROM numbered`);
      sum.stored += Number(found!.rows);
      sum.lost += acknowledged - Number(found!.acknowledged);
      sum.twice += Number(found!.rows) - Number(found!.numbers);
      sum.invented += Number(found!.wrong);
    }
    if (all.length > 0) {
      const [every] = await ask<{ rows: bigint }>(
        `SELECT count(*) AS rows FROM (${all.join(" UNION ALL ")})`,
      );
      sum.invented += Number(every!.rows) - sum.stored;
    }
    return sum;
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}
