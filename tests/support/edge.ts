import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "yaml";
import { openOutboxFile } from "#edge-agent/outbox-file.ts";
import { type Program, startProgram } from "./program.ts";

interface Ready {
  readonly agents: readonly {
    readonly inputs: readonly { readonly type: string; readonly address: string }[];
  }[];
}

/** `marsad edge` with one agent as a process of the test's own. */
export interface Edge extends Program<Ready> {
  /** HOST:PORT of its TCP input. */
  readonly input: string;
}

export interface EdgeOptions {
  /** Of the test; configuration, outbox, log and ready file go below it. */
  readonly folder: string;
  readonly gateway: string;
  readonly agency: string;
  readonly password: string;
  readonly mqttPort: number;
  /** Ids of the sensors behind it. */
  readonly sensors: readonly string[];
  /** Further settings. */
  readonly settings?: object;
  readonly env?: Readonly<Record<string, string>>;
  /** Options of Node itself. */
  readonly nodeOptions?: readonly string[];
}

/** The same folder again is the same agent. It says nothing of itself, so that the ledger counts the test's readings alone. */
export async function startEdge(options: EdgeOptions): Promise<Edge> {
  const { folder, gateway, agency, password, mqttPort, sensors, settings, env, nodeOptions } = options;
  const config = join(folder, `${gateway}.yaml`);
  const document = {
    agency,
    gateway,
    place: "QA-DA",
    mqtt: `mqtt://127.0.0.1:${mqttPort}`,
    password,
    inputs: [{ type: "lines", listen: "tcp://127.0.0.1:0" }],
    sensors: sensors.map((id) => ({ id, place: "QA-DA" })),
    batch: { max_age_ms: 50 },
    reconnect: { min_ms: 50, max_ms: 500 },
    health_period_s: 86_400,
    ...settings,
  };
  await writeFile(config, stringify(document));
  const edge = await startProgram<Ready>({
    args: ["edge", "--config", config, "--data", edgeData(folder)],
    folder,
    name: "edge",
    ...(env && { env }),
    ...(nodeOptions && { nodeOptions }),
  });
  const input = edge.ready.agents[0]?.inputs[0]?.address;
  if (input === undefined) throw new Error("the agent has no input");
  return { ...edge, input };
}

/** The outboxes' folder: an agent's is in GATEWAY below it. */
export function edgeData(folder: string): string {
  return join(folder, "edge");
}

/** How many readings the outbox has ever committed, as the disk has it while no agent runs. */
export function committedReadings(folder: string, gateway: string): number {
  const path = join(edgeData(folder), gateway, "outbox");
  using outbox = openOutboxFile({ path, maxLiveBytes: 2 ** 30, maxFileBytes: 2 ** 30 });
  return outbox.state.nextNumber;
}
