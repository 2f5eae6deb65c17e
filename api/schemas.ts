import { z } from "zod";
import { jobStates } from "#analytics/jobs/job.ts";
import * as account from "#telemetry/account.ts";
import * as catalogue from "#telemetry/catalogue.ts";
import { reasons } from "#telemetry/rejection.ts";
import * as sensor from "#telemetry/sensor.ts";
import { Problem } from "./problem.ts";

/** The shared model's schemas under the names that OpenAPI's components have. */
export const GatewayAccount = account.GatewayAccount.meta({ id: "GatewayAccount" });
export const DeadLetter = account.DeadLetter.meta({ id: "DeadLetter" });
const Measurement = catalogue.Measurement.meta({ id: "Measurement" });
const SensorAttributes = sensor.SensorAttributes.meta({ id: "SensorAttributes" });
const Time = z.iso.datetime().meta({ id: "Time", description: "RFC 3339 in UTC, with milliseconds." });

const count = z.int().nonnegative();

const Part = z.object({
  name: z.enum(["broker", "journal", "registry", "store"]),
  ok: z.boolean(),
  why: z.string().optional().meta({ description: "One sentence, when not ok." }),
});

export const Health = z.object({ ready: z.boolean(), parts: z.array(Part) });
export type Health = z.infer<typeof Health>;

export const NotReady = Problem.extend({ ready: z.literal(false), parts: z.array(Part) });

export const Totals = z
  .object({
    received: count,
    stored: count,
    duplicate: count,
    refused: count,
    waiting: count.meta({ description: "Now: readings of unknown sensors, kept until a birth." }),
    journal: count.meta({ description: "Now: on the platform's disk, not yet in the store." }),
    missing: count.meta({ description: "Reading numbers below the highest seen that have not arrived." }),
    gateways_connected: count,
  })
  .meta({ description: "Readings since the platform started." });
export type Totals = z.infer<typeof Totals>;

export const Series = z.object({
  series: count,
  measurement: z.string(),
  agency: z.string(),
  sensor: z.string(),
  gateway: z
    .string()
    .nullable()
    .meta({ description: "Who owns the sensor now; null: it left the registry." }),
  attributes: SensorAttributes.nullable().meta({ description: "What the registry says of the sensor now." }),
});
export type Series = z.infer<typeof Series>;

export const SeriesPage = z.object({
  series: z.array(Series),
  next: z.string().nullable().meta({ description: "The next page's `cursor`; null on the last page." }),
});
export type SeriesPage = z.infer<typeof SeriesPage>;

export const Gateways = z.object({ gateways: z.array(GatewayAccount) });
export type Gateways = z.infer<typeof Gateways>;

export const DeadLetters = z.object({ deadletters: z.array(DeadLetter) });
export type DeadLetters = z.infer<typeof DeadLetters>;

export const DeadLetterWithPayload = account.DeadLetter.extend({
  payload: z
    .object({ encoding: z.enum(["utf-8", "base64"]), text: z.string() })
    .nullable()
    .meta({ description: "The refused bytes; null when they are no longer kept." }),
});
export type DeadLetterWithPayload = z.infer<typeof DeadLetterWithPayload>;

export const ReplayFilter = z
  .strictObject({
    id: z.string().optional(),
    gateway: z.string().optional(),
    reason: z.enum(reasons).optional(),
  })
  .meta({ description: "Which dead letters to try; `{}` is all of them." });
export type ReplayFilter = z.infer<typeof ReplayFilter>;

export const Replayed = z.object({ tried: count, accepted: count, refused: count });
export type Replayed = z.infer<typeof Replayed>;

export const CatalogueAnswer = z.object({ measurements: z.array(Measurement) });

/** The times, values and sensors of a query's readings; `api/reading-format.ts` writes it without building it. */
export const Readings = z.object({
  measurement: z.string(),
  from: Time,
  to: Time,
  order: z.enum(["asc", "desc"]),
  truncated: z.boolean().meta({ description: "There are more readings in the range than `limit`." }),
  readings: z.array(
    z
      .object({ time: Time, agency: z.string(), sensor: z.string() })
      .catchall(z.union([z.number(), z.boolean(), z.string()]))
      .meta({ description: "When, whose, and each field that the reading has, by its name." }),
  ),
});
export type Readings = z.infer<typeof Readings>;

const instant = z.number().nullable().meta({ unit: "ms since 1970" });

export const Job = z
  .object({
    name: z.string(),
    state: z
      .enum(jobStates)
      .meta({ description: "`failing`: the last run failed, and it will be tried again." }),
    runs: count.meta({ description: "Since the platform started." }),
    failures: count,
    last_run: instant,
    took_s: z.number().nullable().meta({ unit: "s", description: "The last run that ended well." }),
    next_run: instant.meta({ description: "Null while it runs." }),
    behind: z.number().nullable().meta({
      description: "What it has still to do; of `rollup`: hours of a measurement. Null: it does not say.",
    }),
    last_error: z.object({ at: z.number().meta({ unit: "ms since 1970" }), message: z.string() }).nullable(),
  })
  .meta({ id: "Job" });
export type Job = z.infer<typeof Job>;

export const Jobs = z.object({ jobs: z.array(Job) });
