import { once } from "node:events";
import { type AddressInfo, type Socket, createServer } from "node:net";

export interface DeviceRequest {
  readonly unit: number;
  readonly code: number;
  readonly register: number;
  readonly count: number;
  /** Which connection it came over, from 0. */
  readonly connection: number;
}

/** What a scripted device does: registers as bytes, an exception, any bytes instead of a frame, nothing, or the end of the connection. */
export type Reaction =
  | Buffer
  | { readonly exception: number }
  | { readonly raw: Buffer }
  | { readonly after: number; readonly registers: Buffer }
  | "silent"
  | "cut";

/** A Modbus TCP device that does what a test says, also what no real one should. */
export interface ScriptedDevice extends AsyncDisposable {
  readonly port: number;
  readonly requests: readonly DeviceRequest[];
  readonly connections: number;
}

export async function openScriptedDevice(
  react: (request: DeviceRequest) => Reaction,
): Promise<ScriptedDevice> {
  const requests: DeviceRequest[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createServer((socket) => {
    const connection = connections;
    connections += 1;
    sockets.add(socket);
    let waiting = Buffer.alloc(0);
    socket.setNoDelay(true);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
    socket.on("data", (chunk: Buffer) => {
      waiting = Buffer.concat([waiting, chunk]);
      for (; waiting.length >= 12; waiting = waiting.subarray(12)) {
        const header = Buffer.from(waiting.subarray(0, 4));
        const request = {
          unit: waiting[6]!,
          code: waiting[7]!,
          register: waiting.readUInt16BE(8),
          count: waiting.readUInt16BE(10),
          connection,
        };
        requests.push(request);
        perform(socket, header, request, react(request));
      }
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    requests,
    get connections() {
      return connections;
    },
    async [Symbol.asyncDispose](): Promise<void> {
      const closed = once(server, "close");
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** @param header  Transaction and protocol, as they came. */
function perform(socket: Socket, header: Buffer, { unit, code }: DeviceRequest, reaction: Reaction): void {
  const answer = (body: readonly number[]): Buffer =>
    Buffer.from([...header, 0, body.length + 1, unit, ...body]);
  if (reaction === "silent") return;
  if (reaction === "cut") socket.resetAndDestroy();
  else if (Buffer.isBuffer(reaction)) socket.write(answer([code, reaction.length, ...reaction]));
  else if ("exception" in reaction) socket.write(answer([code | 0x80, reaction.exception]));
  else if ("raw" in reaction) socket.write(reaction.raw);
  else {
    const { after, registers } = reaction;
    setTimeout(() => socket.destroyed || socket.write(answer([code, registers.length, ...registers])), after);
  }
}

/** Registers of a 32-bit float and of a 16-bit number. */
export function floatWords(value: number): [number, number] {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatBE(value);
  return [bytes.readUInt16BE(0), bytes.readUInt16BE(2)];
}
