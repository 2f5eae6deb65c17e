import { unsayable } from "./tables/functions.ts";
import { within } from "./tables/fragments.ts";

export interface KnownDifference {
  readonly what: string;
  readonly why: string;
  /** Each differs, and is taken off the list when it does no longer. */
  readonly queries: readonly string[];
}

/** What docs/influxql.md says of differences. */
export const knownDifferences: readonly KnownDifference[] = [
  {
    what: "rows of the same millisecond, of several sensors",
    why: "InfluxDB gives them in the order of its heaps, which changes with the query; the embedded store in the order of their tags. What depends on it (`LIMIT`, `first` over several sensors at once) differs with it",
    queries: ["SELECT vehicles FROM moment LIMIT 2"],
  },
  {
    what: "`mode` where several values are equally frequent, and the time and the row of a `percentile` that several rows have",
    why: "InfluxDB takes one as its sorting leaves them; the embedded store the earliest",
    queries: [
      `SELECT mode(vehicles) FROM road WHERE ${within} GROUP BY sensor`,
      `SELECT mode(vehicles) FROM road WHERE ${within} GROUP BY municipality, district`,
      `SELECT mode(vehicles) FROM road WHERE ${within} GROUP BY time(6h)`,
      `SELECT mode(vehicles) FROM road WHERE ${within} GROUP BY time(4h), municipality`,
      `SELECT mode(speed) FROM road WHERE ${within} GROUP BY sensor`,
      `SELECT mode(speed) FROM road WHERE ${within} GROUP BY municipality, district`,
      `SELECT mode(speed) FROM road WHERE ${within} GROUP BY time(6h)`,
      `SELECT mode(flow) FROM water WHERE ${within} GROUP BY *`,
      `SELECT mode(flow) FROM water WHERE ${within} GROUP BY time(1d), sensor`,
      `SELECT percentile(speed, 95) FROM road WHERE ${within} GROUP BY sensor`,
      `SELECT percentile(speed, 95) FROM road WHERE ${within} GROUP BY municipality, district`,
      `SELECT percentile(vehicles, 50) FROM road WHERE ${within}`,
      `SELECT percentile(vehicles, 50) FROM road WHERE ${within} GROUP BY sensor`,
      `SELECT percentile(vehicles, 50) FROM road WHERE ${within} GROUP BY municipality, district`,
      "SELECT percentile(vehicles, 50) FROM road",
      "SELECT percentile(speed, 95) FROM road",
      `SELECT percentile(flow, 90) FROM water WHERE ${within}`,
      `SELECT percentile(flow, 90) FROM water WHERE ${within} GROUP BY *`,
    ],
  },
  {
    what: "`OFFSET` without `LIMIT`, of rows",
    why: "InfluxDB then gives a single row of each of its shards; the embedded store all that follow",
    queries: ["SELECT speed FROM road WHERE sensor = 'tf-4' OFFSET 5"],
  },
  {
    what: "`LIMIT` with `top` and `bottom`",
    why: "InfluxDB stops reading rows there, and misses larger ones; the embedded store counts what was found",
    queries: [`SELECT bottom(speed, 1) FROM road WHERE ${within} LIMIT 3`],
  },
  {
    what: "the series of `integral`",
    why: "InfluxDB gives them in no order, and in pieces",
    queries: [
      "SELECT integral(total) FROM water GROUP BY sensor",
      `SELECT integral(vehicles, 1h) FROM road WHERE ${within} GROUP BY time(4h), municipality`,
    ],
  },
  {
    what: "`abs` of negative integers",
    why: "InfluxDB 1.6 leaves them negative",
    queries: ["SELECT abs(vehicles) FROM road WHERE vehicles < 0"],
  },
  {
    what: "infinite values",
    why: "JSON has no word for them: InfluxDB answers with an error that is no JSON, the embedded store with null",
    queries: unsayable,
  },
  {
    what: "`fill(number)` beside a picked row's texts and booleans",
    why: "InfluxDB puts the number into their columns; the embedded store null, as a column has one type",
    queries: [
      "SELECT max(speed), sensor FROM road WHERE sensor = 'tf-2' AND time >= '2026-03-28T03:00:00Z' AND time < '2026-03-28T21:00:00Z' GROUP BY time(3h) fill(3.5)",
    ],
  },
  {
    what: "`fill(…)` in a sub-query that groups by tags",
    why: "InfluxDB begins the windows around it anew with each series, so that times come several times; the embedded store gives each once",
    queries: [
      `SELECT sum(m) FROM (SELECT mean(speed) AS m FROM road GROUP BY time(3h), sensor fill(previous)) WHERE ${within} GROUP BY time(12h) fill(none)`,
    ],
  },
  {
    what: "one window around a sub-query's windows that begin before the range",
    why: "InfluxDB finds nothing; the embedded store takes what is in them",
    queries: [
      "SELECT max(m) FROM (SELECT mean(speed) AS m FROM road GROUP BY time(5h)) WHERE time >= '2026-03-28T07:13:21Z' AND time < '2026-03-30T00:00:00Z'",
      `SELECT max(m) FROM (SELECT mean(speed) AS m FROM road GROUP BY time(1d) tz('Europe/Berlin')) WHERE ${within}`,
    ],
  },
  {
    what: "functions of sequences over `percentile`, where a series has windows with too few values for one",
    why: "InfluxDB leaves out that series, and those after it",
    queries: [
      "SELECT difference(percentile(speed, 25)) FROM road WHERE time >= '2026-03-30T03:00:00Z' AND time < '2026-03-31T00:00:00Z' GROUP BY time(12h), role ORDER BY time DESC tz('Asia/Qatar')",
    ],
  },
  {
    what: "functions of arithmetic in `WHERE`: `abs(speed - 50) < 3`",
    why: "InfluxDB then finds nothing; of a field alone both work",
    queries: [
      "SELECT speed FROM road WHERE abs(speed - 50) < 3",
      "SELECT speed FROM road WHERE round(speed / 10) = 5",
    ],
  },
  {
    what: "durations in `SHOW RETENTION POLICIES`",
    why: "shards are InfluxDB's own, and how long rows stay is the platform's configuration",
    queries: ["SHOW RETENTION POLICIES"],
  },
  {
    what: "`SHOW SERIES EXACT CARDINALITY`",
    why: "InfluxDB counts a series once for each of its shards",
    queries: ["SHOW SERIES EXACT CARDINALITY"],
  },
  {
    what: "`mean(tag)` and the like",
    why: "InfluxDB answers nothing; the embedded store says that it is a tag",
    queries: ["SELECT mean(sensor) FROM road"],
  },
  {
    what: "forms that later versions of InfluxDB take, and 1.6 does not",
    why: "`SHOW TAG KEYS WITH KEY`, and a time as the offset of `time()`",
    queries: [
      "SHOW TAG KEYS FROM road WITH KEY = sensor",
      "SHOW TAG KEYS FROM road WITH KEY IN (sensor, role, nothing)",
      "SHOW TAG KEYS WITH KEY =~ /s/",
      `SELECT count(speed) FROM road WHERE ${within} GROUP BY time(1d, '2026-01-01T05:00:00Z')`,
    ],
  },
];
