import type { TagVersion } from "#store/influxdb/tags.ts";
import type { StoreBatch } from "#store/port.ts";
import type { ResultBatch } from "#store/results.ts";
import { type Reading, type Shapes, TestJournal } from "../store/journal.ts";

/**
 * A little city, the same for every store: four days around the night in March when Berlin's clocks go forward, and a day around the
 * one in October when they go back. With equal values, gaps, missing fields and tags, negative values, a counter that is reset, and a
 * sensor that moves. But for `moment` no two sensors measure at the same millisecond: in which order InfluxDB gives such rows is by chance.
 */
export const begin = Date.UTC(2026, 2, 27);
export const end = Date.UTC(2026, 2, 31);
const minute = 60_000;
const hour = 60 * minute;
const moved = Date.UTC(2026, 2, 29);

const shapes: Shapes = {
  road: { vehicles: "integer", speed: "float", open: "boolean" },
  water: { flow: "float", total: "float", pressure: "float" },
  weather: { temp: "float" },
  moment: { vehicles: "integer" },
};

const always = Number.NEGATIVE_INFINITY;
const tags: Readonly<Record<string, readonly TagVersion[]>> = {
  "tf-1": [{ from: always, tags: { municipality: "QA-DA", district: "west bay", role: "main" } }],
  "tf-2": [{ from: always, tags: { municipality: "QA-DA", district: "al khor, north", corridor: "c=1" } }],
  "tf-3": [{ from: always, tags: { municipality: "QA-RA" } }],
  "tf-5": [{ from: always, tags: { municipality: "QA-RA", district: "الدوحة", role: 'it\'s "x\\y"' } }],
  "tf-6": [
    { from: always, tags: { municipality: "QA-DA", district: "old port" } },
    { from: moved, tags: { municipality: "QA-DA", district: "new port", role: "main" } },
  ],
  "w-1": [{ from: always, tags: { municipality: "QA-DA", dma: "d-1", commodity: "water" } }],
  "w-2": [{ from: always, tags: { municipality: "QA-RA", dma: "d-2", commodity: "water" } }],
};

/** The registry's answer. */
export function tagsOf(_agency: string, sensor: string): readonly TagVersion[] {
  return tags[sensor] ?? [];
}

/** 0 … below - 1, the same whenever it is asked. */
function pick(seed: string, below: number): number {
  let hash = 2_166_136_261;
  for (const character of seed) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 16_777_619) >>> 0;
  hash ^= hash >>> 15;
  hash = Math.imul(hash, 2_246_822_519) >>> 0;
  return ((hash ^ (hash >>> 13)) >>> 0) % below;
}

function road(sensor: string, time: number): Reading {
  const key = `${sensor} ${time}`;
  const fields: Record<string, number | boolean> = {};
  if (pick(`v${key}`, 7) > 0) fields["vehicles"] = pick(`a${key}`, 12) - 1;
  if (pick(`s${key}`, 5) > 0) fields["speed"] = 30 + pick(`b${key}`, 500) / 10;
  if (sensor !== "tf-3" || Object.keys(fields).length === 0) fields["open"] = pick(`o${key}`, 3) > 0;
  return { measurement: "road", sensor, time, fields };
}

function water(sensor: string, time: number): Reading {
  const key = `${sensor} ${time}`;
  const hours = (time - (time < Date.UTC(2026, 2, 29, 12) ? begin : Date.UTC(2026, 2, 29, 12))) / hour;
  const fields: Record<string, number> = {
    flow: (pick(`f${key}`, 40) - 8) / 4,
    total: hours * 10 + pick(key, 5),
  };
  if (sensor === "w-1") fields["pressure"] = 3.5;
  return { measurement: "water", sensor, time, fields };
}

/** All of them. */
export function readings(): Reading[] {
  const all: Reading[] = [];
  for (let time = begin; time < end; time += 30 * minute) {
    const sinceBegin = (time - begin) / hour;
    all.push(road("tf-1", time));
    if (sinceBegin < 30 || sinceBegin >= 41) all.push(road("tf-2", time + 1));
    all.push(road("tf-3", time + 7_250));
    if (sinceBegin < 20) all.push(road("tf-4", time + 15 * minute));
    if (sinceBegin % 3 === 0) all.push(road("tf-5", time + 2), water("w-2", time + 1));
    if (sinceBegin % 1 === 0) all.push(road("tf-6", time + 3), water("w-1", time));
    if (sinceBegin % 6 === 0)
      for (const [index, sensor] of ["ws-1", "ws-2"].entries()) {
        const temp = (pick(`t${sensor}${time}`, 90) - 30) / 2;
        all.push({ measurement: "weather", sensor, time: time + index, fields: { temp } });
      }
  }
  for (let time = Date.UTC(2026, 9, 24, 12); time < Date.UTC(2026, 9, 25, 12); time += hour)
    all.push(road("tf-1", time), road("tf-2", time + 1));
  const moment = Date.UTC(2026, 9, 24, 20);
  for (const [index, sensor] of ["tf-1", "tf-2", "tf-3", "tf-4", "tf-5"].entries())
    all.push({ measurement: "moment", sensor, time: moment, fields: { vehicles: index } });
  return all;
}

/** As ingest would give it. */
export class DataSet {
  readonly #journal = new TestJournal(shapes);

  constructor() {
    this.#journal.append(readings());
  }

  batch(): StoreBatch {
    return this.#journal.batch(0);
  }

  /** Means over an hour as the roll-up job would write them, and findings with text in them. */
  results(): ResultBatch[] {
    const hours = Array.from({ length: 96 }, (_, index) => begin + index * hour);
    const rows = ["tf-1", "tf-6"].flatMap((sensor) =>
      hours.map((time) => ({
        time,
        series: this.#journal.seriesOf("road", sensor),
        key: `${sensor}${time}`,
      })),
    );
    const findings = Array.from({ length: 12 }, (_, index) => ({ time: begin + index * 5 * hour, index }));
    return [
      {
        policy: "rollup_1h",
        measurement: "road",
        fields: [
          {
            name: "speed_mean",
            type: "float",
            values: Float64Array.from(rows, ({ key }) => 40 + pick(key, 400) / 10),
          },
          {
            name: "vehicles_sum",
            type: "float",
            values: Float64Array.from(rows, ({ key }) => pick(key, 50)),
          },
          {
            name: "vehicles_count",
            type: "integer",
            values: Float64Array.from(rows, ({ key }) => (pick(key, 6) === 0 ? Number.NaN : 2)),
          },
        ],
        time: Float64Array.from(rows, ({ time }) => time),
        series: Uint32Array.from(rows, ({ series }) => series),
      },
      {
        policy: "autogen",
        measurement: "anomaly",
        fields: [
          { name: "score", type: "float", values: Float64Array.from(findings, ({ index }) => index / 4) },
          {
            name: "since",
            type: "integer",
            values: Float64Array.from(findings, ({ time, index }) =>
              index % 5 === 0 ? Number.NaN : time - hour,
            ),
          },
          {
            name: "reason_en",
            type: "string",
            values: findings.map(({ index }) =>
              index % 4 === 0 ? null : (["far too high", 'it\'s "stuck"', "a, b = c"][index % 3] ?? null),
            ),
          },
          {
            name: "reason_ar",
            type: "string",
            values: findings.map(({ index }) => (index % 3 === 0 ? "عالية" : null)),
          },
        ],
        time: Float64Array.from(findings, ({ time }) => time),
        series: Uint32Array.from(findings, ({ index }) => index % 3),
        tagSets: [
          { measurement: "road", sensor: "tf-1", kind: "spike" },
          { measurement: "road", sensor: "tf-2", kind: "stuck" },
          { measurement: "water", sensor: "w-1", kind: "spike", district: "west bay" },
        ],
      },
      {
        policy: "autogen",
        measurement: "rollup_choice",
        fields: [
          { name: "rollup", type: "string", values: ["autogen", "rollup_1m", "rollup_1h", "rollup_1d"] },
          { name: "from_ms", type: "integer", values: Float64Array.of(0, 6 * hour, 48 * hour, 960 * hour) },
          {
            name: "to_ms",
            type: "integer",
            values: Float64Array.of(6 * hour, 48 * hour, 960 * hour, 2 ** 52),
          },
        ],
        time: new Float64Array(4),
        series: Uint32Array.of(0, 1, 2, 3),
        tagSets: ["autogen", "rollup_1m", "rollup_1h", "rollup_1d"].map((policy) => ({ policy })),
      },
    ];
  }
}
