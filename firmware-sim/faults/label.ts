import { z } from "zod";
import { faultKinds, type Fault } from "./fault.ts";

/** One line of the label file: what a fault does to the sensors of one measurement. A cause with several effects has a line for each. */
export const FaultLabel = z.strictObject({
  cause: z.string().meta({ description: "The same in all lines of one cause: `2026-07-05/2`." }),
  kind: z.enum(faultKinds),
  target: z.string().meta({
    description: "What it strikes, by name: an area, a corridor, a substation, a sensor, or a gateway.",
  }),
  measurement: z.string(),
  sensors: z.array(z.string()).min(1),
  fields: z.array(z.string()).min(1).meta({ description: "The fields that it touches." }),
  from: z.iso.datetime({ precision: 3 }),
  to: z.iso.datetime({ precision: 3 }).meta({
    description:
      "It holds from `from` and no longer at `to`, as planned. What it did to the city takes its time to pass: a store cools down, a tank fills.",
  }),
  magnitude: z.number().meta({
    description:
      "leak: flow lost; congestion: share of capacity lost; spike, and drift at its end: added to the first field; clock-skew: added to the time; " +
      "stuck: 0; all others: 1, the whole of it.",
  }),
  unit: z.string().meta({ description: "UCUM, of the magnitude." }),
  through: z.string().optional().meta({ description: "gateway-swap: the gateway that they speak through." }),
});
export type FaultLabel = z.infer<typeof FaultLabel>;

export function labelsOf({ effects, from, to, ...fault }: Fault): FaultLabel[] {
  return effects.map(({ measurement, sensors, fields }) => ({
    cause: fault.cause,
    kind: fault.kind,
    target: fault.target,
    measurement,
    sensors: [...sensors],
    fields: [...fields],
    from: new Date(from).toISOString(),
    to: new Date(to).toISOString(),
    magnitude: fault.magnitude,
    unit: fault.unit,
    ...(fault.through !== undefined && { through: fault.through }),
  }));
}
