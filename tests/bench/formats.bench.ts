/*
 * CPU of the decoders that read JSON (`up/json`, `up/senml`) beside `JSON.parse` of the same bytes, and of `up/lp` for comparison, in interleaved
 * rounds on one core, 100 readings a message:
 *
 *     node tests/bench/formats.bench.ts [--rounds N] [--json]
 */
import { parseArgs } from "node:util";
import { builtinCatalogue } from "#telemetry/builtin-catalogue.ts";
import type { DecodeContext, DecodeCount, ResolveSeries } from "#telemetry/decode.ts";
import { EnvelopeScanner } from "#telemetry/envelope-scanner.ts";
import { LineScanner } from "#telemetry/line-protocol/scanner.ts";
import { SeriesIndex } from "#telemetry/line-protocol/series-index.ts";
import { ReadingTable } from "#telemetry/reading-table.ts";
import { SenmlNames } from "#telemetry/senml/names.ts";
import { SenmlScanner } from "#telemetry/senml/scanner.ts";
import { type BenchDocument, type BenchFigure, type BenchRow, median } from "./result.ts";

const { values: options } = parseArgs({
  options: { rounds: { type: "string", default: "15" }, json: { type: "boolean", default: false } },
});
const rounds = Number(options.rounds);
const { json } = options;

const messages = 200;
const perMessage = 100;
const passes = 5;
const now = 1_763_860_000_000;

interface Sent {
  readonly sensor: string;
  readonly time: number;
  readonly vehicles: number;
  readonly speed: number;
}

const sent = Array.from({ length: messages }, (_, m) =>
  Array.from({ length: perMessage }, (__, i): Sent => {
    const at = m * perMessage + i;
    return {
      sensor: `tf-${at % 5_000}`,
      time: now - at,
      vehicles: at % 60,
      speed: 40 + (at % 50) + 0.2,
    };
  }),
);
const encoder = new TextEncoder();
const bytesOf = (write: (batch: readonly Sent[]) => string): Uint8Array[] =>
  sent.map((batch) => encoder.encode(write(batch)));

const lines = bytesOf((batch) =>
  batch
    .map(
      ({ sensor, time, vehicles, speed }) =>
        `traffic_flow,sensor=${sensor} vehicles=${vehicles},speed_avg=${speed} ${time}\n`,
    )
    .join(""),
);
const envelopesSent = bytesOf((batch) =>
  JSON.stringify(
    batch.map(({ sensor, time, vehicles, speed }) => ({
      measurement: "traffic_flow",
      sensor,
      time,
      fields: { vehicles, speed_avg: speed },
    })),
  ),
);
const packsSent = bytesOf((batch) =>
  JSON.stringify(
    batch.flatMap(({ sensor, time, vehicles, speed }) => [
      { bn: `${sensor}/traffic_flow/`, bt: time / 1000, n: "vehicles", u: "count", v: vehicles },
      { n: "speed_avg", u: "km/h", v: speed },
    ]),
  ),
);
/** A device's history of one field: base values, then times and values. */
const senmlHistory = bytesOf((batch) =>
  JSON.stringify(
    batch.map(({ time, speed }, i) => ({
      ...(i === 0 && { bn: `${batch[0]!.sensor}/traffic_flow/speed_avg`, bt: now / 1000, bu: "km/h" }),
      t: (time - now) / 1000,
      v: speed,
    })),
  ),
);

/** A device with names of its own, which says a value at a time. */
const senmlDevice = bytesOf((batch) =>
  JSON.stringify(
    batch.map(({ sensor, time, speed }) => ({
      bn: `${sensor}:`,
      bt: time / 1000,
      n: "speed",
      u: "km/h",
      v: speed,
    })),
  ),
);

const tables = builtinCatalogue.measurements.map((measurement) => new ReadingTable(measurement, 1024));
const context: DecodeContext = {
  tables,
  gateway: 1,
  now,
  maxFuture: 300_000,
  maxAge: 400 * 86_400_000,
  reject: ({ detail }) => {
    throw new Error(detail);
  },
};
const registered = new Map<string, { series: number; gateway: number }>();
const resolve: ResolveSeries = (measurement, sensor) => {
  const key = `${measurement},${sensor}`;
  const known = registered.get(key) ?? { series: registered.size, gateway: 1 };
  registered.set(key, known);
  return known;
};
const index = new SeriesIndex();
const scanner = new LineScanner(builtinCatalogue);
const envelopes = new EnvelopeScanner(builtinCatalogue);
const packs = new SenmlScanner(builtinCatalogue);
const names = new SenmlNames((sensor) =>
  sensor.includes(":") ? undefined : { speed: "traffic_flow.speed_avg" },
);
const text = new TextDecoder("utf-8", { fatal: true });

const parse = (bytes: Uint8Array): DecodeCount => {
  const value = JSON.parse(text.decode(bytes)) as unknown[];
  return { accepted: value.length, seen: 0, refused: 0 };
};
const decodeJson = (bytes: Uint8Array): DecodeCount => envelopes.scan(bytes, index, resolve, context);
const decodePack = (bytes: Uint8Array): DecodeCount => packs.scan(bytes, names, index, resolve, context);
const decodeLp = (bytes: Uint8Array): DecodeCount =>
  scanner.scan(bytes, 0, bytes.length, index, resolve, context);

const cases: Record<
  string,
  { readonly payloads: readonly Uint8Array[]; readonly decode: (bytes: Uint8Array) => DecodeCount }
> = {
  lp: { payloads: lines, decode: decodeLp },
  "json, JSON.parse": { payloads: envelopesSent, decode: parse },
  json: { payloads: envelopesSent, decode: decodeJson },
  "senml, JSON.parse": { payloads: packsSent, decode: parse },
  senml: { payloads: packsSent, decode: decodePack },
  "senml-history, JSON.parse": { payloads: senmlHistory, decode: parse },
  "senml-device, JSON.parse": { payloads: senmlDevice, decode: parse },
  "senml-device": { payloads: senmlDevice, decode: decodePack },
  "senml-history": { payloads: senmlHistory, decode: decodePack },
};

const titles: Readonly<Record<string, string>> = {
  lp: "100 readings a message, `up/lp`, decoded",
  json: "100 readings a message, `up/json`, decoded",
  senml: "100 readings of two records a message, `up/senml`, decoded",
  "senml-device": "100 values of devices with names of their own a message, `up/senml`, decoded",
  "senml-history": "100 values of one series a message, `up/senml`, decoded",
};

/** CPU-s per million readings by case, one value a round. */
const measured = new Map(Object.keys(cases).map((name) => [name, new Array<number>()]));
let taken = 0;
for (let round = 0; round <= rounds; round += 1) {
  for (const [name, { payloads, decode }] of Object.entries(cases)) {
    const before = process.cpuUsage();
    for (let pass = 0; pass < passes; pass += 1) {
      for (const payload of payloads) taken += decode(payload).accepted;
      for (const table of tables) table.clear();
    }
    const { user, system } = process.cpuUsage(before);
    // The first round is for the compiler.
    if (round > 0) measured.get(name)!.push((user + system) / (passes * messages * perMessage));
  }
  process.stderr.write(`formats: round ${round} of ${rounds}\r`);
}
process.stderr.write("\n");
const expected = (rounds + 1) * Object.keys(cases).length * passes * messages * perMessage;
// A pack of two records a reading is parsed into twice as many.
if (taken !== expected + (rounds + 1) * passes * messages * perMessage)
  throw new Error(`${taken} readings were taken`);

const rows = Object.entries(titles).map(([id, title]): BenchRow => {
  const cpu = measured.get(id)!;
  const parsed = measured.get(`${id}, JSON.parse`);
  const bytes = cases[id]!.payloads.reduce((sum, { length }) => sum + length, 0);
  const ratio: BenchFigure[] = parsed
    ? [
        {
          name: "times JSON.parse",
          unit: "",
          values: cpu.map((value, round) => rounded(value / parsed[round]!)),
          better: "lower",
          aim: { atMost: 1.5 },
        },
      ]
    : [];
  return {
    id: `formats-${id}`,
    title,
    figures: [
      { name: "decoding", unit: "CPU-s per million", values: cpu.map(rounded), better: "lower" },
      ...ratio,
      ...(parsed
        ? [
            {
              name: "JSON.parse alone",
              unit: "CPU-s per million",
              values: parsed.map(rounded),
              better: "lower",
            } as const,
          ]
        : []),
    ],
    note: `${(bytes / (messages * perMessage)).toFixed(0)} bytes a reading; from bytes to columns, all checks made. The bare parse decodes UTF-8 and calls JSON.parse`,
  };
});
if (json) process.stdout.write(`${JSON.stringify({ rows } satisfies BenchDocument)}\n`);
else {
  console.table(
    rows.flatMap(({ id, figures }) =>
      figures.map(({ name, unit, values }) => ({
        id,
        figure: `${name} ${unit}`,
        median: median(values),
        spread: `${Math.min(...values)} … ${Math.max(...values)}`,
      })),
    ),
  );
}

function rounded(value: number): number {
  return Number(value.toFixed(3));
}
