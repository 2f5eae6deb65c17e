import { z } from "zod";
import { GatewayName } from "#telemetry/names.ts";
import { faultKinds, usualFaultKinds } from "./faults/fault.ts";
import { demoFaultsPerDay, type FaultWishes } from "./faults/plan.ts";

const AddressText = z
  .string()
  .regex(/^(?:\[[0-9a-fA-F:.]+\]|[^\s:[\]]+):[1-9]\d{0,4}$/, "HOST:PORT, such as 127.0.0.1:7001");

const ListenText = z
  .string()
  .regex(
    /^(?:\[[0-9a-fA-F:.]+\]|[^\s:[\]]+):\d{1,5}$/,
    "HOST:PORT, such as 127.0.0.1:5020; port 0 is any free one",
  );

/** A YAML `0` is a number, and a duration all the same. */
const Duration = z.coerce
  .string()
  .regex(/^(?:0|\d{1,9}(?:\.\d{1,3})?(?:ms|s|m|h|d|w))$/, "a duration such as 30d, 12h, 90m, 10s or 0");
const PositiveDuration = Duration.refine((text) => Number.parseFloat(text) > 0, "a duration above 0");

/** Everything that `marsad sim` can be told about its city. Durations are text: `30d`, `10s`. */
export const SimConfig = z.strictObject({
  data: z.string().min(1).default("marsad-sim").meta({
    env: "MARSAD_SIM_DATA",
    description: "Folder of the city's saved state; a restart goes on from it.",
  }),
  sensors: z
    .int()
    .min(1)
    .max(100_000)
    .default(300)
    .meta({ env: "MARSAD_SENSORS", description: "How many virtual sensors." }),
  seed: z
    .int()
    .min(0)
    .max(2 ** 31 - 1)
    .default(1)
    .meta({ env: "MARSAD_SEED", description: "Which city: equal seeds make equal cities and values." }),
  history: Duration.default("30d").meta({
    env: "MARSAD_HISTORY",
    description: "How far back the first start begins, and at most how much a restart fills.",
  }),
  step: PositiveDuration.default("1m").meta({ description: "Between a sensor's readings in history." }),
  live_period: PositiveDuration.default("10s").meta({ description: "Between a sensor's live readings." }),
  faults: z.coerce
    .string()
    .regex(/^(?:off|demo|\d{1,4}(?:\.\d{1,3})?)$/, "off, demo, or how many a day, such as 2.5")
    .default("demo")
    .meta({
      env: "MARSAD_SIM_FAULTS",
      description: "How many faults a day strike the city; demo: six a week among 300 sensors.",
    }),
  fault_kinds: z
    .array(z.enum(faultKinds))
    .min(1)
    .default([...usualFaultKinds])
    .meta({ description: "Which faults may come. A gateway-swap needs an operator who moves the sensors." }),
  labels: z.string().min(1).optional().meta({
    env: "MARSAD_SIM_LABELS",
    description:
      "File that gets a line of JSON for each fault that has begun: docs/messages/fault-label.json.",
  }),
  to: AddressText.optional().meta({
    env: "MARSAD_SIM_TO",
    description: "HOST:PORT of an agent's line input, for every gateway that `targets` does not name.",
  }),
  targets: z
    .record(GatewayName, AddressText)
    .or(z.array(z.strictObject({ gateway: GatewayName, address: AddressText })))
    .default({})
    .meta({
      description:
        "Agents' line inputs by gateway: `gw-water-1: 127.0.0.1:7001`, or a list of gateway and address.",
    }),
  modbus: ListenText.or(z.record(GatewayName, ListenText.or(z.array(ListenText).min(1))))
    .optional()
    .meta({
      env: "MARSAD_SIM_MODBUS",
      description:
        "Meters and tanks are Modbus TCP devices while live, from this HOST:PORT on: a port a gateway, a further one beyond 247 devices. " +
        "Or ports by gateway; one that is not named sends lines, as all do without this.",
    }),
  modbus_memory: z.int().min(2).max(10_000).default(120).meta({
    description: "Rows that a Modbus device keeps for an agent that is away; then the oldest is overwritten.",
  }),
});
export type SimConfig = z.infer<typeof SimConfig>;

/** What a configuration wishes to go wrong in its city; undefined: nothing. */
export function faultWishes({
  faults,
  fault_kinds: kinds,
  sensors,
}: Pick<SimConfig, "faults" | "fault_kinds" | "sensors">): FaultWishes | undefined {
  if (faults === "off") return undefined;
  return { perDay: faults === "demo" ? demoFaultsPerDay(sensors) : Number(faults), kinds };
}
