import type { StoredRow } from "./stored-rows.ts";

/** Readings without end, each told apart from every other by its number: sensors in turn, times that rise, values that are the number's own. */
export class SteadyReadings {
  readonly sensors: readonly string[];
  readonly #start: number;
  readonly #numbers: ReadonlyMap<string, number>;

  /** @param start  Event time of the first, milliseconds since 1970. */
  constructor(prefix: string, start: number, sensors = 20) {
    this.sensors = Array.from({ length: sensors }, (_, i) => `${prefix}.${i}`);
    this.#numbers = new Map(this.sensors.map((sensor, i) => [sensor, i]));
    this.#start = start;
  }

  /** One line, without its newline. */
  line(number: number): string {
    const time = this.#start + Math.floor(number / this.sensors.length) * period;
    return `traffic_flow,sensor=${this.sensors[number % this.sensors.length]} vehicles=${number},speed_avg=${speed(number)} ${time}`;
  }

  lines(from: number, to: number): string {
    let text = "";
    for (let number = from; number < to; number++) text += `${this.line(number)}\n`;
    return text;
  }

  /** The number of the reading that a row holds; throws for a row that no reading of these can have made. */
  numberOf({ sensor, time, fields }: StoredRow): number {
    const place = this.#numbers.get(sensor);
    const step = (time - this.#start) / period;
    const number =
      place === undefined || !Number.isInteger(step) ? Number.NaN : step * this.sensors.length + place;
    if (fields["vehicles"] !== number || fields["speed_avg"] !== speed(number)) {
      throw new Error(`invented: ${sensor} at ${time} has ${JSON.stringify(fields)}`);
    }
    return number;
  }
}

/** Milliseconds between two readings of a sensor. */
const period = 10;

function speed(number: number): number {
  return (number % 1600) / 8;
}
