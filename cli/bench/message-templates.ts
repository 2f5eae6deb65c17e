import { generate } from "mqtt-packet";

/** Decimal digits of the times. */
const timeDigits = 13;
/** Two fields of each line change with every message: three digits each, so that the store has something to compress honestly. */
const valueDigits = 3;

interface Template {
  readonly bytes: Uint8Array;
  readonly packetIdAt: number;
  readonly times: readonly number[];
  readonly values: readonly number[];
}

/**
 * PUBLISH frames of line protocol, made once and patched for each message: the load generator must cost little beside
 * what it loads. Every message carries new times, so that every reading is a new one.
 */
export class MessageTemplates {
  readonly messageBytes: number;
  readonly #templates: readonly Template[];
  #time: number;
  #next = 0;
  #packetId = 0;
  #seed = 1;

  constructor(options: { topic: string; sensors: readonly string[]; batch: number; startTime: number }) {
    const { topic, sensors, batch, startTime } = options;
    if (sensors.length % batch !== 0) {
      throw new RangeError(`${sensors.length} series do not divide into messages of ${batch} readings`);
    }
    this.#time = startTime;
    const templates: Template[] = [];
    for (let first = 0; first < sensors.length; first += batch)
      templates.push(template(topic, sensors.slice(first, first + batch)));
    this.#templates = templates;
    // Not Math.max(...): a million series, one reading a message, are more than a call takes arguments.
    this.messageBytes = templates.reduce((most, { bytes }) => Math.max(most, bytes.length), 0);
  }

  /** Messages until each sensor had its turn. */
  get count(): number {
    return this.#templates.length;
  }

  /** The next `count` messages, one behind another. */
  next(count: number): Buffer {
    const out = Buffer.allocUnsafe(count * this.messageBytes);
    let length = 0;
    for (let message = 0; message < count; message++) {
      const { bytes, packetIdAt, times, values } = this.#template();
      out.set(bytes, length);
      this.#packetId = this.#packetId === 65_534 ? 1 : this.#packetId + 1;
      out[length + packetIdAt] = this.#packetId >> 8;
      out[length + packetIdAt + 1] = this.#packetId & 0xff;
      for (const at of times) writeDigits(out, length + at, this.#time, timeDigits);
      for (const at of values) writeDigits(out, length + at, this.#random(), valueDigits);
      length += bytes.length;
    }
    return out.subarray(0, length);
  }

  #template(): Template {
    const template = this.#templates[this.#next];
    if (!template) throw new RangeError("no templates");
    this.#next += 1;
    if (this.#next === this.#templates.length) {
      this.#next = 0;
      this.#time += 1_000;
    }
    return template;
  }

  #random(): number {
    this.#seed = (Math.imul(this.#seed, 1_664_525) + 1_013_904_223) | 0;
    return (this.#seed >>> 16) % 1_000;
  }
}

/** One message of one reading of each sensor. 93 bytes a line, as in docs/benchmarks.md. */
function template(topic: string, sensors: readonly string[]): Template {
  const times: number[] = [];
  const values: number[] = [];
  let body = "";
  for (const sensor of sensors) {
    body += `traffic_flow,sensor=${sensor} vehicles=`;
    values.push(body.length);
    body += "100,speed_avg=48.";
    values.push(body.length);
    body += "200,occupancy=0.18 ";
    times.push(body.length);
    body += `${"0".repeat(timeDigits)}\n`;
  }
  const { bytes, bodyAt } = publishFrame(topic, body);
  return {
    bytes,
    packetIdAt: bodyAt - 2,
    times: times.map((at) => at + bodyAt),
    values: values.map((at) => at + bodyAt),
  };
}

/** A PUBLISH at QoS 1 that is to be patched: its packet id stands in the two bytes before the body. */
export function publishFrame(topic: string, body: string): { bytes: Buffer; bodyAt: number } {
  const bytes = generate({
    cmd: "publish",
    topic,
    payload: body,
    qos: 1,
    messageId: 1,
    retain: false,
    dup: false,
  });
  return { bytes, bodyAt: bytes.length - body.length };
}

export function writeDigits(out: Uint8Array, at: number, value: number, digits: number): void {
  let rest = value;
  for (let digit = at + digits - 1; digit >= at; digit--) {
    const next = Math.floor(rest / 10);
    out[digit] = 0x30 + (rest - next * 10);
    rest = next;
  }
}
