import { once } from "node:events";
import { Agent, type IncomingMessage, request } from "node:http";
import { findPlace } from "#telemetry/places.ts";
import { prefixesOf } from "#store/influxdb/tags.ts";
import { type BenchedInfluxd, benchDatabase, startBenchedInfluxd } from "./influxd.ts";
import { place } from "./load-connection.ts";
import type { RawResult } from "./raw-duckdb.ts";
import type { RawLoad } from "./store-under-test.ts";

/** As the platform under load: batches of 20,000 readings, divided by series over two connections. */
const linesPerRequest = 10_000;
const connections = 2;
/** Lines made ahead, outside of what is measured. */
const prebuiltLines = 400_000;

/**
 * The same readings straight into influxd, as lines that are ready made, in order of arrival: what the store itself costs. Each series is met once
 * before anything is measured. CPU is influxd's alone, until its work in the background is done.
 */
export async function runRawInfluxDb(load: RawLoad): Promise<RawResult & { readonly series: string }> {
  await using influxd = await startBenchedInfluxd(load.folder);
  using writer = new RawWriter(influxd);
  const lines = rawLines(load);
  const met = load.sensors.reduce((sum, { length }) => sum + length, 0);
  await writer.write(lines, met);
  await influxd.quiet();

  const before = await influxd.cpuSeconds();
  const seconds = await writer.write(lines, load.readings);
  await influxd.quiet();
  const cpuSeconds = (await influxd.cpuSeconds()) - before;
  const stored = await influxd.count();
  if (stored !== met + load.readings)
    throw new Error(`bare influxd was given ${met + load.readings} readings and has ${stored}`);
  return { readings: load.readings, seconds, cpuSeconds, series: await influxd.firstSeries() };
}

interface RawLine {
  /** By which lines are divided over the connections. */
  readonly series: number;
  readonly text: string;
}

/** As the load generator makes them: each gateway's sensors in turn, message by message, at one second; then the next. */
function* rawLines({ sensors, agency, batch, startTime }: RawLoad): Generator<RawLine, never> {
  const measurement = "traffic_flow";
  const { municipality, district } = findPlace(place) ?? {};
  const tags = {
    ...(municipality !== undefined && { municipality }),
    ...(district !== undefined && { district }),
  };
  const prefixes = sensors.map((of) =>
    of.map((sensor) =>
      Buffer.from(prefixesOf({ measurement, agency, sensor }, [{ from: 0, tags }])[0]!.bytes).toString(),
    ),
  );
  const most = Math.max(...sensors.map(({ length }) => length));
  let number = 0;
  for (let time = startTime; ; time += 1_000) {
    for (let first = 0; first < most; first += batch) {
      for (const of of prefixes) {
        for (let sensor = first; sensor < Math.min(first + batch, of.length); sensor++) {
          number += 1;
          const vehicles = digits(number * 7_919);
          const speed = digits(number * 104_729);
          yield {
            series: sensor,
            text: `${of[sensor]}vehicles=${vehicles},speed_avg=48.${speed},occupancy=0.18 ${time}\n`,
          };
        }
      }
    }
  }
}

function digits(number: number): string {
  return String(number % 1_000).padStart(3, "0");
}

class RawWriter implements Disposable {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: connections });
  readonly #target: string;

  constructor({ url }: BenchedInfluxd) {
    this.#target = `${url}/write?db=${benchDatabase}&precision=ms`;
  }

  /** Writes the next `count` lines. @returns the seconds that writing took */
  async write(lines: Iterator<RawLine, never>, count: number): Promise<number> {
    let seconds = 0;
    for (let made = 0; made < count;) {
      const bodies: Buffer[][] = [];
      for (const end = Math.min(count, made + prebuiltLines); made < end;) {
        const next = Math.min(linesPerRequest * connections, end - made);
        bodies.push(divided(lines, next));
        made += next;
      }
      const begun = performance.now();
      for (const pair of bodies) await Promise.all(pair.map((body) => this.#post(body)));
      seconds += (performance.now() - begun) / 1_000;
    }
    return seconds;
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }

  async #post(body: Buffer): Promise<void> {
    if (body.length === 0) return;
    const sent = request(this.#target, { method: "POST", agent: this.#agent });
    sent.end(body);
    const [response] = (await once(sent, "response")) as [IncomingMessage];
    response.resume();
    await once(response, "end");
    if (response.statusCode !== 204) throw new Error(`bare influxd answered ${response.statusCode}`);
  }
}

function divided(lines: Iterator<RawLine, never>, count: number): Buffer[] {
  const bodies = Array.from({ length: connections }, () => "");
  for (let line = 0; line < count; line++) {
    const { series, text } = lines.next().value;
    bodies[series % connections] += text;
  }
  return bodies.map((body) => Buffer.from(body));
}
