import { compress } from "#runtime/zstd.ts";
import { formatBatchHeader } from "#telemetry/batch-header.ts";
import { formatBirth } from "#telemetry/birth.ts";
import type { UplinkFormat } from "#telemetry/topic.ts";
import type { Chance } from "./chance.ts";

/** Sensors of the gateway that sends, one that it does not own, and one that nobody has registered. */
export const ownSensors = Array.from({ length: 8 }, (_, i) => `s-${i}`);
export const foreignSensor = "f-1";
const unknownSensor = "u-1";
/** A device with names of its own, and what they are. */
export const device = {
  id: "urn:dev:mac:0024befffe804ff1",
  senml: { voltage: "energy_meter.voltage", "temp[Cel]": "weather.temp" },
};

const fields: Readonly<Record<string, readonly string[]>> = {
  traffic_flow: ["vehicles", "speed_avg", "occupancy"],
  water_flow: ["flow", "volume_total"],
  weather: ["temp", "humidity"],
};

interface Sent {
  readonly measurement: string;
  readonly sensor: string;
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly values: Readonly<Record<string, number>>;
}

/** Good payloads of every format. Each payload's readings have times of their own, so that none merges with another's. */
export class Payloads {
  readonly #chance: Chance;
  #time: number;

  /** @param start  Event time of the first reading, milliseconds since 1970; each next is 20 ms later. */
  constructor(chance: Chance, start: number) {
    this.#chance = chance;
    this.#time = start;
  }

  next(format: UplinkFormat): Uint8Array {
    if (format === "lp-zstd") return compress(Buffer.from(this.#lines()));
    if (format === "lp") return Buffer.from(this.#lines());
    return Buffer.from(JSON.stringify(format === "json" ? this.#envelope() : this.#pack()));
  }

  birth(prefix: string): Uint8Array {
    const sensors = this.#some((i) => ({
      id: `${prefix}-${this.#chance.below(500)}${i}`,
      place: this.#chance.pick(["QA-DA", "Doha", "QA-WA"]),
      ...(this.#chance.oneIn(2) && { role: "customer" as const, dma: "dma-7" }),
      ...(this.#chance.oneIn(4) && { position: [51.5, 25.3] as [number, number], valid_from: this.#time }),
    }));
    return Buffer.from(formatBirth({ agent: "fuzz", sensors }));
  }

  #lines(): string {
    const lines = this.#readings().map(({ measurement, sensor, time, values }) => {
      const pairs = Object.entries(values).map(([name, value]) => `${name}=${value}`);
      return `${measurement},sensor=${sensor} ${pairs.join(",")} ${time}\n`;
    });
    const numbered = this.#chance.oneIn(4);
    const header = { outbox: this.#chance.uuid(), first: 0, n: lines.length };
    return `${numbered ? formatBatchHeader(header) : ""}${lines.join("")}`;
  }

  #envelope(): unknown {
    const readings = this.#readings().map(({ measurement, sensor, time, values }) => ({
      measurement,
      sensor,
      time: this.#chance.oneIn(4) ? new Date(time).toISOString() : time,
      fields: values,
    }));
    if (readings.length === 1) return readings[0];
    return this.#chance.oneIn(3) ? { readings } : readings;
  }

  #pack(): unknown {
    const named = this.#readings().flatMap(({ measurement, sensor, time, values }) =>
      Object.entries(values).map(([n, v], i) =>
        i === 0 ? { bn: `${sensor}/${measurement}/`, bt: time / 1000, n, v } : { n, v },
      ),
    );
    if (!this.#chance.oneIn(4)) return named;
    const bt = (this.#time += 20) / 1000;
    return [
      ...named,
      { bn: `${device.id}:`, bt, n: "voltage", u: "V", v: 231 },
      { n: "temp", u: "Cel", v: 21.5 },
    ];
  }

  #readings(): Sent[] {
    return this.#some(() => {
      const measurement = this.#chance.pick(Object.keys(fields));
      const names = fields[measurement]!.slice(0, 1 + this.#chance.below(3));
      const rare = this.#chance.below(24);
      const sensor = rare === 0 ? foreignSensor : rare === 1 ? unknownSensor : this.#chance.pick(ownSensors);
      const values = Object.fromEntries(
        names.map((name) => [
          name,
          name === "vehicles" ? this.#chance.below(60) : this.#chance.below(100) / 100,
        ]),
      );
      return { measurement, sensor, time: (this.#time += 20), values };
    });
  }

  #some<T>(make: (i: number) => T): T[] {
    return Array.from({ length: 1 + this.#chance.below(5) }, (_, i) => make(i));
  }
}
