import type { ModbusInput } from "../inputs/modbus/config.ts";
import type { Failure } from "../inputs/modbus/frame.ts";

/** What to look at when the devices of a bus cannot be reached. @param detail  The system's words. */
export function unreachableHints({ connect }: ModbusInput, detail: string): string[] {
  if (connect.startsWith("rtu:")) {
    if (/lock|busy|in use/i.test(detail))
      return ["another program has the line, perhaps the running agent: stop it for the check"];
    if (/permission|denied|EACCES/i.test(detail))
      return ["this user may not use the line: add it to the group dialout"];
    return ["is the adapter plugged in? ls -l /dev/serial/by-id shows what there is", "`connect`: the path"];
  }
  return [
    "power, cable and address: does the device answer ping?",
    "`connect`: the port is 502 unless the device's menu says otherwise",
    "is Modbus TCP switched on in the device?",
    "some devices take one connection: stop the running agent for the check",
  ];
}

/** What to look at when a device gives no good answer. */
export function failureHints(input: ModbusInput, unit: number, failure: Failure): string[] {
  if (failure.kind === "lost") return unreachableHints(input, failure.detail);
  if (failure.kind === "refused") return refusedHints(failure.exception ?? 0, unit);
  if (input.connect.startsWith("rtu:")) return serialHints(input, unit, failure.kind);
  if (failure.kind === "garbled") {
    return [
      "does this port speak Modbus TCP, or something else?",
      "`unit`: a gateway may answer for another device",
    ];
  }
  return [
    `\`unit\`: here ${unit}; a device with a network port of its own is often 1 or 255`,
    "behind a gateway: the serial line's wiring, and the gateway's baud rate and parity",
    `\`timeout_ms\`, here ${input.timeout_ms}: a gateway before a serial line may need 3000`,
  ];
}

function serialHints(input: ModbusInput, unit: number, kind: "silent" | "garbled"): string[] {
  const { baud_rate: baud = 9600, parity = "none", stop_bits: stop = 1 } = input.serial ?? {};
  const line = `\`serial\`: baud rate and parity, here ${baud} ${parity}, ${stop} stop bit${stop === 1 ? "" : "s"}`;
  if (kind === "garbled")
    return [line, "two devices with the same unit id", "a long line without its resistors at both ends"];
  return [
    "wiring: A and B the right way round, and the device has power",
    `\`unit\`: the device's menu has its number, here ${unit}`,
    line,
    `\`timeout_ms\`, here ${input.timeout_ms}`,
  ];
}

/** Modbus Application Protocol 1.1b3, section 7. */
function refusedHints(exception: number, unit: number): string[] {
  if (exception === 1)
    return ["`table`: the device may have its values in input instead of holding, or the other way round"];
  if (exception === 2)
    return [
      "`register`: many manuals count from 1, so that their 11 (or 40011) is register 10",
      "`table`: input or holding",
    ];
  if (exception === 3)
    return ["`gap: 0` in the register map: the device may not read so many registers at once"];
  if (exception === 10 || exception === 11)
    return [
      `\`unit\`: the gateway finds no device ${unit} on its line`,
      "the line's wiring, baud rate and parity",
    ];
  if (exception === 5 || exception === 6)
    return ["the device is busy, or has nothing to show yet: try again"];
  return ["the device's own display: it reports a fault"];
}
