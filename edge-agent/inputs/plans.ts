import { MarsadError } from "#runtime/errors.ts";
import type { Catalogue } from "#telemetry/catalogue.ts";
import type { EdgeAgentConfig } from "../config.ts";
import type { FieldPlan } from "./field-plan.ts";
import { type DevicePlan, planDevice } from "./modbus/device-plan.ts";
import type { MqttInput } from "./mqtt/config.ts";
import { type TopicPlan, planTopics } from "./mqtt/topic-plan.ts";

/** What the inputs do, settled against the catalogue. */
export interface InputPlans {
  /** Models of Modbus devices by the name of their map. */
  readonly devices: ReadonlyMap<string, DevicePlan>;
  readonly topics: ReadonlyMap<MqttInput, readonly TopicPlan[]>;
}

/** No value is spelled longer: `-1.2345678901234567e-308`. */
const VALUE_BYTES = 24;
const SENSOR_BYTES = 64;
const TIME_BYTES = 2 + VALUE_BYTES;
/** Of line protocol in a local broker's messages. */
const SENT_LINE_BYTES = 4096;

/**
 * Are the register maps and topics of a configuration ones that the catalogue knows?
 * @throws MarsadError CONFIG_INVALID, with every wrong key and what would be right
 */
export function planInputs(config: EdgeAgentConfig, catalogue: Catalogue): InputPlans {
  const problems: string[] = [];
  const devices = new Map<string, DevicePlan>();
  for (const [name, map] of Object.entries(config.register_maps)) {
    const planned = planDevice(map, catalogue);
    if (planned.ok) devices.set(name, planned.plan);
    else problems.push(...planned.problems.map((problem) => `register_maps.${name}.${problem}`));
  }
  const topics = new Map<MqttInput, readonly TopicPlan[]>();
  for (const [at, input] of config.inputs.entries()) {
    if (input.type !== "mqtt") continue;
    const planned = planTopics(input.topics, catalogue);
    if (planned.ok) topics.set(input, planned.plan);
    else problems.push(...planned.problems.map((problem) => `inputs[${at}].${problem}`));
  }
  const plans: InputPlans = { devices, topics };
  if (problems.length === 0) {
    const longest = Math.max(...config.inputs.map((input) => longestLineOf(input, plans)));
    if (2 * longest > config.batch.max_bytes)
      problems.push(`batch.max_bytes: must be at least ${2 * longest}, twice the longest line of the inputs`);
  }
  if (problems.length > 0) throw new MarsadError("CONFIG_INVALID", problems.join("\n"));
  return plans;
}

/** Bytes of the longest line that an input may take. */
export function longestLineOf(
  input: EdgeAgentConfig["inputs"][number],
  { devices, topics }: InputPlans,
): number {
  if (input.type === "lines") return input.max_line_bytes;
  const measured =
    input.type === "modbus"
      ? input.devices.map(({ map }) => devices.get(map)!)
      : topics.get(input)!.map((topic) => (topic.format === "lines" ? undefined : topic));
  return Math.max(...measured.map((plan) => (plan === undefined ? SENT_LINE_BYTES : lineBytes(plan))));
}

function lineBytes({
  measurement,
  fields,
}: Pick<DevicePlan, "measurement"> & { readonly fields: readonly FieldPlan[] }): number {
  const key = measurement.name.length + ",sensor=".length + SENSOR_BYTES;
  return fields.reduce((bytes, { field }) => bytes + field.name.length + 2 + VALUE_BYTES, key + TIME_BYTES);
}
