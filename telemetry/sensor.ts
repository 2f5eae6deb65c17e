import { z } from "zod";
import { Range } from "./catalogue.ts";
import type { Field } from "./catalogue.ts";
import { commodityNames } from "./commodities.ts";
import { findPlace, unknownPlace } from "./places.ts";

/** What a sensor's readings stand for. Sums that would mix roles are refused. */
export const roles = [
  "source", // water or energy enters the network: desalination, a power station, an interconnector
  "transfer", // passes from one part of the network to another
  "dma_in", // into a district meter area
  "dma_out", // out of one
  "customer", // what a customer takes
  "feeder", // an electrical feeder: several customers
  "generator", // produces electricity
  "storage", // a tank, reservoir, battery, cold store or warehouse
  "detector", // counts or watches traffic at a point
  "corridor", // times a stretch of road
  "venue", // at a venue with events
  "station", // weather and air
  "quality", // watches quality, of water for one
  "gateway", // the gateway itself
] as const;
export type Role = (typeof roles)[number];

/** Free text that becomes a tag: short, no control characters, no leading or trailing blanks. */
const Label = z
  .string()
  .regex(
    /^[^\s\p{C}](?:[^\p{C}]{0,62}[^\s\p{C}])?$/u,
    "1 to 64 characters, no control characters, no blanks at its ends",
  );

/**
 * What the registry knows of a sensor, beside its id. `place` may be given as code, name or alias; parsed, it is a code.
 * Numbers carry their unit in their name.
 */
export const SensorAttributes = z.strictObject({
  place: z
    .string()
    .refine((text) => findPlace(text) !== undefined, {
      abort: true,
      error: ({ input }) => unknownPlace(String(input)),
    })
    .overwrite((text) => findPlace(text)?.code ?? text)
    .meta({ description: "A municipality's or district's code, name or alias." }),
  site: Label.optional().meta({ description: "The building, plant or junction it stands at." }),
  position: z
    .tuple([z.number().min(-180).max(180), z.number().min(-90).max(90)])
    .optional()
    .meta({ description: "Longitude and latitude, WGS 84.", unit: "deg" }),
  role: z.enum(roles).optional(),
  dma: Label.optional().meta({ description: "District meter area." }),
  corridor: Label.optional().meta({ description: "The stretch of road it belongs to." }),
  corridor_length_m: z.number().positive().optional().meta({ unit: "m" }),
  lane: Label.optional(),
  commodity: z.enum(commodityNames).optional().meta({ description: "What a store holds." }),
  window_s: z
    .number()
    .positive()
    .optional()
    .meta({ unit: "s", description: "The window that its deltas cover." }),
  period_s: z.number().positive().optional().meta({ unit: "s", description: "How often it should speak." }),
  capacity_m3: z.number().positive().optional().meta({ unit: "m3" }),
  nominal_v: z.number().positive().optional().meta({ unit: "V" }),
  limits: z
    .record(z.string().regex(/^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$/, "measurement.field"), Range)
    .optional()
    .meta({
      description: "Bounds of good operation by `measurement.field`, as [lowest, highest]; null = no bound.",
    }),
  senml: z
    .record(
      z
        .string()
        .max(255)
        .regex(
          /^[-A-Za-z0-9:./_]*(?:\[[^\s[\]]{0,32}\])?$/,
          "what follows the sensor's id in a name, and [unit]",
        ),
      z.string().regex(/^[a-z][a-z0-9_]{0,62}\.[a-z][a-z0-9_]{0,62}$/, "measurement.field"),
    )
    .refine((names) => Object.keys(names).length <= 64, "at most 64 names")
    .optional()
    .meta({
      description:
        "What its device calls its fields in SenML: what follows the sensor's id in a name, with [unit] where that tells them apart, as `measurement.field`.",
    }),
});
export type SensorAttributes = z.infer<typeof SensorAttributes>;

/** The plausible range of a sensor's field: the catalogue's, or around the sensor's own nominal value. Null = no bound. */
export function plausibleRange(field: Field, sensor: SensorAttributes | undefined): Range {
  const around = field.plausible_around;
  const nominal = around && sensor?.[around.attribute];
  if (around === undefined || nominal === undefined) return field.plausible;
  return [nominal * (1 - around.share), nominal * (1 + around.share)];
}
