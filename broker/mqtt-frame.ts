/** Control packet types (MQTT 3.1.1, table 2.1): the upper four bits of a frame's first byte. */
export const packetType = { connect: 1, publish: 3 } as const;

/** A PUBLISH with QoS 0, neither retained nor a duplicate. `payload` is copied. */
export function encodePublish(topic: Uint8Array, payload: Uint8Array): Buffer {
  const length = 2 + topic.length + payload.length;
  const headerLength = 1 + variableLength(length);
  const frame = Buffer.allocUnsafe(headerLength + length);
  frame[0] = packetType.publish << 4;
  let at = 1;
  for (let rest = length; ;) {
    const digit = rest & 0x7f;
    rest >>>= 7;
    frame[at++] = rest === 0 ? digit : digit | 0x80;
    if (rest === 0) break;
  }
  at = frame.writeUInt16BE(topic.length, at);
  frame.set(topic, at);
  frame.set(payload, at + topic.length);
  return frame;
}

/** Bytes of a "remaining length" field (2.2.3). */
function variableLength(length: number): number {
  if (length < 1 << 7) return 1;
  if (length < 1 << 14) return 2;
  return length < 1 << 21 ? 3 : 4;
}

/** Bytes of one PUBACK. */
export const pubackBytes = 4;

/** Writes a PUBACK for `packetId` into `buffer` at `at`. */
export function writePuback(buffer: Uint8Array, at: number, packetId: number): void {
  buffer[at] = 0x40;
  buffer[at + 1] = 2;
  buffer[at + 2] = packetId >>> 8;
  buffer[at + 3] = packetId & 0xff;
}
