/** A request of Modbus TCP: seven bytes of header (transaction, protocol 0, length, unit), then function code and data. */
export interface Request {
  readonly transaction: number;
  readonly unit: number;
  readonly code: number;
  /** What follows the function code. */
  readonly data: Buffer;
}

/** What a master is told in place of values (Modbus Application Protocol 1.1b3, section 7). */
export const exceptions = {
  illegalFunction: 1,
  illegalAddress: 2,
  illegalValue: 3,
  /** The device has nothing to show yet. */
  busy: 6,
  /** The gateway knows no such unit. */
  noSuchUnit: 11,
} as const;
export type Exception = (typeof exceptions)[keyof typeof exceptions];

const headerBytes = 6;
/** Unit and the longest protocol data unit, 253 bytes. */
const maxLength = 254;

export type Frame =
  | { readonly kind: "request"; readonly request: Request; readonly end: number }
  | { readonly kind: "incomplete" }
  /** Not Modbus: where the next request begins cannot be known. */
  | { readonly kind: "broken" };

/** The request that begins at `at`. */
export function frameAt(bytes: Buffer, at: number): Frame {
  if (bytes.length - at < headerBytes) return { kind: "incomplete" };
  const length = bytes.readUInt16BE(at + 4);
  if (bytes.readUInt16BE(at + 2) !== 0 || length < 2 || length > maxLength) return { kind: "broken" };
  const end = at + headerBytes + length;
  if (bytes.length < end) return { kind: "incomplete" };
  const transaction = bytes.readUInt16BE(at);
  const data = bytes.subarray(at + headerBytes + 2, end);
  return { kind: "request", request: { transaction, unit: bytes[at + 6]!, code: bytes[at + 7]!, data }, end };
}

/** The answer to a request for registers. */
export function answerOf({ transaction, unit, code }: Request, registers: Buffer | Exception): Buffer {
  const refused = typeof registers === "number";
  const body = refused ? 1 : 1 + registers.length;
  const answer = Buffer.allocUnsafe(headerBytes + 2 + body);
  answer.writeUInt16BE(transaction, 0);
  answer.writeUInt16BE(0, 2);
  answer.writeUInt16BE(2 + body, 4);
  answer[6] = unit;
  answer[7] = refused ? code | 0x80 : code;
  answer[8] = refused ? registers : registers.length;
  if (!refused) registers.copy(answer, 9);
  return answer;
}
