import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { SteadyReadings } from "./steady-readings.ts";

/** Sensors that write lines over TCP at a steady rate until disposed, and know nothing of what arrives. */
export interface LineLoad extends AsyncDisposable {
  /** Lines that were given to a connection; each only once. */
  readonly written: number;
}

export interface LineLoadOptions {
  readonly readings: SteadyReadings;
  /** Lines a second. */
  readonly rate: number;
  /** HOST:PORT of the agent's input; undefined while it is gone. */
  readonly input: () => string | undefined;
}

export function startLines({ readings, rate, input }: LineLoadOptions): LineLoad {
  const ending = new AbortController();
  const { signal } = ending;
  let written = 0;
  const serve = async (socket: Socket): Promise<void> => {
    const since = performance.now();
    const before = written;
    while (socket.writable && !signal.aborted) {
      const due = Math.floor(before + (rate * (performance.now() - since)) / 1000);
      if (due > written) {
        const from = written;
        written = due;
        if (!socket.write(readings.lines(from, due)))
          await Promise.race([once(socket, "drain"), once(socket, "close")]).catch(() => undefined); // reset: "close" follows
      }
      await sleep(10);
    }
  };
  const run = async (): Promise<void> => {
    while (!signal.aborted) {
      const to = input();
      if (to !== undefined) {
        const socket = connect(Number(to.split(":").at(-1)), "127.0.0.1");
        socket.on("error", () => {}); // "close" follows
        const closed = new Promise((resolve) => socket.once("close", resolve));
        await Promise.race([once(socket, "connect").catch(() => undefined), closed]);
        await serve(socket);
        socket.end();
        socket.resume();
        await closed;
      }
      await sleep(20);
    }
  };
  const running = run();
  return {
    get written() {
      return written;
    },
    async [Symbol.asyncDispose]() {
      ending.abort();
      await running;
    },
  };
}
