/*
 * CPU of the decoders that read JSON (`up/json`, `up/senml`) beside `JSON.parse` of the same bytes, and of `up/lp` for comparison, in interleaved
 * rounds on one core, 100 readings a message:
 *
 *     node tests/bench/formats.bench.ts [--json]
 */
import { builtinCatalogue } from "#telemetry/builtin-catalogue.ts";
import type { DecodeContext, DecodeCount, ResolveSeries } from "#telemetry/decode.ts";
import { decodeEnvelope } from "#telemetry/envelope.ts";
import { LineScanner } from "#telemetry/line-protocol/scanner.ts";
import { SeriesIndex } from "#telemetry/line-protocol/series-index.ts";
import { ReadingTable } from "#telemetry/reading-table.ts";
import { decodeSenml } from "#telemetry/senml/decode.ts";
import { SenmlNames } from "#telemetry/senml/names.ts";

const messages = 200;
const perMessage = 100;
const rounds = 9;
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
const json = bytesOf((batch) =>
  JSON.stringify(
    batch.map(({ sensor, time, vehicles, speed }) => ({
      measurement: "traffic_flow",
      sensor,
      time,
      fields: { vehicles, speed_avg: speed },
    })),
  ),
);
const senml = bytesOf((batch) =>
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
const names = new SenmlNames(() => undefined);
const text = new TextDecoder("utf-8", { fatal: true });

const parse = (bytes: Uint8Array): DecodeCount => {
  const value = JSON.parse(text.decode(bytes)) as unknown[];
  return { accepted: value.length, seen: 0, refused: 0 };
};
const decodeJson = (bytes: Uint8Array): DecodeCount => decodeEnvelope(bytes, resolve, context);
const decodePack = (bytes: Uint8Array): DecodeCount => decodeSenml(bytes, names, resolve, context);
const decodeLp = (bytes: Uint8Array): DecodeCount =>
  scanner.scan(bytes, 0, bytes.length, index, resolve, context);

const cases: Record<
  string,
  { readonly payloads: readonly Uint8Array[]; readonly decode: (bytes: Uint8Array) => DecodeCount }
> = {
  lp: { payloads: lines, decode: decodeLp },
  "json, JSON.parse": { payloads: json, decode: parse },
  json: { payloads: json, decode: decodeJson },
  "senml, JSON.parse": { payloads: senml, decode: parse },
  senml: { payloads: senml, decode: decodePack },
  "senml history, JSON.parse": { payloads: senmlHistory, decode: parse },
  "senml history": { payloads: senmlHistory, decode: decodePack },
};

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
}
const results = Object.entries(cases).map(([name, { payloads }]) => {
  const sorted = measured.get(name)!.toSorted((a, b) => a - b);
  const median = sorted[Math.floor(rounds / 2)]!;
  const parsed = measured.get(`${name}, JSON.parse`)?.toSorted((a, b) => a - b)[Math.floor(rounds / 2)];
  return {
    name,
    bytes_per_reading: payloads.reduce((sum, { length }) => sum + length, 0) / (messages * perMessage),
    cpu_s_per_million: Number(median.toFixed(3)),
    spread: [Number(sorted[0]!.toFixed(3)), Number(sorted.at(-1)!.toFixed(3))],
    ...(parsed !== undefined && { times_json_parse: Number((median / parsed).toFixed(2)) }),
  };
});
if (process.argv.includes("--json")) {
  process.stdout.write(`${JSON.stringify({ node: process.version, rounds, taken, results })}\n`);
} else console.table(results);
