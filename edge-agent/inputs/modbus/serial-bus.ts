import type RTUBufferedPort from "modbus-serial/ports/rtubufferedport.js";
import { MarsadError } from "#runtime/errors.ts";
import { FrameBus, type OpenedBus } from "./bus.ts";
import type { ModbusInput } from "./config.ts";

type SerialSettings = NonNullable<ModbusInput["serial"]>;

/** Start, eight data bits, parity or a second stop bit, stop. */
const BITS_PER_CHARACTER = 11;
/** Modbus over Serial Line 1.02, 2.5.1.1: frames are 3.5 characters apart, above 19200 Bd 1.75 ms. */
const SILENT_CHARACTERS = 3.5;
const SHORTEST_SILENCE = 1.75;

/** No frame of a serial line has a number. */
const UNNUMBERED = 0;

/** @throws MarsadError CONFIG_INVALID when this machine has no serialport package */
export async function openSerialBus(path: string, serial: SerialSettings): Promise<OpenedBus> {
  const SerialLine = await loadSerialPort();
  const { baud_rate: baudRate, parity, data_bits: dataBits, stop_bits: stopBits } = serial;
  const line = new SerialLine(path, { baudRate, parity, dataBits, stopBits });
  const problem = await new Promise<Error | null | undefined>((resolve) => line.open(resolve));
  const bus = new FrameBus({
    pause: Math.max(SHORTEST_SILENCE, (SILENT_CHARACTERS * BITS_PER_CHARACTER * 1000) / baudRate),
    send: (request) => {
      line._buffer = Buffer.alloc(0); // noise, or the rest of a late answer
      line.write(request);
      return UNNUMBERED;
    },
    close: () => new Promise((resolve) => (line.isOpen ? line.close(() => resolve()) : resolve())),
  });
  if (problem) return { ok: false, detail: problem.message };
  line.on("error", ({ message }: Error) => bus.ended(message));
  line.on("close", () => bus.ended("the serial line is gone"));
  line.on("data", (frame: Buffer) => bus.received(frame, UNNUMBERED));
  return { ok: true, bus };
}

/** Only when a serial line is configured: serialport takes 40 ms and 10 MB, and brings a native module. */
export async function loadSerialPort(): Promise<typeof RTUBufferedPort> {
  try {
    return (await import("modbus-serial/ports/rtubufferedport.js")).default;
  } catch (cause) {
    throw new MarsadError(
      "CONFIG_INVALID",
      "inputs with rtu://… need the package serialport, which is not beside this agent: install it there, or reach the line through a Modbus TCP gateway",
      { cause },
    );
  }
}
