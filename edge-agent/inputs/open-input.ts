import type { Log } from "#runtime/log.ts";
import type { EdgeAgentConfig } from "../config.ts";
import { LineIntake } from "../line-intake.ts";
import type { LineStage } from "../line-stage.ts";
import { type Input, type InputTarget, parseListenAddress } from "./input.ts";
import { openModbusInput } from "./modbus/open-modbus-input.ts";
import { openMqttInput } from "./mqtt/open-mqtt-input.ts";
import { type InputPlans, longestLineOf } from "./plans.ts";
import { openTcpLines } from "./tcp-lines.ts";
import { openUdpLines } from "./udp-lines.ts";

/** An open input and what has come through it. */
export interface OpenInput {
  readonly input: Input;
  readonly intake: LineIntake;
}

export interface InputContext {
  readonly config: EdgeAgentConfig;
  readonly plans: InputPlans;
  readonly log: Log;
}

type InputSettings = EdgeAgentConfig["inputs"][number];

/** Opens one configured input, which puts its lines into `stage`. @throws MarsadError `ADDRESS_IN_USE`, `CONFIG_INVALID` */
export async function openInput(
  settings: InputSettings,
  stage: LineStage,
  target: InputTarget,
  context: InputContext,
): Promise<OpenInput> {
  const intake = new LineIntake(stage, longestLineOf(settings, context.plans));
  return { input: await open(settings, intake, target, context), intake };
}

async function open(
  settings: InputSettings,
  intake: LineIntake,
  target: InputTarget,
  context: InputContext,
): Promise<Input> {
  if (settings.type === "modbus") return openModbusInput(settings, intake, target, context);
  if (settings.type === "mqtt") return openMqttInput(settings, intake, target, context);
  return openLines(settings, intake, target);
}

/** Listens for lines. @throws MarsadError `ADDRESS_IN_USE` */
export async function openLines(
  settings: Extract<InputSettings, { type: "lines" }>,
  intake: LineIntake,
  target: InputTarget,
): Promise<Input> {
  const address = parseListenAddress(settings.listen);
  if (address === undefined) throw new TypeError(`unchecked configuration: ${settings.listen}`);
  const limits = { maxLineBytes: settings.max_line_bytes, maxConnections: settings.max_connections };
  return address.protocol === "tcp"
    ? openTcpLines(address, intake, target, limits)
    : openUdpLines(address, intake, target);
}
