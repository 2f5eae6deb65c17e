import { z } from "zod";
import type { SeriesEntry } from "#telemetry/series.ts";
import type { ReadingQuery } from "#store/port.ts";
import { Instant } from "./instant.ts";
import { nearest } from "./nearest.ts";
import { ProblemError } from "./problem.ts";

const HOUR_MS = 3_600_000;

export const ReadingParameters = z.strictObject({
  measurement: z
    .string()
    .min(1)
    .max(64)
    .meta({ description: "The measurement's name.", examples: ["traffic_flow"] }),
  sensor: z
    .union([z.string(), z.array(z.string()).max(1_000)])
    .transform((sensors) => (typeof sensors === "string" ? [sensors] : sensors))
    .optional()
    .meta({ description: "A sensor's id; may be repeated. Left out: every sensor of the measurement." }),
  agency: z
    .string()
    .optional()
    .meta({ description: "Needed when two agencies have sensors of the same id." }),
  from: Instant.optional().meta({
    description:
      "First instant, inclusive: RFC 3339 or milliseconds since 1970. Left out: an hour before `to`.",
    examples: ["2026-01-31T08:00:00+03:00"],
  }),
  to: Instant.optional().meta({
    description: "Last instant, exclusive: RFC 3339 or milliseconds since 1970. Left out: now.",
  }),
  limit: z.coerce.number().int().min(1).max(100_000).default(1_000),
  order: z.enum(["asc", "desc"]).default("asc").meta({ description: "By time." }),
  format: z
    .enum(["json", "csv"])
    .optional()
    .meta({ description: "Left out: CSV for `Accept: text/csv`, else JSON." }),
});
export type ReadingParameters = z.infer<typeof ReadingParameters>;

export interface PlannedQuery {
  readonly query: ReadingQuery;
  /** The series that are asked for, by number; empty: none exists yet. */
  readonly series: ReadonlyMap<number, SeriesEntry>;
}

/**
 * What to ask of the store, and whose readings the answer's series numbers are.
 * @param series  All there are; with sensors' ids, theirs are enough.
 * @param known  Names of the catalogue's measurements.
 * @throws ProblemError for a measurement or sensor that does not exist, or one that two agencies have.
 */
export function planReadings(
  parameters: ReadingParameters,
  series: (sensors?: readonly string[]) => readonly SeriesEntry[],
  known: readonly string[],
  now: number,
): PlannedQuery {
  const { measurement, agency, limit, order } = parameters;
  const sensors = parameters.sensor && [...new Set(parameters.sensor)];
  const to = parameters.to ?? now;
  const from = parameters.from ?? to - HOUR_MS;
  if (from >= to) throw new ProblemError(400, "bad-request", "`from` must be earlier than `to`.");

  const isAskedFor = (entry: SeriesEntry): boolean =>
    entry.measurement === measurement && (agency === undefined || entry.agency === agency);
  const candidates = series(sensors).filter(isAskedFor);
  if (candidates.length === 0 && !known.includes(measurement)) {
    const measurements = new Set(series().map((entry) => entry.measurement));
    if (!measurements.has(measurement))
      throw unknownName("unknown-measurement", "measurement", measurement, [...known, ...measurements]);
  }
  const missing = (sensor: string): ProblemError => {
    const dictionary = series();
    const others = new Set(dictionary.filter(isAskedFor).map((entry) => entry.sensor));
    return missingSensor(sensor, others, dictionary, measurement);
  };
  const chosen = sensors ? chooseSensors(sensors, candidates, missing) : candidates;
  return {
    query: { measurement, series: chosen.map((entry) => entry.series), from, to, limit, order },
    series: new Map(chosen.map((entry) => [entry.series, entry])),
  };
}

function chooseSensors(
  sensors: readonly string[],
  candidates: readonly SeriesEntry[],
  missing: (sensor: string) => ProblemError,
): SeriesEntry[] {
  const bySensor = Map.groupBy(candidates, (entry) => entry.sensor);
  return sensors.map((sensor) => {
    const found = bySensor.get(sensor) ?? [];
    const [entry] = found;
    if (!entry) throw missing(sensor);
    if (found.length > 1) {
      const agencies = found.map((one) => one.agency).join(", ");
      throw new ProblemError(
        400,
        "ambiguous-sensor",
        `Sensor "${sensor}" exists in ${agencies}: say which with agency=.`,
      );
    }
    return entry;
  });
}

function missingSensor(
  sensor: string,
  candidates: Iterable<string>,
  dictionary: readonly SeriesEntry[],
  measurement: string,
): ProblemError {
  const elsewhere = new Set(
    dictionary
      .filter((entry) => entry.sensor === sensor)
      .map((entry) => `${entry.agency}'s ${entry.measurement}`),
  );
  if (elsewhere.size === 0) return unknownName("unknown-sensor", "sensor", sensor, candidates);
  return new ProblemError(
    404,
    "unknown-sensor",
    `Sensor "${sensor}" has no ${measurement} here; it has ${[...elsewhere].join(", ")}.`,
  );
}

/** A 404 that offers the names that do exist. */
export function unknownName(
  code: "unknown-measurement" | "unknown-sensor" | "unknown-gateway",
  what: string,
  wanted: string,
  names: Iterable<string>,
): ProblemError {
  const near = nearest(wanted, names);
  const hint = near.length > 0 ? ` Did you mean ${near.join(", ")}?` : "";
  return new ProblemError(404, code, `There is no ${what} "${wanted.slice(0, 64)}".${hint}`, {
    nearest: near,
  });
}
