/*
 * Lines a second and CPU of an agent's intake, with and without filters, in interleaved rounds on one core:
 *
 *     node tests/bench/filters.bench.ts [--json]
 */
import { BatchBuffer } from "#edge-agent/batch-buffer.ts";
import { LineFilters } from "#edge-agent/filters/line-filters.ts";
import { FilterRule } from "#edge-agent/filters/rule.ts";
import { LineIntake } from "#edge-agent/line-intake.ts";

const series = 1000;
const perSeries = 20;
const rounds = 9;
const passes = 5;
const start = 1_764_000_000_000;
const period = 10_000;
const nothing = Buffer.alloc(0);

const cases: Record<string, readonly object[]> = {
  "no filters": [],
  "filters of other measurements": [
    { measurement: "weather", duplicates: true },
    { measurement: "solar", average: { window_s: 60 } },
  ],
  "filters of other sensors": [{ measurement: "water_flow", sensors: "xx-*", duplicates: true }],
  duplicates: [{ measurement: "water_flow", duplicates: true }],
  "dead-band, 1 in 10 goes": [
    {
      measurement: "water_flow",
      dead_band: { flow: 10, volume_total: 1e9, pressure: 1e9 },
      max_silence_s: 3600,
    },
  ],
  "dead-band, all go": [{ measurement: "water_flow", dead_band: { flow: 0.001 }, max_silence_s: 3600 }],
  "average of 6": [{ measurement: "water_flow", average: { window_s: 60 } }],
};

const bench = Object.entries(cases).map(([name, rules]) => {
  const batch = new BatchBuffer(64 * 1024);
  let sent = 0;
  const seal = (): void => {
    sent += batch.count;
    batch.take(nothing);
  };
  const filters = new LineFilters(rules.map((rule) => FilterRule.parse(rule)));
  const intake = new LineIntake({ batch, seal, filters }, 4096);
  return { name, intake, sent: () => sent, rates: new Array<number>() };
});

let turn = 0;
for (let round = 0; round < rounds; round += 1) {
  for (const { intake, rates } of bench) {
    const payloads = Array.from({ length: passes }, () => payload(turn++));
    const before = process.cpuUsage();
    for (const bytes of payloads) intake.take(bytes, 0, bytes.length, start + 1e9);
    const { user, system } = process.cpuUsage(before);
    rates.push((passes * series * perSeries * 1e6) / (user + system));
  }
}

const results = bench.map(({ name, intake, sent, rates }) => {
  const sorted = rates.toSorted((a, b) => a - b);
  const median = sorted[Math.floor(rounds / 2)]!;
  return {
    name,
    lines_per_cpu_s: Math.round(median),
    spread: [Math.round(sorted[0]!), Math.round(sorted.at(-1)!)],
    cpu_s_per_million: Number((1e6 / median).toFixed(3)),
    sent_share: Number((sent() / intake.received).toFixed(3)),
  };
});
if (process.argv.includes("--json")) {
  process.stdout.write(`${JSON.stringify({ node: process.version, rounds, series, results })}\n`);
} else {
  for (const { name, lines_per_cpu_s: rate, cpu_s_per_million: cpu, sent_share: share } of results) {
    process.stdout.write(
      `${name.padEnd(30)} ${(rate / 1e6).toFixed(2).padStart(6)} M lines/CPU-s  ${cpu.toFixed(3)} CPU-s/M  ${(100 * share).toFixed(0).padStart(3)} % sent\n`,
    );
  }
}

/** One reading of each series for each of the next `perSeries` periods; flow rises by 1 each. */
function payload(nth: number): Buffer {
  const lines: string[] = [];
  for (let i = 0; i < perSeries; i += 1) {
    const at = nth * perSeries + i;
    for (let sensor = 0; sensor < series; sensor += 1) {
      const flow = `${100 + at}.25`;
      lines.push(
        `water_flow,sensor=wf-${String(sensor).padStart(6, "0")} flow=${flow},volume_total=${123_456 + at}.789,pressure=${300 + (at % 50)}.75 ${start + at * period}\n`,
      );
    }
  }
  return Buffer.from(lines.join(""), "latin1");
}
