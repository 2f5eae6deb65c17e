import { loadCatalogue } from "../catalogue.ts";
import type { EdgeAgentConfig } from "../config.ts";
import { longestLineOf, planInputs } from "../inputs/plans.ts";
import { checkLines } from "./check-lines.ts";
import { checkModbus } from "./check-modbus.ts";
import { checkMqtt } from "./check-mqtt.ts";
import { LineCollector } from "./line-collector.ts";
import type { CheckReport, CheckedInput } from "./report.ts";

export type { CheckProblem, CheckReport, CheckedValue } from "./report.ts";

export interface CheckOptions {
  /** Milliseconds to listen for lines and messages. */
  readonly listen: number;
  readonly signal: AbortSignal;
}

/**
 * Reads every input of a configuration once, all at the same time. It sends nothing and opens no outbox, so it may run beside the agent.
 * @throws MarsadError CONFIG_INVALID
 */
export async function checkInputs(
  config: EdgeAgentConfig,
  { listen, signal }: CheckOptions,
): Promise<CheckReport> {
  const catalogue = await loadCatalogue(config.catalogue);
  const plans = planInputs(config, catalogue);
  const { sensors } = config;
  const checked = await Promise.all(
    config.inputs.map((input, at): Promise<CheckedInput> => {
      const name = `inputs[${at}] ${input.type === "lines" ? input.listen : input.connect}`;
      if (input.type === "modbus") return checkModbus({ input, name, plans, sensors, signal });
      const collector = new LineCollector(catalogue, sensors, longestLineOf(input, plans));
      const common = { name, collector, listen, signal };
      return input.type === "mqtt"
        ? checkMqtt({ ...common, input, plans })
        : checkLines({ ...common, input });
    }),
  );
  const values = checked.flatMap((found) => found.values);
  const announced = new Set(sensors.map(({ id }) => id));
  const unknown = [...new Set(values.map(({ sensor }) => sensor))].filter((sensor) => !announced.has(sensor));
  const notes = checked.flatMap((found) => found.notes);
  if (unknown.length > 0)
    notes.push(
      `not in \`sensors\`: ${unknown.slice(0, 20).join(", ")}${unknown.length > 20 ? ", …" : ""}; their readings wait at the platform until somebody announces them`,
    );
  return { gateway: config.gateway, values, problems: checked.flatMap((found) => found.problems), notes };
}
