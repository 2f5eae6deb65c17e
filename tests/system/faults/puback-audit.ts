import { type IPublishPacket, type Packet, parser as openParser } from "mqtt-packet";
import { bytesOf, type SystemCall, type SystemCallEvent } from "../../support/strace.ts";

/** The file that must hold a message's record before its PUBACK, and the bytes by which the record is known there: any of them. */
export interface RecordMark {
  readonly file: string;
  readonly marks: readonly Buffer[];
}

export interface PubackAudit {
  /** PUBACKs that were written to sockets. */
  readonly pubacks: number;
  /** Transactions that made at least one of their messages durable. */
  readonly commits: number;
  /** What was missing for each that came too early. */
  readonly early: readonly string[];
}

/** How far a message's record has got: the line of the trace where each step ended. */
interface Message {
  readonly topic: string;
  readonly read: number;
  readonly mark: RecordMark;
  written?: number;
  synced?: number;
  committed?: number;
}

/** lmdb's first two pages: the one written last says which transaction is the file's newest. */
const headerBytes = 2 * 4096;
const reads = new Set(["read", "readv", "recvfrom", "recvmsg"]);
const writes = new Set(["write", "writev", "pwrite64", "pwritev", "pwritev2", "sendto", "sendmsg"]);
const syncs = new Set(["fdatasync", "fsync"]);

/**
 * Follows every PUBLISH at QoS 1 through the trace of a platform. Each of these must end before the next begins: it is read from its
 * socket; its record is written to its lmdb file; a sync of that file; the header is written, through a descriptor that syncs what is
 * written (O_DSYNC) or with a further sync; its PUBACK is written.
 */
export class PubackAuditor {
  readonly #markOf: (packet: IPublishPacket) => RecordMark;
  readonly #connections = new Map<string, Connection>();
  /** By file: those without a PUBACK. */
  readonly #open = new Map<string, Set<Message>>();
  /** Of a call that was made: what it makes safe if it goes well, and when it was made. */
  readonly #made = new Map<SystemCall, { readonly covers: readonly Message[]; readonly line: number }>();
  /** Descriptors whose writes are synced when they return. */
  readonly #syncing = new Set<number>();
  /** Headers written, and not synced. */
  readonly #headers = new Set<Message>();
  readonly #early: string[] = [];
  #pubacks = 0;
  #commits = 0;

  constructor(markOf: (packet: IPublishPacket) => RecordMark) {
    this.#markOf = markOf;
  }

  take({ call, line }: SystemCallEvent): void {
    if (call.result === undefined) {
      this.#made.set(call, { covers: this.#coveredBy(call), line });
      return;
    }
    const { covers, line: begun } = this.#made.get(call)!;
    this.#made.delete(call);
    if (call.name === "openat") this.#opened(call);
    else if (call.target.startsWith("socket:")) this.#spoken(call, begun, line);
    else if (syncs.has(call.name)) this.#synced(call, covers, line);
    else if (isHeader(call)) this.#headerWritten(call, covers, line);
    else if (covers.length > 0 && call.result === bytesOf(call).length)
      for (const message of covers) message.written ??= line;
  }

  get result(): PubackAudit {
    return { pubacks: this.#pubacks, commits: this.#commits, early: this.#early };
  }

  #coveredBy(call: SystemCall): Message[] {
    const open = Array.from(this.#open.get(call.target) ?? []);
    if (open.length === 0) return open;
    if (syncs.has(call.name)) return open.filter(({ written }) => written !== undefined);
    if (!writes.has(call.name)) return [];
    if (isHeader(call)) return open.filter(({ synced }) => synced !== undefined);
    const bytes = bytesOf(call);
    return open.filter(({ mark }) => mark.marks.some((one) => bytes.includes(one)));
  }

  #opened({ arguments: flags, result }: SystemCall): void {
    if (/\bO_D?SYNC\b/.test(flags)) this.#syncing.add(result!);
    else this.#syncing.delete(result!);
  }

  #synced({ result }: SystemCall, covers: readonly Message[], line: number): void {
    if (result !== 0) return;
    for (const message of covers) {
      message.synced ??= line;
      if (this.#headers.delete(message)) message.committed ??= line;
    }
  }

  #headerWritten(call: SystemCall, covers: readonly Message[], line: number): void {
    if (call.result !== bytesOf(call).length) return;
    if (covers.some(({ committed }) => committed === undefined)) this.#commits += 1;
    for (const message of covers) {
      if (this.#syncing.has(call.fd)) message.committed ??= line;
      else this.#headers.add(message);
    }
  }

  #spoken(call: SystemCall, begun: number, line: number): void {
    if (!(call.result! > 0)) return;
    const connection = this.#connections.get(call.target) ?? new Connection();
    this.#connections.set(call.target, connection);
    const bytes = bytesOf(call).subarray(0, call.result);
    if (reads.has(call.name)) {
      for (const packet of connection.hear(bytes))
        if (packet.cmd === "publish") this.#heard(connection, packet, line);
    } else {
      for (const packet of connection.tell(bytes))
        if (packet.cmd === "puback") this.#acknowledged(connection, packet.messageId!, begun);
    }
  }

  #heard({ messages }: Connection, packet: IPublishPacket, line: number): void {
    if (packet.qos !== 1) return;
    const mark = this.#markOf(packet);
    const message: Message = { topic: packet.topic, read: line, mark };
    messages.set(packet.messageId!, message);
    const open = this.#open.get(mark.file) ?? new Set();
    this.#open.set(mark.file, open.add(message));
  }

  #acknowledged({ messages }: Connection, id: number, line: number): void {
    this.#pubacks += 1;
    const message = messages.get(id);
    if (message === undefined) {
      this.#early.push(`line ${line}: PUBACK of ${id}, which was never read`);
      return;
    }
    const { mark, ...steps } = message;
    if (!(message.committed! < line)) this.#early.push(`line ${line}: PUBACK of ${JSON.stringify(steps)}`);
    messages.delete(id);
    this.#open.get(mark.file)?.delete(message);
    this.#headers.delete(message);
  }
}

function isHeader({ name, arguments: text }: SystemCall): boolean {
  return name === "pwrite64" && Number(/, (\d+)$/.exec(text)?.[1]) < headerBytes;
}

/** Both directions of a socket; one that does not begin with a CONNECT is none of ours. */
class Connection {
  readonly messages = new Map<number, Message>();
  readonly #parsers = { heard: openParser({ protocolVersion: 4 }), told: openParser({ protocolVersion: 4 }) };
  #isMqtt: boolean | undefined;

  hear(bytes: Buffer): Packet[] {
    this.#isMqtt ??= bytes[0] === 0x10;
    return this.#parse("heard", bytes);
  }

  tell(bytes: Buffer): Packet[] {
    return this.#parse("told", bytes);
  }

  #parse(direction: "heard" | "told", bytes: Buffer): Packet[] {
    if (this.#isMqtt !== true) return [];
    const packets: Packet[] = [];
    const parser = this.#parsers[direction];
    const take = (packet: Packet): void => void packets.push(packet);
    parser.on("packet", take);
    parser.parse(bytes);
    parser.off("packet", take);
    return packets;
  }
}
