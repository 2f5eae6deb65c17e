import { MarsadError } from "#runtime/errors.ts";
import type { EdgeAgentConfig } from "../config.ts";
import { LineIntake } from "../line-intake.ts";
import type { LineStage } from "../line-stage.ts";
import { type Input, type InputTarget, parseListenAddress } from "./input.ts";
import { openTcpLines } from "./tcp-lines.ts";
import { openUdpLines } from "./udp-lines.ts";

/** An open input and what has come through it. */
export interface OpenInput {
  readonly input: Input;
  readonly intake: LineIntake;
}

/** Opens one configured input, which puts its lines into `stage`. @throws MarsadError `ADDRESS_IN_USE` */
export async function openInput(
  config: EdgeAgentConfig["inputs"][number],
  stage: LineStage,
  target: InputTarget,
): Promise<OpenInput> {
  if (config.type !== "lines")
    throw new MarsadError("CONFIG_INVALID", `inputs of type ${config.type} cannot be read yet`);
  const address = parseListenAddress(config.listen);
  if (address === undefined) throw new TypeError(`unchecked configuration: ${config.listen}`);
  const intake = new LineIntake(stage, config.max_line_bytes);
  const limits = { maxLineBytes: config.max_line_bytes, maxConnections: config.max_connections };
  const input =
    address.protocol === "tcp"
      ? await openTcpLines(address, intake, target, limits)
      : await openUdpLines(address, intake, target);
  return { input, intake };
}
