import { once } from "node:events";
import { type Socket, connect } from "node:net";
import pino from "pino";
import { type EdgeAgent, EdgeAgentConfig, openEdgeAgent } from "#edge-agent/index.ts";

type Input = Parameters<typeof EdgeAgentConfig.parse>[0];

/** A configuration for tests: one TCP input, quick to reconnect, small batches so that there are many. */
export function config(
  options: { mqttPort: number; data: string } & Record<string, unknown>,
): EdgeAgentConfig {
  const { mqttPort, data, ...rest } = options;
  const settings: Input = {
    agency: "mobility",
    gateway: "corniche-1",
    place: "QA-DA",
    mqtt: `mqtt://127.0.0.1:${mqttPort}`,
    password: "secret",
    data,
    inputs: [{ type: "lines", listen: "tcp://127.0.0.1:0", max_line_bytes: 512 }],
    sensors: [{ id: "tf-1", place: "QA-DA", role: "detector" }],
    batch: { max_bytes: 4096, max_age_ms: 50 },
    reconnect: { min_ms: 20, max_ms: 200 },
    ...rest,
  };
  return EdgeAgentConfig.parse(settings);
}

/** An agent in this process, closed at the end of the scope. */
export async function openAgent(settings: EdgeAgentConfig): Promise<EdgeAgent> {
  return openEdgeAgent(settings, { signal: new AbortController().signal, log: pino({ level: "silent" }) });
}

/** A sensor's line; `i` makes it unlike any other. */
export function line(i: number): string {
  return `traffic_flow,sensor=tf-1 vehicles=${i % 600},speed_avg=${(i % 1200) / 10} ${1_763_860_000_000 + i}`;
}

export function lines(from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, index) => line(from + index));
}

/** A sensor on TCP. Disposing breaks off what has not been sent. */
export interface Sensor extends Disposable {
  /** Resolves when the operating system has taken the lines. */
  send(lines: readonly string[]): Promise<void>;
  /** Sends what there is and closes; resolves when the agent has closed too. */
  end(): Promise<void>;
  readonly socket: Socket;
}

export async function openSensor(address: string): Promise<Sensor> {
  const socket = connect(Number(address.split(":").at(-1)), "127.0.0.1");
  socket.on("error", () => {});
  await once(socket, "connect");
  return {
    socket,
    async send(wanted): Promise<void> {
      if (!socket.write(`${wanted.join("\n")}\n`) && !socket.destroyed) {
        await Promise.race([once(socket, "drain"), once(socket, "close")]);
      }
    },
    async end(): Promise<void> {
      const closed = once(socket, "close");
      socket.end();
      socket.resume();
      await closed;
    },
    [Symbol.dispose]: () => void socket.destroy(),
  };
}
