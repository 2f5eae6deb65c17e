/*
 * Lines a second and CPU of the line-protocol scanner and its oracle, in interleaved rounds on one core:
 *
 *     node tests/bench/scanner.bench.ts [--json]
 */
import { builtinCatalogue } from "#telemetry/builtin-catalogue.ts";
import type { DecodeContext, DecodeCount, ResolveSeries } from "#telemetry/decode.ts";
import { decodeLines } from "#telemetry/line-protocol/oracle.ts";
import { LineScanner } from "#telemetry/line-protocol/scanner.ts";
import { SeriesIndex } from "#telemetry/line-protocol/series-index.ts";
import { ReadingTable } from "#telemetry/reading-table.ts";

const series = 5_000;
const rounds = 9;
const now = 1_763_860_000_000;

/** What one sensor sends, by the shape's name. */
const shapes: Record<string, (i: number) => string> = {
  "4 fields": (i) =>
    `traffic_flow,sensor=tf-${id(i)} vehicles=${i % 60},speed_avg=${40 + (i % 50)}.2,occupancy=0.${10 + (i % 80)},headway_avg=${i % 30}.5 ${now - i}`,
  "3 fields": (i) =>
    `water_flow,sensor=wf-${id(i)} flow=${10 + (i % 500)}.25,volume_total=${123_456 + i}.789,pressure=${i % 800}.75 ${now - i}`,
  "2 fields": (i) =>
    `traffic_flow,sensor=tf-${id(i)} vehicles=${i % 60},speed_avg=${40 + (i % 50)}.2 ${now - i}`,
  "3 fields of 17 digits": (i) =>
    `weather,sensor=ws-${id(i)} temp=${(20 + i / 7919) * 1.1},humidity=${(40 + i / 7907) * 1.1},wind_speed=${1 + i / 7901} ${now - i}`,
  refused: (i) => `traffic_flow,sensor=tf-${id(i)} vehicles=${i % 60},speed=40 ${now - i}`,
};

type Decode = (payload: Uint8Array) => DecodeCount;

const tables = builtinCatalogue.measurements.map((measurement) => new ReadingTable(measurement, series));
const context: DecodeContext = {
  tables,
  gateway: 1,
  now,
  maxFuture: 300_000,
  maxAge: 400 * 86_400_000,
  reject: () => {},
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
const decoders: Record<string, { readonly decode: Decode; readonly passes: number }> = {
  scanner: {
    decode: (payload) => scanner.scan(payload, 0, payload.length, index, resolve, context),
    passes: 40,
  },
  oracle: { decode: (payload) => decodeLines(payload, 0, payload.length, resolve, context), passes: 4 },
};

const results = Object.entries(shapes).flatMap(([shape, line]) => {
  const payload = new TextEncoder().encode(Array.from({ length: series }, (_, i) => `${line(i)}\n`).join(""));
  const rates = new Map(Object.keys(decoders).map((name) => [name, new Array<number>()]));
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, { decode, passes }] of Object.entries(decoders))
      rates.get(name)!.push(rateOf(decode, payload, passes));
  }
  return [...rates].map(([decoder, measured]) => {
    const sorted = measured.toSorted((a, b) => a - b);
    const median = sorted[Math.floor(rounds / 2)]!;
    return {
      decoder,
      shape,
      bytes_per_line: payload.length / series,
      lines_per_cpu_s: Math.round(median),
      spread: [Math.round(sorted[0]!), Math.round(sorted.at(-1)!)],
      cpu_s_per_million: Number((1e6 / median).toFixed(3)),
    };
  });
});

if (process.argv.includes("--json")) {
  process.stdout.write(`${JSON.stringify({ node: process.version, rounds, series, results })}\n`);
} else {
  for (const {
    decoder,
    shape,
    bytes_per_line: bytes,
    lines_per_cpu_s: rate,
    cpu_s_per_million: cpu,
  } of results) {
    process.stdout.write(
      `${decoder.padEnd(8)} ${shape.padEnd(22)} ${bytes.toFixed(0).padStart(4)} B  ${(rate / 1e6).toFixed(2).padStart(5)} M lines/CPU-s  ${cpu} CPU-s/M\n`,
    );
  }
}

/** Lines a CPU-second. */
function rateOf(decode: Decode, payload: Uint8Array, passes: number): number {
  const before = process.cpuUsage();
  let lines = 0;
  for (let pass = 0; pass < passes; pass += 1) {
    for (const table of tables) table.clear();
    const count = decode(payload);
    lines += count.accepted + count.refused;
  }
  const { user, system } = process.cpuUsage(before);
  return lines / ((user + system) / 1e6);
}

function id(i: number): string {
  return String(i).padStart(6, "0");
}
