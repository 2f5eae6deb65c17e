import { type Packet, parser } from "mqtt-packet";
import { parseBatchHeader } from "#telemetry/batch-header.ts";
import type { Observer } from "./tcp-proxy.ts";

/** A batch of an agent as a proxy saw it go by. */
export interface SeenBatch {
  /** Number of its first reading, and how many it has. */
  readonly first: number;
  readonly n: number;
  /** Event time of its first reading, milliseconds since 1970. */
  readonly time: number;
  /** Bytes of its payload. */
  readonly bytes: number;
}

/** Watches an agent's uplink in a TCP proxy (`observe`): which batches go by, how many are in flight, when each is acknowledged. */
export class UplinkTap {
  /** First numbers of the batches in the order they went by, for each connection. */
  readonly connections: number[][] = [];
  /** Most that was in flight on a connection at once. */
  readonly most = { batches: 0, bytes: 0 };
  /** Called when a batch leaves the agent. */
  onSent: (batch: SeenBatch) => void = () => {};
  /** Called when a PUBACK reaches the agent. */
  onAcknowledged: (batch: SeenBatch) => void = () => {};

  readonly observe = (): Observer => {
    const order: number[] = [];
    this.connections.push(order);
    const inFlight = new Map<number, SeenBatch>();
    let bytes = 0;
    const up = parser();
    up.on("packet", (packet: Packet) => {
      if (packet.cmd !== "publish" || packet.qos !== 1) return;
      const payload = Buffer.from(packet.payload);
      const parsed = parseBatchHeader(payload);
      if (!parsed?.ok || !packet.topic.endsWith("/up/lp")) return;
      const { first, n, bodyStart } = parsed.header;
      order.push(first);
      bytes += payload.length;
      const batch = { first, n, time: timeOfLine(payload, bodyStart), bytes: payload.length };
      inFlight.set(packet.messageId!, batch);
      this.onSent(batch);
      this.most.batches = Math.max(this.most.batches, inFlight.size);
      this.most.bytes = Math.max(this.most.bytes, bytes);
    });
    const down = parser();
    down.on("packet", (packet: Packet) => {
      const batch = packet.cmd === "puback" ? inFlight.get(packet.messageId!) : undefined;
      if (batch === undefined) return;
      inFlight.delete(packet.messageId!);
      bytes -= batch.bytes;
      this.onAcknowledged(batch);
    });
    return { up: (chunk) => up.parse(chunk), down: (chunk) => down.parse(chunk) };
  };
}

function timeOfLine(payload: Buffer, start: number): number {
  const end = payload.indexOf(0x0a, start);
  return Number(payload.toString("latin1", payload.lastIndexOf(0x20, end) + 1, end));
}
