import { once } from "node:events";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { formatAddress, type Address } from "#runtime/address.ts";
import { MarsadError } from "#runtime/errors.ts";
import { oncePer, type Log } from "#runtime/log.ts";
import { answerOf, exceptions, frameAt, type Exception, type Request } from "./frame.ts";
import type { Master } from "./row-memory.ts";

/** What answers for a unit id. */
export interface Unit {
  read(master: Master, from: number, count: number): Buffer | Exception;
}

export interface ModbusServer extends AsyncDisposable {
  /** Where it listens. */
  readonly address: Address;
}

export interface ModbusServerOptions {
  readonly log: Log;
  /** While it says no, connections are closed at once: masters come again, and need not be told that every device is busy. */
  readonly isReady: () => boolean;
}

const maxMasters = 64;
/** Silence after which the kernel asks whether a master is still there, ms. */
const probeAfter_ms = 60_000;
const readHoldingRegisters = 3;
const closingPatience_ms = 500;

/**
 * A Modbus TCP gateway in front of meters: many unit ids on one port. It only reads, holding registers (function 3); anything else is answered with an
 * exception, and what is no Modbus closes the connection. modbus-serial's own server cannot tell its units which connection asks.
 * @throws MarsadError ADDRESS_IN_USE
 */
export async function openModbusServer(
  address: Address,
  units: ReadonlyMap<number, Unit>,
  { log, isReady }: ModbusServerOptions,
): Promise<ModbusServer> {
  const masters = new Set<Socket>();
  const sometimes = oncePer();
  const server = createServer(
    { keepAlive: true, keepAliveInitialDelay: probeAfter_ms, noDelay: true },
    (socket) => {
      if (!isReady()) {
        socket.destroy();
        return;
      }
      masters.add(socket);
      socket.on("close", () => masters.delete(socket));
      socket.on("error", () => undefined); // a master that breaks off; "close" follows
      serve(socket, units, (why) => {
        const held = sometimes(why);
        const from = socket.remoteAddress;
        if (held !== undefined)
          log.warn({ from, held }, "A Modbus connection was closed: this is no Modbus.");
      });
    },
  );
  server.maxConnections = maxMasters;
  await listen(server, address);
  return {
    address: { host: address.host, port: (server.address() as AddressInfo).port },
    async [Symbol.asyncDispose](): Promise<void> {
      if (!server.listening) return;
      const closed = once(server, "close");
      server.close();
      for (const socket of masters) socket.destroySoon(); // the last answers leave first
      const late = setTimeout(() => masters.forEach((socket) => socket.destroy()), closingPatience_ms);
      await closed;
      clearTimeout(late);
    },
  };
}

async function listen(server: Server, address: Address): Promise<void> {
  try {
    server.listen({ host: address.host, port: address.port, exclusive: true });
    await once(server, "listening");
  } catch (cause) {
    throw new MarsadError("ADDRESS_IN_USE", `cannot listen on ${formatAddress(address)} for Modbus`, {
      cause,
    });
  }
}

/** Answers in order; a master that does not take its answers is not heard until it does. */
function serve(socket: Socket, units: ReadonlyMap<number, Unit>, refuse: (why: string) => void): void {
  const master = { turn: 0 };
  let rest: Buffer = Buffer.alloc(0);
  socket.on("data", (chunk) => {
    master.turn += 1;
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const answers: Buffer[] = [];
    let at = 0;
    let frame = frameAt(bytes, at);
    for (; frame.kind === "request"; frame = frameAt(bytes, at)) {
      answers.push(answerOf(frame.request, registersFor(frame.request, units, master)));
      at = frame.end;
    }
    if (answers.length > 0 && !socket.write(answers.length === 1 ? answers[0]! : Buffer.concat(answers))) {
      socket.pause();
      socket.once("drain", () => socket.resume());
    }
    if (frame.kind === "broken") {
      refuse("broken");
      socket.pause();
      socket.destroySoon();
      return;
    }
    rest = Buffer.from(bytes.subarray(at)); // below one request: 260 bytes
  });
}

function registersFor(
  { unit, code, data }: Request,
  units: ReadonlyMap<number, Unit>,
  master: Master,
): Buffer | Exception {
  const device = units.get(unit);
  if (device === undefined) return exceptions.noSuchUnit;
  if (code !== readHoldingRegisters) return exceptions.illegalFunction;
  if (data.length !== 4) return exceptions.illegalValue;
  return device.read(master, data.readUInt16BE(0), data.readUInt16BE(2));
}
