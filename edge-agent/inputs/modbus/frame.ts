import crc16 from "modbus-serial/utils/crc16.js";
import type { Span } from "./read-plan.ts";
import type { Table } from "./register-map.ts";

/** Why a device's answer is none. */
export interface Failure {
  /** `silent`: nothing came in time. `refused`: an exception. `garbled`: something else came. `lost`: the connection ended. */
  readonly kind: "silent" | "refused" | "garbled" | "lost";
  readonly detail: string;
  /** Of `refused`: the exception's code. */
  readonly exception?: number;
}

export type Answer =
  /** Registers, two bytes each, or bits, eight in a byte. */
  { readonly ok: true; readonly bytes: Buffer } | { readonly ok: false; readonly failure: Failure };

const functionOf: Readonly<Record<Table, number>> = { coil: 1, discrete: 2, holding: 3, input: 4 };

/** Modbus Application Protocol 1.1b3, section 7. */
const exceptions: Readonly<Record<number, string>> = {
  1: "illegal function: the device has no such table",
  2: "illegal data address: the device has no such register",
  3: "illegal data value: the device does not read so many registers at once",
  4: "device failure",
  5: "acknowledge: it will take a while",
  6: "busy",
  8: "memory parity error",
  10: "gateway path unavailable",
  11: "the gateway's device does not answer",
};

/** A request as it goes over a serial line; the port of Modbus TCP makes its own frame of it. */
export function requestFrame(unit: number, { table, register, count }: Span): Buffer {
  const frame = Buffer.alloc(8);
  frame[0] = unit;
  frame[1] = functionOf[table];
  frame.writeUInt16BE(register, 2);
  frame.writeUInt16BE(count, 4);
  frame.writeUInt16LE(crc16(frame.subarray(0, 6)), 6);
  return frame;
}

/** What a frame (unit, function, data, CRC) says to the request for `span`. */
export function readAnswer(frame: Buffer, unit: number, { table, count }: Span): Answer {
  if (frame.length < 5) return garbled(`an answer of ${frame.length} bytes`);
  const end = frame.length - 2;
  if (frame.readUInt16LE(end) !== crc16(frame.subarray(0, end))) return garbled("a wrong checksum");
  if (frame[0] !== unit) return garbled(`an answer of unit ${frame[0]}`);
  const wanted = functionOf[table];
  const code = frame[1]!;
  if (code === (wanted | 0x80)) {
    const exception = frame[2]!;
    const detail = `exception ${exception}: ${exceptions[exception] ?? "unknown"}`;
    return { ok: false, failure: { kind: "refused", detail, exception } };
  }
  if (code !== wanted) return garbled(`function ${code} where ${wanted} was asked`);
  const bytes = table === "coil" || table === "discrete" ? Math.ceil(count / 8) : 2 * count;
  if (frame[2] !== bytes || end !== 3 + bytes) return garbled(`${end - 3} bytes where ${bytes} were asked`);
  return { ok: true, bytes: frame.subarray(3, end) };
}

function garbled(detail: string): Answer {
  return { ok: false, failure: { kind: "garbled", detail } };
}
