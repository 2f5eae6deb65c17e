import { placeBatch } from "#analytics/jobs/place-batch.ts";
import { rollupChoice } from "#analytics/jobs/rollup-choice.ts";
import type { Policy, Rollup } from "#store/query.ts";
import type { ResultBatch, ResultField } from "#store/results.ts";
import { builtinCatalogue } from "#telemetry/builtin-catalogue.ts";
import type { Measurement, TagName } from "#telemetry/catalogue.ts";
import { commodityNames } from "#telemetry/commodities.ts";
import { indicators } from "#telemetry/goals.ts";
import type { ResultName } from "#telemetry/result-names.ts";
import { results } from "#telemetry/results.ts";
import { rollupFields } from "#telemetry/rollup-fields.ts";
import type { Reading } from "../../contract/store/journal.ts";

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

export interface CitySensor {
  readonly measurement: Measurement;
  readonly sensor: string;
  readonly tags: Readonly<Partial<Record<TagName, string>>>;
}

/** The journal's. */
const agency = "test";
const spots = [
  { name: "da", municipality: "QA-DA", district: "QA-DA-msheireb" },
  { name: "ra", municipality: "QA-RA", district: "QA-RA-education-city" },
] as const;

/** Two sensors or more of every measurement, in two places; the first place's are also at the second, under another name. */
export const sensors: readonly CitySensor[] = spots.flatMap(({ name, municipality, district }) => {
  const sensor = (measurement: string, id: string, tags: CitySensor["tags"] = {}): CitySensor => ({
    measurement: builtinCatalogue.measurements[builtinCatalogue.indexOf(measurement)!]!,
    sensor: `${id}-${name}`,
    tags: { municipality, district, ...tags },
  });
  return [
    sensor("traffic_flow", "tf-1", { role: "detector", lane: "1", site: "junction 1", corridor: "Corniche" }),
    sensor("traffic_flow", "tf-2", { role: "detector", lane: "2", site: "junction 1", corridor: "Corniche" }),
    sensor("travel_time", "tt-1", { role: "corridor", corridor: `Corniche ${name}` }),
    sensor("water_flow", "wf-1", { role: "dma_in", dma: `${name} north`, site: "inlet" }),
    sensor("water_flow", "wf-2", { role: "customer", dma: `${name} north` }),
    sensor("water_tank", "wt-1", { role: "storage", site: "tower 1" }),
    sensor("water_quality", "wq-1", { role: "quality", site: "main" }),
    sensor("energy_meter", "em-1", { role: "feeder", site: "substation 1" }),
    sensor("energy_meter", "em-2", { role: "customer", site: "substation 1" }),
    sensor("solar", "so-1", { role: "generator", site: "substation 1" }),
    sensor("cold_storage", "cs-1", { role: "storage", site: "cold store 1", commodity: "dairy" }),
    sensor("cold_storage", "cs-2", { role: "storage", site: "cold store 2", commodity: "fish" }),
    sensor("food_stock", "fs-1", { role: "storage", site: "warehouse 1", commodity: "dairy" }),
    sensor("food_stock", "fs-2", { role: "storage", site: "warehouse 2", commodity: "rice" }),
    sensor("weather", "we-1", { role: "station", site: "roof" }),
    sensor("air_quality", "aq-1", { role: "station", corridor: `Corniche ${name}` }),
    sensor("gateway_health", `gw-1`, { role: "gateway" }),
  ];
});

export const gateways = spots.map(({ name }) => `gw-1-${name}`);

/** Levels that are to show on boards which count what is wrong; others lie in the lower half of what is plausible. */
const levels: Readonly<Record<string, number>> = {
  "traffic_flow.occupancy": 0.5,
  "cs-1.temp": 9,
  "cs-2.temp": -9,
  "energy_meter.power": 420,
  "energy_meter.voltage": 238,
  "energy_meter.current": 17,
  "solar.power": 90,
  "food_stock.stock": 1500,
  "gateway_health.backlog": 12,
  // Of the gateway that is away.
  "gw-1-ra.backlog": 40_000,
  "gateway_health.resent": 1,
  "gateway_health.silent_devices": 1,
};

/** A field's value at a time: a level of its own, and a day's swing. */
export function valueAt({ measurement, sensor }: CitySensor, field: string, time: number): number {
  const { plausible, kind, state } = measurement.fields.find(({ name }) => name === field)!;
  const level =
    levels[`${sensor}.${field}`] ??
    levels[`${sensor.slice(0, 4)}.${field}`] ??
    levels[`${measurement.name}.${field}`] ??
    (plausible[0] === null || plausible[1] === null
      ? 50
      : plausible[0] + 0.3 * (plausible[1] - plausible[0]));
  if (kind === "counter") return Math.round(time / minute) * 0.25 + sensor.length;
  if (state === true) return Math.floor(time / hour) % 2;
  const swing = 1 + 0.1 * Math.sin((2 * Math.PI * time) / day + sensor.charCodeAt(3));
  return level * swing;
}

/** One reading of each sensor, of the newest minutes: enough to make the series. */
export function newestReadings(now: number): Reading[] {
  return sensors.map((city) => ({
    measurement: city.measurement.name,
    sensor: city.sensor,
    time: now - 2 * minute,
    fields: Object.fromEntries(
      city.measurement.fields.map(({ name }) => [name, valueAt(city, name, now - 2 * minute)]),
    ),
  }));
}

const rollupTimes: Readonly<Record<Rollup, (now: number) => { first: number; step: number }>> = {
  rollup_1m: (now) => ({ first: floor(now - 6 * hour, minute), step: minute }),
  rollup_1h: (now) => ({ first: floor(now - 7 * day, hour), step: hour }),
  // The city's midnight, three hours ahead of UTC's.
  rollup_1d: (now) => ({ first: floor(now - 8 * day + 3 * hour, day) - 3 * hour, step: day }),
};

/** Roll-ups as the job would make them of readings once a minute. @param seriesOf  the number the store has given */
export function rollups(now: number, seriesOf: (city: CitySensor) => number): ResultBatch[] {
  const measurements = new Set(sensors.map(({ measurement }) => measurement));
  return (Object.keys(rollupTimes) as Rollup[]).flatMap((policy) =>
    [...measurements].map((measurement) => rollupBatch(policy, measurement, now, seriesOf)),
  );
}

function rollupBatch(
  policy: Rollup,
  measurement: Measurement,
  now: number,
  seriesOf: (city: CitySensor) => number,
): ResultBatch {
  const { first, step } = rollupTimes[policy](now);
  const rows = sensors
    .filter((city) => city.measurement === measurement)
    .flatMap((city) => {
      const count = Math.floor((now - first) / step) + 1;
      return Array.from({ length: count }, (_, i) => ({ city, time: first + i * step }));
    });
  const readings = step / minute;
  const fields = measurement.fields.flatMap((field) =>
    rollupFields(field).map(({ name, of, type }): ResultField => ({
      name,
      type,
      values: Float64Array.from(rows, ({ city, time }) => {
        const value = valueAt(city, field.name, time);
        const known = {
          count: readings,
          covered_s: step / 1000,
          weight: readings * 3,
          increase: readings * 0.25,
        };
        if (of === "sum") return value * readings;
        if (of === "min") return value * 0.98;
        if (of === "max") return value * 1.02;
        return of === "mean" || of === "last" ? value : known[of];
      }),
    })),
  );
  return {
    policy,
    measurement: measurement.name,
    fields,
    time: Float64Array.from(rows, ({ time }) => time),
    series: Uint32Array.from(rows, ({ city }) => seriesOf(city)),
  };
}

interface Row {
  readonly time: number;
  readonly tags: Readonly<Record<string, string>>;
  readonly fields: Readonly<Record<string, number | boolean | string>>;
}

/** Results of the platform's jobs, of every kind in `telemetry/results.ts`. */
export function resultBatches(now: number): ResultBatch[] {
  const made = Object.entries(resultRows(now)).map(([name, rows]) => batchOf(name as Written, rows));
  return [...made, rollupChoice(0), placeBatch(0)];
}

function batchOf(name: ResultName, rows: readonly Row[]): ResultBatch {
  const { fields } = results.find((result) => result.name === name)!;
  const tagSets = [...new Map(rows.map(({ tags }) => [JSON.stringify(tags), tags])).entries()];
  const places = new Map(tagSets.map(([key], place) => [key, place]));
  return {
    policy: "autogen" satisfies Policy,
    measurement: name,
    tagSets: tagSets.map(([, tags]) => tags),
    series: Uint32Array.from(rows, ({ tags }) => places.get(JSON.stringify(tags))!),
    time: Float64Array.from(rows, ({ time }) => time),
    fields: fields.map(({ name: field, type }): ResultField =>
      type === "string"
        ? {
            name: field,
            type,
            values: rows.map(({ fields }) => (fields[field] as string | undefined) ?? null),
          }
        : {
            name: field,
            type,
            values: Float64Array.from(rows, ({ fields }) => Number(fields[field] ?? Number.NaN)),
          },
    ),
  };
}

type Written = Exclude<ResultName, "rollup_choice" | "place">;

function resultRows(now: number): Readonly<Record<Written, readonly Row[]>> {
  const lately = floor(now, minute) - 5 * minute;
  const everyTen = range(floor(now - 7 * day, 10 * minute), lately, 10 * minute);
  const everyDay = range(lately - 8 * day, lately, day);
  const forecastable = [
    ["traffic_flow", "vehicles", "tf-1"],
    ["water_flow", "flow", "wf-1"],
    ["energy_meter", "power", "em-1"],
  ] as const;
  const forecastTags = spots.flatMap(({ name, municipality, district }) =>
    forecastable.flatMap(([measurement, field, sensor]) =>
      ["1h", "24h"].map((lead) => ({
        measurement,
        field,
        agency,
        sensor: `${sensor}-${name}`,
        municipality,
        district,
        lead,
      })),
    ),
  );
  return {
    forecast: forecastTags.flatMap((tags) =>
      range(floor(now - 7 * day, hour), now + 2 * day, hour).map((time) => {
        const city = sensors.find(({ sensor }) => sensor === tags.sensor)!;
        const mean = valueAt(city, tags.field, time);
        const fields = { mean, lo_80: mean * 0.9, hi_80: mean * 1.1, lo_95: mean * 0.8, hi_95: mean * 1.2 };
        return { time, tags, fields: { ...fields, issued: time - hour } };
      }),
    ),
    forecast_accuracy: forecastTags.flatMap((tags) =>
      range(floor(now - 7 * day, hour), now, hour).map((time, i) => ({
        time,
        tags,
        fields: { error: i % 7, mase: 0.7 + (i % 5) / 10, covered_80: i % 5 === 0 ? 0 : 1, covered_95: 1 },
      })),
    ),
    anomaly: spots.flatMap(({ name, municipality, district }) =>
      [1, 2, 50].map((hours) => ({
        time: lately - hours * hour,
        tags: {
          measurement: "water_flow",
          field: "flow",
          agency,
          sensor: `wf-1-${name}`,
          municipality,
          district,
          kind: "level",
        },
        fields: {
          score: 4.5,
          observed: 80.5,
          expected: 20,
          since: lately - hours * hour,
          reason_en: "flow is 4 times its usual value",
          reason_ar: "التدفق أربعة أضعاف المعتاد",
        },
      })),
    ),
    alert: spots.flatMap(({ name, municipality, district }) =>
      ["traffic", "water", "energy", "food", "environment", "platform"].flatMap((domain, i) => {
        const tags = {
          alert: `${domain}-${name}`,
          severity: ["info", "minor", "major", "critical"][i % 4]!,
          kind: "level",
          domain,
          agency,
          municipality,
          district,
        };
        const said = {
          severity_code: i % 4,
          title_en: `Something in ${domain}`,
          title_ar: `شيء في ${domain}`,
          text_en: "It happened.",
          text_ar: "حدث.",
          by: "rules",
          note: "",
        };
        const opened = {
          time: lately - (i + 1) * 20 * minute,
          tags,
          fields: { ...said, state: "open", state_code: 0 },
        };
        // One is over, one is being looked at.
        const changed = [
          { ...opened, time: lately - minute, fields: { ...said, state: "cleared", state_code: 2 } },
          { ...opened, time: lately - minute, fields: { ...said, state: "acknowledged", state_code: 1 } },
        ];
        return [opened, ...changed.slice(i, i + 1)];
      }),
    ),
    kpi: Object.entries(indicators).flatMap(([indicator, { goal }], i) =>
      [undefined, ...spots.map(({ municipality }) => municipality)].flatMap((municipality) =>
        (indicator.startsWith("food_") ? commodityNames.slice(0, 3) : [undefined]).flatMap((subject) =>
          everyDay.map((time) => ({
            time,
            tags: {
              goal,
              indicator,
              period: "month",
              ...(municipality && { municipality }),
              ...(subject && { subject }),
            },
            fields: {
              value: 0.5 + i / 10,
              target: 1,
              baseline: 0.4,
              coverage: 0.97,
              trend: 0.05,
              forecast: 0.9,
              probability: 0.6,
              verdict: "at risk",
              verdict_code: i % 4,
            },
          })),
        ),
      ),
    ),
    quality: sensors.map(({ measurement, sensor, tags: { municipality, district } }, i) => ({
      time: lately,
      tags: {
        measurement: measurement.name,
        agency,
        sensor,
        municipality: municipality!,
        district: district!,
      },
      fields: {
        score: 0.9 + (i % 10) / 100,
        completeness: 0.99,
        lateness: 0.98,
        stuck: 0,
        spikes: 0.001,
        out_of_range: 0,
      },
    })),
    gateway_ledger: gateways.flatMap((gateway, i) =>
      [...everyTen, lately + minute, lately + 4 * minute].map((time, at) => ({
        time,
        tags: { agency, gateway },
        fields: {
          connected: i === 0 || time < lately - 30 * minute,
          silent_s: i === 0 || time < lately - 30 * minute ? 4 : 1800,
          sensors: sensors.length / 2,
          sent: at * 100,
          stored: at * 98,
          duplicate: at,
          refused: at * 120 * i,
          waiting: 0,
          journal: 3,
          missing: i,
        },
      })),
    ),
    platform_queue: ["ingest journal", "ingest waiting", "broker offline"].flatMap((queue, i) =>
      [...everyTen, lately + 4 * minute].map((time) => ({
        time,
        tags: { queue },
        fields: { bytes: (i + 1) * 1e6, bound_bytes: 1e8, fill: (i + 1) / 100 },
      })),
    ),
    platform_rate: [
      "received",
      "stored",
      "duplicate",
      "refused",
      "journal_commit",
      "store_write",
      "http_request",
    ].flatMap((what, i) =>
      [...everyTen, lately + 4 * minute].map((time, at) => ({
        time,
        tags: { what },
        fields: { per_s: 10 * (i + 1), total: at * 600, ...(i > 3 && { p50_s: 0.01 * i, p99_s: 0.1 * i }) },
      })),
    ),
  };
}

function floor(time: number, step: number): number {
  return Math.floor(time / step) * step;
}

/** [from, to] in steps. */
function range(from: number, to: number, step: number): number[] {
  return Array.from({ length: Math.floor((to - from) / step) + 1 }, (_, i) => from + i * step);
}
