import { publishFrame, writeDigits } from "#cli/bench/message-templates.ts";

/** How a flood's readings are numbered: by sensor in turns, `periodMs` of event time between two of a sensor. */
export interface Numbering {
  readonly sensors: number;
  /** Event time of the first, milliseconds since 1970. */
  readonly start: number;
}

/** Milliseconds between two readings of a sensor. */
export const periodMs = 10;
const timeDigits = 13;

export function sensorId(gateway: string, sensor: number): string {
  return `${gateway}.${sensor}`;
}

interface Template {
  readonly bytes: Uint8Array;
  readonly packetIdAt: number;
  readonly times: readonly number[];
  readonly vehicles: readonly number[];
  readonly thousandths: readonly number[];
  readonly firstSensor: number;
}

/**
 * PUBLISH frames of line protocol without end, made once and patched: the flood must cost little beside what it loads. Each reading is told from
 * every other, and its values are its number's own (`floodVerdict` knows them, too): `vehicles` = 100 + step mod 900, `speed_avg` = 48 + ((7 step + sensor) mod 1000) / 1000.
 */
export class FloodFrames {
  /** Of the longest message. */
  readonly messageBytes: number;
  readonly #templates: readonly Template[];
  readonly #start: number;
  #step = 0;
  #next = 0;
  #packetId = 0;

  constructor({
    topic,
    gateway,
    batch,
    sensors,
    start,
  }: Numbering & { topic: string; gateway: string; batch: number }) {
    if (sensors % batch !== 0)
      throw new RangeError(`${sensors} sensors do not divide into messages of ${batch} readings`);
    this.#start = start;
    this.#templates = Array.from({ length: sensors / batch }, (_, message) =>
      makeTemplate({ topic, gateway, firstSensor: message * batch, batch }),
    );
    this.messageBytes = Math.max(...this.#templates.map(({ bytes }) => bytes.length));
  }

  /** The next `count` messages, one behind another. */
  next(count: number): Buffer {
    const out = Buffer.allocUnsafe(count * this.messageBytes);
    let length = 0;
    for (let message = 0; message < count; message++) {
      const { bytes, packetIdAt, times, vehicles, thousandths, firstSensor } = this.#templates[this.#next]!;
      out.set(bytes, length);
      this.#packetId = this.#packetId === 60_000 ? 1 : this.#packetId + 1;
      out.writeUInt16BE(this.#packetId, length + packetIdAt);
      const step = this.#step;
      for (const at of times) writeDigits(out, length + at, this.#start + step * periodMs, timeDigits);
      for (const at of vehicles) writeDigits(out, length + at, 100 + (step % 900), 3);
      for (let i = 0; i < thousandths.length; i++) {
        writeDigits(out, length + thousandths[i]!, (step * 7 + firstSensor + i) % 1000, 3);
      }
      length += bytes.length;
      this.#next += 1;
      if (this.#next === this.#templates.length) {
        this.#next = 0;
        this.#step += 1;
      }
    }
    return out.subarray(0, length);
  }
}

function makeTemplate(options: {
  topic: string;
  gateway: string;
  firstSensor: number;
  batch: number;
}): Template {
  const { topic, gateway, firstSensor, batch } = options;
  const [times, vehicles, thousandths]: number[][] = [[], [], []];
  let body = "";
  for (let sensor = firstSensor; sensor < firstSensor + batch; sensor++) {
    body += `traffic_flow,sensor=${sensorId(gateway, sensor)} vehicles=`;
    vehicles!.push(body.length);
    body += "100,speed_avg=48.";
    thousandths!.push(body.length);
    body += "000 ";
    times!.push(body.length);
    body += `${"0".repeat(timeDigits)}\n`;
  }
  const { bytes, bodyAt } = publishFrame(topic, body);
  const moved = (places: readonly number[] = []): number[] => places.map((at) => at + bodyAt);
  return {
    bytes,
    packetIdAt: bodyAt - 2,
    times: moved(times),
    vehicles: moved(vehicles),
    thousandths: moved(thousandths),
    firstSensor,
  };
}
