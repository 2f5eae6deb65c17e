import type { JobStatus } from "#analytics/jobs/job.ts";
import type { DeadLetter, GatewayAccount } from "#telemetry/account.ts";
import { builtinCatalogue as catalogue } from "#telemetry/builtin-catalogue.ts";
import { SensorAttributes } from "#telemetry/sensor.ts";
import type { ReadingQuery, ReadingRows } from "#store/port.ts";
import type { QueryAnswer, QueryRequest } from "#store/query.ts";
import type { PartHealth, PlatformPort, PlatformTotals, SetAsideReadings } from "#api/ports.ts";

export interface MemoryReading {
  readonly series: number;
  readonly time: number;
  /** By field; what is not here is absent. */
  readonly values: Readonly<Record<string, number | boolean>>;
}

export interface MemoryPlatform extends PlatformPort {
  readonly readings: MemoryReading[];
  readonly accountList: GatewayAccount[];
  readonly letters: (DeadLetter & { payload: Uint8Array | null })[];
  /** The last filters that reached the platform. */
  readonly asked: { replay?: object; list?: object };
  /** Writes that came, by gateway, whole. */
  readonly written: { readonly gateway: string; readonly lines: string }[];
  /** Queries that came. */
  readonly queries: QueryRequest[];
  /** What the next writes say, and what the next queries answer. */
  aside: readonly SetAsideReadings[];
  answer: (request: QueryRequest) => QueryAnswer | Promise<QueryAnswer>;
  parts: PartHealth[];
  totalsNow: PlatformTotals;
  jobList: JobStatus[];
}

/** A platform whose readings, ledgers and dead letters are arrays; the series are four sensors of two agencies. */
export function memoryPlatform(): MemoryPlatform {
  const readings: MemoryReading[] = [];
  const accountList: GatewayAccount[] = [];
  const letters: MemoryPlatform["letters"] = [];
  const asked: MemoryPlatform["asked"] = {};
  const written: MemoryPlatform["written"][number][] = [];
  const queries: QueryRequest[] = [];
  const lusail = SensorAttributes.parse({ place: "Lusail" });
  const series = [
    {
      series: 0,
      measurement: "traffic_flow",
      agency: "mobility",
      sensor: "tf-001",
      attributes: SensorAttributes.parse({ place: "Lusail", role: "detector", position: [51.49, 25.42] }),
      gateway: "gw-north",
    },
    {
      series: 1,
      measurement: "traffic_flow",
      agency: "mobility",
      sensor: "tf-002",
      attributes: SensorAttributes.parse({ place: "Doha" }),
      gateway: "gw-north",
    },
    {
      series: 2,
      measurement: "cold_storage",
      agency: "food",
      sensor: "cs-001",
      attributes: lusail,
      gateway: "gw-food",
    },
    {
      series: 3,
      measurement: "traffic_flow",
      agency: "port",
      sensor: "tf-001",
      attributes: undefined,
      gateway: undefined,
    },
  ];
  return {
    catalogue,
    readings,
    accountList,
    letters,
    asked,
    written,
    queries,
    aside: [],
    answer: () => ({ status: 200, contentType: "application/json", body: piecesOf('{"results":[]}\n') }),
    parts: [
      { name: "broker", ok: true },
      { name: "journal", ok: true },
      { name: "store", ok: true },
    ],
    jobList: [],
    totalsNow: {
      received: 0,
      stored: 0,
      duplicate: 0,
      refused: 0,
      waiting: 0,
      journal: 0,
      missing: 0,
      gateways_connected: 0,
    },
    health() {
      return { ready: this.parts.every((part) => part.ok), parts: this.parts };
    },
    series: () => series,
    read: async (query) => select(readings, query),
    async query(request) {
      queries.push(request);
      return await this.answer(request);
    },
    gateway: async (name, password) =>
      password === `${name}-password` ? { name, agency: "mobility" } : undefined,
    async write({ name }, pieces) {
      const lines = Array.from(pieces, (piece) => Buffer.from(piece).toString()).join("");
      written.push({ gateway: name, lines });
      return this.aside;
    },
    accounts: async () => accountList,
    async totals() {
      return this.totalsNow;
    },
    jobs() {
      return this.jobList;
    },
    deadLetters: {
      async list(filter) {
        asked.list = filter;
        return letters.slice(0, filter.limit);
      },
      show: async (id) => letters.find((letter) => letter.id === id),
      async replay(filter) {
        asked.replay = filter;
        return { tried: letters.length, accepted: 0, refused: letters.length };
      },
    },
  };
}

/** An answer's body. */
export async function* piecesOf(...pieces: string[]): AsyncGenerator<Uint8Array> {
  for (const piece of pieces) yield Buffer.from(piece);
}

function select(readings: readonly MemoryReading[], query: ReadingQuery): ReadingRows {
  const fields = catalogue.measurements[catalogue.indexOf(query.measurement)!]!.fields.map(
    ({ name }) => name,
  );
  const direction = query.order === "asc" ? 1 : -1;
  const rows = readings
    .filter(({ series, time }) => query.series.includes(series) && time >= query.from && time < query.to)
    .sort((a, b) => direction * (a.time - b.time) || a.series - b.series)
    .slice(0, query.limit);
  return {
    fields,
    time: rows.map(({ time }) => time),
    series: rows.map(({ series }) => series),
    values: fields.map((field) => rows.map(({ values }) => values[field] ?? null)),
  };
}

export const account: GatewayAccount = {
  gateway: "gw-north",
  agency: "mobility",
  connected: true,
  last_seen: 1_767_225_600_000,
  sensors: 2,
  sent: 12,
  stored: 10,
  merged: 1,
  duplicate: 1,
  refused: 1,
  refused_by_reason: { future: 1 },
  on_its_way: { waiting: 0, journal: 0, missing: 0 },
  missing: [],
  balanced: true,
};

export const letter: DeadLetter = {
  id: "dl-1",
  gateway: "gw-north",
  agency: "mobility",
  at: 1_767_225_600_000,
  channel: "lp",
  reason: "future",
  detail: "The time is 9 min ahead.",
  readings: 1,
  sha256: "0123456789abcdef",
  bytes: 5,
  kept: true,
};
