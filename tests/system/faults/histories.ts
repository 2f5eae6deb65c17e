import * as fc from "fast-check";
import { formatBatchHeader } from "#telemetry/batch-header.ts";
import type { UplinkFormat } from "#telemetry/topic.ts";

const hour = 3_600_000;
const day = 24 * hour;

/** When a reading says that it is of, seen from the moment at which its history begins; milliseconds. */
export const offsets = {
  live: -120_000,
  "a clock 2 h behind": -2 * hour,
  "a clock 2 h ahead": 2 * hour,
  "10 days late": -10 * day,
  "30 days late": -30 * day,
} as const;
type When = keyof typeof offsets;

export interface Reading {
  readonly sensor: number;
  readonly when: When;
  /** After its `when`. */
  readonly second: number;
  readonly fields: Readonly<Record<string, number>>;
}

/** How a batch is sent: with reading numbers, or in a format that has none. */
export type Way = "numbered" | "lp" | "lp-zstd" | "json" | "senml";

export type Step =
  | { readonly do: "send"; readonly way: Way; readonly readings: readonly Reading[] }
  /** A batch of before, without its first readings; under its own numbers, or as if it were new, and then maybe from behind. */
  | {
      readonly do: "send again";
      readonly which: number;
      readonly shift: number;
      readonly way: Way;
      readonly reversed: boolean;
    }
  /** The end of the last numbered batch, and further readings behind it. */
  | { readonly do: "overlap"; readonly tail: number; readonly readings: readonly Reading[] }
  /** Other values for readings of before. */
  | {
      readonly do: "correct";
      readonly which: number;
      readonly way: Way;
      readonly fields: Readonly<Record<string, number>>;
    }
  | { readonly do: "reconnect" };

export interface History {
  readonly steps: readonly Step[];
  /** The step before which the platform is killed. */
  readonly killAt: number;
}

const fields = fc
  .record(
    {
      vehicles: fc.nat(99),
      speed_avg: fc.nat(200).map((n) => n / 2),
      occupancy: fc.nat(64).map((n) => n / 64),
    },
    { requiredKeys: [] },
  )
  .filter((some) => Object.keys(some).length > 0);
const when = fc.oneof(
  { weight: 6, arbitrary: fc.constant<When>("live") },
  { weight: 5, arbitrary: fc.constantFrom<When>(...(Object.keys(offsets) as When[])) },
);
const reading: fc.Arbitrary<Reading> = fc.record({ sensor: fc.nat(3), when, second: fc.nat(59), fields });
const readings = fc.array(reading, { minLength: 1, maxLength: 20 });
const way = fc.constantFrom<Way>("numbered", "numbered", "lp", "lp-zstd", "json", "senml");

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant("send" as const), way, readings }) },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant("send again" as const),
      which: fc.nat(30),
      shift: fc.nat(5),
      way,
      reversed: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("overlap" as const), tail: fc.nat(8), readings }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant("correct" as const), which: fc.nat(30), way, fields }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("reconnect" as const) }) },
);

export const history: fc.Arbitrary<History> = fc
  .array(step, { minLength: 20, maxLength: 50 })
  .chain((steps) => fc.record({ steps: fc.constant(steps), killAt: fc.nat(steps.length - 1) }));

/** One payload of a history. */
export interface Message {
  readonly format: UplinkFormat;
  /** To be compressed, if its format says so. */
  readonly text: string;
  /** What it brings that was not known by its number. */
  readonly arrives: readonly Reading[];
  /** Readings in it that are refused, as its format counts them. */
  readonly future: number;
}

interface Batch {
  readonly first: number;
  readonly readings: readonly Reading[];
}

/** Turns a gateway's steps into payloads, and keeps what the store must hold in the end. */
export class Teller {
  readonly #sensors: readonly string[];
  readonly #outbox: string;
  readonly #begin: number;
  readonly #sent: { readonly first: number | undefined; readonly readings: readonly Reading[] }[] = [];
  #next = 0;
  #last: Batch | undefined;
  /** By sensor and time: what arrived last of each field. */
  readonly rows = new Map<string, Readonly<Record<string, number>>>();
  /** The same of what was refused, for when its time has come. */
  readonly future = new Map<string, Readonly<Record<string, number>>>();
  /** Readings that were told, those that came again among them. */
  told = 0;

  /** @param begin  What `offsets` count from, milliseconds since 1970. */
  constructor(sensors: readonly string[], outbox: string, begin: number) {
    this.#sensors = sensors;
    this.#outbox = outbox;
    this.#begin = begin;
  }

  /** @returns undefined: the step has nothing to be about. */
  tell(step: Exclude<Step, { do: "reconnect" }>): Message | undefined {
    if (step.do === "send") return this.#send(step.way, step.readings);
    if (step.do === "overlap") return this.#overlap(step.tail, step.readings);
    const sent = this.#sent[step.which % Math.max(1, this.#sent.length)];
    if (sent === undefined) return undefined;
    if (step.do === "correct") {
      return this.#send(
        step.way,
        sent.readings.map((reading) => ({ ...reading, fields: step.fields })),
      );
    }
    const again = sent.readings.slice(step.shift);
    if (again.length === 0) return undefined;
    if (step.way === "numbered" && sent.first !== undefined) {
      return this.#message("lp", this.#numbered(sent.first + step.shift, again), again, []);
    }
    return this.#send(step.way === "numbered" ? "lp" : step.way, step.reversed ? again.toReversed() : again);
  }

  #send(way: Way, readings: readonly Reading[]): Message {
    if (way === "numbered") {
      const first = this.#next;
      this.#next += readings.length;
      this.#last = { first, readings };
      this.#sent.push({ first, readings });
      return this.#message("lp", this.#numbered(first, readings), readings, readings);
    }
    this.#sent.push({ first: undefined, readings });
    const text =
      way === "json"
        ? this.#envelope(readings)
        : way === "senml"
          ? this.#pack(readings)
          : this.#lines(readings);
    return this.#message(way, text, readings, readings);
  }

  #overlap(tail: number, further: readonly Reading[]): Message {
    const known = this.#last?.readings.slice(-tail - 1) ?? [];
    const first = this.#next - known.length;
    const readings = [...known, ...further];
    this.#next += further.length;
    this.#last = { first, readings };
    this.#sent.push(this.#last);
    return this.#message("lp", this.#numbered(first, readings), readings, further);
  }

  #message(
    format: UplinkFormat,
    text: string,
    readings: readonly Reading[],
    arrives: readonly Reading[],
  ): Message {
    this.told += readings.length;
    for (const reading of arrives) {
      const rows = isFuture(reading) ? this.future : this.rows;
      const key = `${this.#sensors[reading.sensor]} ${this.#time(reading)}`;
      rows.set(key, { ...rows.get(key), ...reading.fields });
    }
    const refused = arrives.filter(isFuture);
    // Records of one sensor and time are one reading.
    const distinct = new Set(refused.map(({ sensor, second }) => `${sensor} ${second}`));
    return { format, text, arrives, future: format === "senml" ? distinct.size : refused.length };
  }

  #time({ when, second }: Reading): number {
    return this.#begin + offsets[when] + second * 1000;
  }

  #numbered(first: number, readings: readonly Reading[]): string {
    return formatBatchHeader({ outbox: this.#outbox, first, n: readings.length }) + this.#lines(readings);
  }

  #lines(readings: readonly Reading[]): string {
    return readings
      .map((reading) => {
        const pairs = Object.entries(reading.fields).map(([name, value]) => `${name}=${value}`);
        return `traffic_flow,sensor=${this.#sensors[reading.sensor]} ${pairs.join(",")} ${this.#time(reading)}\n`;
      })
      .join("");
  }

  #envelope(readings: readonly Reading[]): string {
    return JSON.stringify(
      readings.map((reading) => ({
        measurement: "traffic_flow",
        sensor: this.#sensors[reading.sensor],
        time: this.#time(reading),
        fields: reading.fields,
      })),
    );
  }

  #pack(readings: readonly Reading[]): string {
    return JSON.stringify(
      readings.flatMap((reading) =>
        Object.entries(reading.fields).map(([n, v]) => ({
          bn: `${this.#sensors[reading.sensor]}/traffic_flow/`,
          bt: this.#time(reading) / 1000,
          n,
          v,
        })),
      ),
    );
  }
}

function isFuture({ when }: Reading): boolean {
  return when === "a clock 2 h ahead";
}
