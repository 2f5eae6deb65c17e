import type { Log } from "#runtime/log.ts";
import type { EdgeAgentConfig } from "../../config.ts";
import type { LineIntake } from "../../line-intake.ts";
import type { Input, InputTarget } from "../input.ts";
import type { InputPlans } from "../plans.ts";
import { parseModbusAddress } from "./address.ts";
import type { OpenedBus } from "./bus.ts";
import type { ModbusInput } from "./config.ts";
import { BusPoller } from "./poller.ts";
import { loadSerialPort, openSerialBus } from "./serial-bus.ts";
import { openTcpBus } from "./tcp-bus.ts";

interface Context {
  readonly config: EdgeAgentConfig;
  readonly plans: InputPlans;
  readonly log: Log;
}

/** Begins to read the devices of one bus; it does not wait for them. @throws MarsadError CONFIG_INVALID */
export async function openModbusInput(
  input: ModbusInput,
  intake: LineIntake,
  target: InputTarget,
  { config, plans, log }: Context,
): Promise<Input> {
  if (parseModbusAddress(input.connect)?.protocol === "rtu") await loadSerialPort();
  const poller = new BusPoller(
    {
      connect: input.connect,
      devices: input.devices.map((device) => ({
        device,
        plan: plans.devices.get(device.map)!,
        period: device.poll_ms ?? input.poll_ms,
      })),
      timeout: input.timeout_ms,
      reconnect: { min: config.reconnect.min_ms, max: config.reconnect.max_ms },
      open: (signal) => openBus(input, signal),
      log,
    },
    intake,
    target,
  );
  poller.start();
  return poller;
}

/** A new connection to the bus of an input. */
export async function openBus({ connect, serial }: ModbusInput, signal: AbortSignal): Promise<OpenedBus> {
  const address = parseModbusAddress(connect);
  if (address === undefined) throw new TypeError(`unchecked configuration: ${connect}`);
  if (address.protocol === "tcp") return openTcpBus(address, signal);
  return openSerialBus(address.path, serial ?? standardLine);
}

const standardLine = { baud_rate: 9600, parity: "none", data_bits: 8, stop_bits: 1 } as const;
