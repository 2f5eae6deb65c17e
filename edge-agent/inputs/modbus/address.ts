/** Where a bus of Modbus devices is reached. */
export type ModbusAddress =
  | { readonly protocol: "tcp"; readonly host: string; readonly port: number }
  | { readonly protocol: "rtu"; readonly path: string };

const tcpForm = /^tcp:\/\/(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9.-]+))(?::(\d{1,5}))?$/;
const rtuForm = /^rtu:\/\/(\/[^\s?#]+)$/;
/** Assigned to Modbus by IANA. */
const standardPort = 502;

/** `tcp://192.168.7.20:502` (the port may be left out) or `rtu:///dev/ttyUSB0`; undefined if `text` is neither. */
export function parseModbusAddress(text: string): ModbusAddress | undefined {
  const path = rtuForm.exec(text)?.[1];
  if (path !== undefined) return { protocol: "rtu", path };
  const [, bracketed, host = bracketed, digits] = tcpForm.exec(text) ?? [];
  const port = Number(digits ?? standardPort);
  if (host === undefined || port === 0 || port > 65_535) return undefined;
  return { protocol: "tcp", host, port };
}
