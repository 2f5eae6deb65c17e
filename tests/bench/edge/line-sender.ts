import { once } from "node:events";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { SteadyReadings } from "../../support/steady-readings.ts";

/** What a sender is told: `SteadyReadings` of `sensors` sensors, `rate` of them a second, or as fast as they are taken. */
export interface SenderJob {
  readonly port: number;
  readonly prefix: string;
  readonly sensors: number;
  /** Event time of the first, milliseconds since 1970; undefined: now. */
  readonly start?: number;
  /** Lines a second; undefined: as fast as the agent takes them. */
  readonly rate?: number;
  readonly count: number;
}

export interface SenderResult {
  /** Lines given to the connection. */
  readonly sent: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
}

const atOnce = 2000;

/** Sends until all is sent, or until it is told to stop. */
async function send({ port, prefix, sensors, start, rate, count }: SenderJob): Promise<SenderResult> {
  const readings = new SteadyReadings(prefix, start ?? Date.now(), sensors);
  const socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  const begun = performance.now();
  const cpu = process.cpuUsage();
  let sent = 0;
  while (sent < count && !stopping.signal.aborted) {
    const passed = (performance.now() - begun) / 1000;
    const due = rate === undefined ? sent + atOnce : Math.floor(rate * passed);
    const to = Math.min(count, due);
    if (to > sent) {
      const taken = socket.write(readings.lines(sent, to));
      sent = to;
      if (!taken) await once(socket, "drain");
    }
    if (rate !== undefined) await sleep(10);
  }
  socket.end();
  await once(socket.resume(), "close");
  const { user, system } = process.cpuUsage(cpu);
  return { sent, seconds: (performance.now() - begun) / 1000, cpuSeconds: (user + system) / 1e6 };
}

const stopping = new AbortController();
process.on("message", (message: SenderJob | "stop") => {
  if (message === "stop") stopping.abort();
  else void send(message).then((result) => process.send!(result, () => process.disconnect()));
});
