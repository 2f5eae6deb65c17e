import type { From, SensorRules } from "#analytics/rollup/readings.ts";
import type { Registry } from "#ingest/registry/registry.ts";
import { type SensorRecord, attributesAt } from "#ingest/registry/sensor-record.ts";
import type { SeriesEntry } from "#telemetry/series.ts";

type RulesOf = (series: number, measurement: { readonly period_s: number }) => SensorRules;

/** Rules that are remembered at most; beyond it all are asked for again. */
const mostRemembered = 100_000;

/** What the registry says of the sensors, as roll-ups need it: asked for once a series, and again after a change. */
export function sensorRules(
  registry: Pick<Registry, "record" | "onChange">,
  entryOf: (series: number) => SeriesEntry | undefined,
): RulesOf {
  const remembered = new Map<number, SensorRules>();
  registry.onChange(() => remembered.clear());
  // Most sensors are alike, and share what is said of them.
  const steady = new Map<number, SensorRules>();
  return (series, measurement) => {
    let rules = remembered.get(series);
    if (rules !== undefined) return rules;
    const entry = entryOf(series);
    const record = entry && registry.record(entry.agency, entry.sensor);
    rules = rulesOf(record, measurement.period_s);
    if (isSteady(rules)) {
      const [{ value }] = rules.period_s as [From<number>];
      const alike = steady.get(value) ?? rules;
      steady.set(value, alike);
      rules = alike;
    }
    if (remembered.size >= mostRemembered) remembered.clear();
    remembered.set(series, rules);
    return rules;
  };
}

/** @param usual_s  Seconds between readings where the sensor says nothing else. */
export function rulesOf(record: SensorRecord | undefined, usual_s: number): SensorRules {
  const before = Number.NEGATIVE_INFINITY;
  if (record === undefined)
    return { period_s: [{ from: before, value: usual_s }], rollovers: {}, replacements: [] };
  const times = [before, ...record.births, ...(record.overrides.period_s ?? [])]
    .map((version) => (typeof version === "number" ? version : version.valid_from))
    .toSorted((a, b) => a - b);
  const period_s: From<number>[] = [];
  for (const from of times) {
    const value = attributesAt(record, from).period_s ?? usual_s;
    if (period_s.at(-1)?.value !== value) period_s.push({ from, value });
  }
  const rollovers = Object.fromEntries(
    Object.entries(record.rollovers).map(([field, timeline]) => [
      field,
      [{ from: before, value: null }, ...timeline.map(({ valid_from: from, value }) => ({ from, value }))],
    ]),
  );
  return { period_s, rollovers, replacements: record.replacements };
}

function isSteady({ period_s, rollovers, replacements }: SensorRules): boolean {
  return period_s.length === 1 && replacements.length === 0 && Object.keys(rollovers).length === 0;
}
