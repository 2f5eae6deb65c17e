import { once } from "node:events";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** A line input for tests: a real TCP server that keeps what it is sent. */
export class LineServer implements AsyncDisposable {
  readonly lines: string[] = [];
  /** Lines cut off by the end of a connection. */
  readonly cut: string[] = [];
  connections = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #keep: boolean;
  #received = 0;
  #reading = true;

  /** @param keep Whether lines are kept, or only counted. */
  constructor(keep = true) {
    this.#keep = keep;
    this.#server = createServer((socket) => this.#accept(socket));
  }

  /** @param port 0 is any free one. */
  async listen(port = 0): Promise<this> {
    this.#server.listen(port, "127.0.0.1");
    await once(this.#server, "listening");
    return this;
  }

  get address(): { host: string; port: number } {
    return { host: "127.0.0.1", port: (this.#server.address() as AddressInfo).port };
  }

  get received(): number {
    return this.#received;
  }

  /** Stops and goes on reading, on all connections. */
  read(on: boolean): void {
    this.#reading = on;
    for (const socket of this.#sockets) {
      if (on) socket.resume();
      else socket.pause();
    }
  }

  /** Breaks all connections as a dying process does. */
  drop(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await sleep(5);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    if (!this.#server.listening) return;
    this.#server.close();
    await once(this.#server, "close");
  }

  #accept(socket: Socket): void {
    this.connections += 1;
    this.#sockets.add(socket);
    let rest = "";
    if (!this.#reading) socket.pause();
    socket.setEncoding("utf8");
    socket.on("data", (text: string) => {
      const pieces = (rest + text).split("\n");
      rest = pieces.pop()!;
      this.#received += pieces.length;
      if (this.#keep) for (const line of pieces) this.lines.push(line);
    });
    socket.on("error", () => undefined);
    socket.on("close", () => {
      this.#sockets.delete(socket);
      if (rest !== "") this.cut.push(rest);
    });
  }
}

/** `traffic_flow,sensor=tf-001 vehicles=3 17…` -> its parts. */
export function parseLine(line: string): { series: string; fields: Record<string, number>; time: number } {
  const [series = "", fields = "", time = ""] = line.split(" ");
  const values = fields.split(",").map((field) => field.split("=") as [string, string]);
  return {
    series,
    fields: Object.fromEntries(values.map(([name, value]) => [name, Number(value)])),
    time: Number(time),
  };
}

/** Time and values of each series, in the order of arrival. */
export function bySeries(
  lines: readonly string[],
): Map<string, { time: number; fields: Record<string, number> }[]> {
  return Map.groupBy(lines.map(parseLine), ({ series }) => series);
}

const counters = [
  "volume_total",
  "reverse_total",
  "import_total",
  "export_total",
  "energy_total",
  "dispatch_total",
  "intake_local_total",
];

/** Series whose counters are lower at a later time than at an earlier one, or different at the same. */
export function fallenCounters(lines: readonly string[]): string[] {
  return [...bySeries(lines)].flatMap(([series, readings]) => {
    const sorted = readings.toSorted((a, b) => a.time - b.time);
    return counters.flatMap((counter) =>
      sorted.some((reading, i) => i > 0 && reading.fields[counter]! < sorted[i - 1]!.fields[counter]!)
        ? [`${series} ${counter}`]
        : [],
    );
  });
}
