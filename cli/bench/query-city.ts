import type { ResultBatch, ResultField } from "#store/results.ts";
import type { TagsOf } from "#store/influxdb/tags.ts";
import type { StoreBatch } from "#store/port.ts";
import type { Rollup } from "#store/query.ts";
import { encodeBlock } from "#telemetry/block.ts";
import { builtinCatalogue } from "#telemetry/builtin-catalogue.ts";
import type { Field, Measurement } from "#telemetry/catalogue.ts";
import { commodityNames } from "#telemetry/commodities.ts";
import { places } from "#telemetry/places.ts";
import { ReadingTable } from "#telemetry/reading-table.ts";
import { rollupFields } from "#telemetry/rollup-fields.ts";
import type { SeriesEntry } from "#telemetry/series.ts";

/** Seconds between a sensor's readings. */
const period_s = 10;
const day_s = 86_400;
const batchRows = 100_000;
const rollup_s: Readonly<Record<Rollup, number>> = { rollup_1m: 60, rollup_1h: 3600, rollup_1d: day_s };
/** How far back each roll-up goes, as far as its share of all rows allows: what dashboards ask of it. Readings have the rest. */
const rolledFor: Readonly<Record<Rollup, { readonly days: number; readonly share: number }>> = {
  rollup_1m: { days: 2, share: 0.3 },
  rollup_1h: { days: 62, share: 0.15 },
  rollup_1d: { days: 400, share: 0.05 },
};
/** Those that dashboards ask for. */
const roles = ["dma_in", "customer", "feeder", "storage"];
const gateway = "bench-1";
const agency = "city";

export interface QueryCityOptions {
  /** Of readings and roll-ups together; about so many. */
  readonly rows: number;
  /** Sensors of each measurement of the catalogue. */
  readonly sensors: number;
  /** The last reading's time, ms since 1970. */
  readonly end: number;
}

/** A city of all measurements whose rows follow from their sensor and time alone: for both stores the same, in order of time. */
export interface QueryCity {
  readonly rows: number;
  /** Of the readings, ms since 1970. */
  readonly from: number;
  readonly to: number;
  readonly series: number;
  /** Batches of readings. */
  readonly pieces: number;
  batches(): Generator<StoreBatch>;
  /** Readings of the first measurement after the city's end, so many a batch; they belong to another journal. */
  more(rows: number): Generator<StoreBatch>;
  rollups(): Generator<ResultBatch>;
  /** What the registry would say. */
  readonly tagsOf: TagsOf;
}

interface Source {
  readonly measurement: Measurement;
  /** Series number of its first sensor. */
  readonly first: number;
}

export function queryCity({ rows, sensors, end }: QueryCityOptions): QueryCity {
  const sources = builtinCatalogue.measurements.map((measurement, at): Source => ({
    measurement,
    first: at * sensors,
  }));
  const series = sources.length * sensors;
  const to = Math.floor(end / 1000 / period_s) * period_s * 1000;
  const windows = (Object.keys(rolledFor) as Rollup[]).map((policy) => ({
    policy,
    starts: windowsBefore(to, policy, Math.floor((rolledFor[policy].share * rows) / series)),
  }));
  const rolled = windows.reduce((sum, { starts }) => sum + starts.length, 0);
  const steps = Math.floor(rows / series) - rolled;
  const from = to - steps * period_s * 1000;
  const districts = places.city.municipalities.flatMap(({ code, districts: all }) =>
    all.map((district) => ({ municipality: code, district: district.code })),
  );
  const stepsAtOnce = Math.max(1, Math.floor(batchRows / sensors));
  return {
    rows: (steps + rolled) * series,
    from,
    to,
    series,
    pieces: Math.ceil(steps / stepsAtOnce) * sources.length,
    *batches() {
      let position = 0;
      // By day, as readings come, so that the stores' days and shards fill one after the other.
      for (let begin = 0; begin < steps; begin += stepsAtOnce) {
        for (const source of sources) {
          const table = readings(source, sensors, from, begin, Math.min(stepsAtOnce, steps - begin));
          const block = encodeBlock({
            tables: [table],
            newSeries: begin === 0 ? entriesOf(source, sensors) : [],
            gatewayName: () => gateway,
          });
          yield { journal: "bench", first: position, next: position + 1, blocks: [block] };
          position += 1;
        }
      }
    },
    *more(rows) {
      const [source] = sources;
      const atOnce = Math.max(1, Math.floor(rows / sensors));
      for (let position = 0; ; position += 1) {
        const table = readings(source!, sensors, to, position * atOnce, atOnce);
        const block = encodeBlock({ tables: [table], newSeries: [], gatewayName: () => gateway });
        yield { journal: "bench-more", first: position, next: position + 1, blocks: [block] };
      }
    },
    *rollups() {
      for (const { policy, starts } of windows) {
        for (let begin = 0; begin < starts.length; begin += stepsAtOnce) {
          for (const source of sources)
            yield rolledUp(source, sensors, policy, starts.slice(begin, begin + stepsAtOnce));
        }
      }
    },
    tagsOf: (_agency, sensor) => {
      const number = Number(sensor.slice(sensor.lastIndexOf("-") + 1));
      const tags = {
        ...districts[number % districts.length]!,
        role: roles[number % roles.length]!,
        site: `site ${number % 20}`,
        dma: `dma ${number % 20}`,
        corridor: `corridor ${number % 10}`,
        commodity: commodityNames[number % commodityNames.length]!,
      };
      return [{ from: Number.NEGATIVE_INFINITY, tags }];
    },
  };
}

function entriesOf({ measurement, first }: Source, sensors: number): SeriesEntry[] {
  return Array.from({ length: sensors }, (_, sensor) => ({
    series: first + sensor,
    measurement: measurement.name,
    agency,
    sensor: `${measurement.name}-${sensor}`,
  }));
}

function readings(
  { measurement, first }: Source,
  sensors: number,
  from: number,
  begin: number,
  steps: number,
): ReadingTable {
  const table = new ReadingTable(measurement, steps * sensors);
  const { fields } = measurement;
  for (let step = begin; step < begin + steps; step += 1) {
    const time = from + step * period_s * 1000;
    for (let sensor = 0; sensor < sensors; sensor += 1) {
      const row = table.nextRow();
      table.time[row] = time + ((sensor * 137) % (period_s * 1000));
      table.series[row] = first + sensor;
      for (const [at, field] of fields.entries()) table.values[at]![row] = valueOf(field, sensor, time);
      table.commitRow(0);
    }
  }
  return table;
}

function rolledUp(
  { measurement, first }: Source,
  sensors: number,
  policy: Rollup,
  windows: readonly number[],
): ResultBatch {
  const rows = windows.length * sensors;
  const time = new Float64Array(rows);
  const series = new Uint32Array(rows);
  for (let sensor = 0, row = 0; sensor < sensors; sensor += 1) {
    for (const window of windows) {
      time[row] = window;
      series[row] = first + sensor;
      row += 1;
    }
  }
  const fields = measurement.fields.flatMap((field) =>
    rollupFields(field).map(({ name, type, of }): ResultField => {
      const scale = of === "sum" || of === "count" || of === "covered_s" ? rollup_s[policy] / period_s : 1;
      const values = time.map((at, row) => valueOf(field, series[row]! - first, at) * scale);
      return { name, type, values: type === "integer" ? values.map(Math.round) : values };
    }),
  );
  return { policy, measurement: measurement.name, time, series, fields };
}

/** The last windows that begin before `to`, ms since 1970: as many as the policy keeps, at most `most`. */
function windowsBefore(to: number, policy: Rollup, most: number): number[] {
  const every = rollup_s[policy] * 1000;
  const count = Math.min(most, Math.floor((rolledFor[policy].days * day_s * 1000) / every));
  const last = Math.floor((to - 1) / every) * every;
  return Array.from({ length: count }, (_, at) => last - (count - 1 - at) * every);
}

/** A day's curve of the sensor's own height with some noise, within the field's plausible range; counters rise. */
function valueOf({ kind, plausible, state, type }: Field, sensor: number, time: number): number {
  if (kind === "counter") return Math.round(time / 1000 - 1.6e9) * (1 + (sensor % 7)) * 0.01;
  const hash = Math.imul(time / 1000 + sensor * 7919, 2_654_435_761) >>> 0;
  if (state === true || type === "boolean") return hash & 1;
  const [low, high] = [plausible[0] ?? 0, plausible[1] ?? 1000];
  const daily = 0.5 + 0.35 * Math.sin((time / 1000 / day_s) * 2 * Math.PI + sensor);
  const value = low + (high - low) * (0.15 * (hash / 2 ** 32) + 0.8 * daily);
  return Math.round(value * 100) / 100;
}
