import { z } from "zod";

/** CONTRACT SKETCH, completed by the owner of telemetry/: what the registry knows of a sensor, beside its id. */
export const SensorAttributes = z.strictObject({
  place: z.string(), // a municipality's or district's code or name; see places.ts
  site: z.string().optional(),
  position: z.tuple([z.number(), z.number()]).optional(), // longitude, latitude
  role: z.string().optional(),
  dma: z.string().optional(),
  corridor: z.string().optional(),
  corridor_length_m: z.number().positive().optional(),
  lane: z.string().optional(),
  commodity: z.string().optional(),
  window_s: z.number().positive().optional(),
  period_s: z.number().positive().optional(),
  capacity_m3: z.number().positive().optional(),
  nominal_v: z.number().positive().optional(),
});
export type SensorAttributes = z.infer<typeof SensorAttributes>;
