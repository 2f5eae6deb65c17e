import { release } from "#runtime/release.ts";
import { type UplinkChannel, matchUplink } from "#telemetry/topic.ts";
import { packetType } from "./mqtt-frame.ts";

/** Why a connection's bytes cannot be read on. */
export type FrameFault = "not-connect" | "connect-too-large" | "too-large" | "malformed" | "qos-2";

/** Takes what a `FrameSplitter` finds. Nothing is called after `fault`. */
export interface FrameSink {
  /** The first frame, a CONNECT. The splitter then stops until `open`. `frame` may be kept. */
  connect(frame: Uint8Array): void;
  /**
   * A PUBLISH to one of the gateway's own uplink channels.
   * @param packetId 0 for QoS 0.
   * @param payload Valid during the call only.
   * @param frameBytes Of the whole frame.
   */
  uplink(channel: UplinkChannel, packetId: number, payload: Uint8Array, frameBytes: number): void;
  /** Any other whole frame; its content is not checked. `frame` may be kept. */
  other(frame: Uint8Array): void;
  fault(fault: FrameFault): void;
}

const initialPartialBytes = 16 * 1024;

/**
 * Cuts a connection's bytes into MQTT frames, wherever the chunks were cut, and takes the uplink out before aedes sees it.
 * Whole frames only: a peer that sends byte by byte costs one growing buffer, never more than twice what it sent.
 * No sockets, no timers.
 */
export class FrameSplitter {
  readonly #sink: FrameSink;
  readonly #packetBytes: number;
  #maxBytes: number;
  /** The gateway's topic prefix; undefined until `open`. */
  #prefix: Uint8Array | undefined;
  #awaitsConnect = true;
  #dead = false;
  #paused = false;
  #running = false;
  /** A frame was given to the sink that it may keep. */
  #lent = false;
  /** What was pushed and not yet looked at; its start moves. */
  #rest: Uint8Array | undefined;
  /** The beginning of a frame whose end has not come. */
  #partial: Uint8Array | undefined;
  #partialLength = 0;

  constructor(sink: FrameSink, limits: { connectBytes: number; packetBytes: number }) {
    this.#sink = sink;
    this.#maxBytes = limits.connectBytes;
    this.#packetBytes = limits.packetBytes;
  }

  /** The CONNECT was accepted: goes on (unless paused), and takes out the PUBLISH frames to channels below `prefix`. */
  open(prefix: Uint8Array): void {
    this.#prefix = prefix;
    this.#maxBytes = this.#packetBytes;
    this.#run();
  }

  /**
   * Splits `chunk`, which the caller must not write to again. While paused, at most one chunk may be pushed.
   * @returns whether nobody needs the chunk's memory any more: all of it was uplink, or was copied.
   */
  push(chunk: Uint8Array): boolean {
    if (this.#dead) return false;
    this.#rest = this.#rest === undefined ? chunk : Buffer.concat([this.#rest, chunk]);
    this.#lent = false;
    this.#run();
    return this.#rest === undefined && !this.#lent;
  }

  /** No frame is given to the sink before `resume`; may be called by the sink. */
  pause(): void {
    this.#paused = true;
  }

  /** May be called by the sink. */
  resume(): void {
    this.#paused = false;
    this.#run();
  }

  /** Gives nothing to the sink from now on. */
  close(): void {
    this.#dead = true;
    this.#rest = undefined;
    this.#partial = undefined;
  }

  /** Is there a chunk that waits for `resume`? */
  get waiting(): boolean {
    return this.#rest !== undefined;
  }

  #stopped(): boolean {
    return this.#dead || this.#paused || !(this.#awaitsConnect || this.#prefix !== undefined);
  }

  #run(): void {
    if (this.#running) return;
    this.#running = true;
    try {
      while (this.#rest !== undefined && !this.#stopped()) {
        const chunk = this.#rest;
        const used = this.#partial === undefined ? this.#split(chunk) : this.#complete(this.#partial, chunk);
        // The sink may have closed this splitter.
        this.#rest = used >= chunk.length || this.#dead ? undefined : chunk.subarray(used);
      }
    } finally {
      this.#running = false;
    }
  }

  /** Gives the whole frames in `chunk` to the sink and keeps what is left as partial. Returns how much was used. */
  #split(chunk: Uint8Array): number {
    let at = 0;
    while (at < chunk.length) {
      const length = this.#frameLength(chunk, at, chunk.length);
      if (this.#dead) return chunk.length;
      if (length === 0 || at + length > chunk.length) {
        this.#keep(chunk, at, length);
        return chunk.length;
      }
      this.#dispatch(chunk, at, at + length);
      at += length;
      if (this.#stopped()) return at;
    }
    return at;
  }

  #keep(chunk: Uint8Array, start: number, frameLength: number): void {
    const length = chunk.length - start;
    const room = Math.max(length, Math.min(frameLength || initialPartialBytes, initialPartialBytes));
    this.#partial = Buffer.allocUnsafeSlow(room);
    this.#partial.set(start === 0 ? chunk : chunk.subarray(start));
    this.#partialLength = length;
  }

  /** Moves bytes of `chunk` into the partial frame until that is whole, and dispatches it. Returns how much was used. */
  #complete(partial: Uint8Array, chunk: Uint8Array): number {
    let buffer = partial;
    let have = this.#partialLength;
    let used = 0;
    let length = this.#frameLength(buffer, 0, have);
    while (length === 0 && used < chunk.length && !this.#dead) {
      // Within the header (at most 5 bytes), which a kept frame always has room for.
      buffer[have++] = chunk[used++] ?? 0;
      length = this.#frameLength(buffer, 0, have);
    }
    if (this.#dead) return chunk.length;
    if (length > 0) {
      const take = Math.min(length - have, chunk.length - used);
      if (have + take > buffer.length) buffer = grown(buffer, have, have + take, length);
      buffer.set(chunk.subarray(used, used + take), have);
      have += take;
      used += take;
      if (have === length) {
        this.#partial = undefined;
        const lent = this.#lent;
        this.#lent = false;
        this.#dispatch(buffer, 0, length);
        if (!this.#lent) release(buffer);
        this.#lent = lent;
        return used;
      }
    }
    this.#partial = buffer;
    this.#partialLength = have;
    return used;
  }

  /** Bytes of the frame at `start`, header included; 0 when its header is not whole yet. May fault. */
  #frameLength(buffer: Uint8Array, start: number, end: number): number {
    if (this.#awaitsConnect && (buffer[start] ?? 0) >> 4 !== packetType.connect) {
      return this.#fail("not-connect");
    }
    let length = 0;
    for (let i = 1; i <= 4; i++) {
      if (start + i >= end) return 0;
      const digit = buffer[start + i] ?? 0;
      length += (digit & 0x7f) * 2 ** (7 * (i - 1));
      if (digit < 0x80) {
        const total = 1 + i + length;
        if (total <= this.#maxBytes) return total;
        return this.#fail(this.#awaitsConnect ? "connect-too-large" : "too-large");
      }
    }
    return this.#fail("malformed");
  }

  #dispatch(buffer: Uint8Array, start: number, end: number): void {
    if (this.#awaitsConnect) {
      this.#awaitsConnect = false;
      this.#lent = true;
      this.#sink.connect(buffer.subarray(start, end));
      return;
    }
    const first = buffer[start] ?? 0;
    if (first >> 4 === packetType.publish && this.#uplink(first, buffer, start, end)) return;
    this.#lent = true;
    this.#sink.other(buffer.subarray(start, end));
  }

  /** Gives a PUBLISH to an own uplink channel to the sink. Returns false if it is none. */
  #uplink(first: number, buffer: Uint8Array, start: number, end: number): boolean {
    let at = start + 1;
    while ((buffer[at] ?? 0) >= 0x80) at++;
    at++;
    const topic = at + 2;
    const topicEnd = topic + (((buffer[at] ?? 0) << 8) | (buffer[at + 1] ?? 0));
    const qos = (first >> 1) & 3;
    const payload = qos === 0 ? topicEnd : topicEnd + 2;
    // Also when the two length bytes are missing: then topicEnd is beyond end, too.
    if (topic > end || payload > end || qos === 3) {
      this.#fail("malformed");
      return true;
    }
    const channel =
      this.#prefix === undefined ? undefined : matchUplink(buffer, topic, topicEnd, this.#prefix);
    if (channel === undefined) return false;
    if (qos === 2) {
      this.#fail("qos-2");
      return true;
    }
    const packetId = qos === 0 ? 0 : ((buffer[topicEnd] ?? 0) << 8) | (buffer[topicEnd + 1] ?? 0);
    if (qos === 1 && packetId === 0) {
      this.#fail("malformed");
      return true;
    }
    this.#sink.uplink(
      channel,
      packetId,
      new Uint8Array(buffer.buffer, buffer.byteOffset + payload, end - payload),
      end - start,
    );
    return true;
  }

  #fail(fault: FrameFault): 0 {
    if (!this.#dead) {
      this.close();
      this.#sink.fault(fault);
    }
    return 0;
  }
}

/** A copy of `buffer[0, used)` with room for `needed` bytes, at least doubled, at most `limit`. */
function grown(buffer: Uint8Array, used: number, needed: number, limit: number): Uint8Array {
  const larger = Buffer.allocUnsafeSlow(Math.min(limit, Math.max(needed, 2 * buffer.length)));
  larger.set(buffer.subarray(0, used));
  return larger;
}
