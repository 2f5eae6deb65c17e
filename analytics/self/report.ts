import type { ResultBatch, ResultField } from "#store/results.ts";
import type { GatewayAccount } from "#telemetry/account.ts";

/** What the platform knows of itself at one moment. */
export interface SelfSnapshot {
  /** ms since 1970 */
  readonly at: number;
  readonly accounts: readonly GatewayAccount[];
  /** Since the start of the process. */
  readonly totals: Readonly<Record<Counted, number>>;
  readonly queues: readonly QueueFill[];
  /** By what takes the time. */
  readonly durations: Readonly<Record<string, Histogram>>;
}

export const counted = ["received", "stored", "duplicate", "refused"] as const;
export type Counted = (typeof counted)[number];

export interface QueueFill {
  readonly name: string;
  readonly bytes: number;
  /** Undefined: bounded by another queue. */
  readonly bound_bytes: number | undefined;
}

/** Cumulative counts of durations up to each bound, as Prometheus has them; the last bound is infinite. */
export interface Histogram {
  /** Seconds, rising. */
  readonly bounds: readonly number[];
  readonly counts: readonly number[];
}

/**
 * The platform's own measurements (`telemetry/results.ts`): the gateways' ledgers and the queues as they are, rates and durations of the time between two
 * snapshots. Without one before there is no rate.
 */
export function selfReport(now: SelfSnapshot, before: SelfSnapshot | undefined): ResultBatch[] {
  return [ledgers(now), queues(now), rates(now, before)].filter(({ time }) => time.length > 0);
}

function ledgers({ at, accounts }: SelfSnapshot): ResultBatch {
  const integer = (name: string, value: (account: GatewayAccount) => number): ResultField =>
    numbers(name, "integer", accounts.map(value));
  return {
    policy: "autogen",
    measurement: "gateway_ledger",
    ...rowsAt(
      at,
      accounts.map(({ agency, gateway }) => ({ agency, gateway })),
    ),
    fields: [
      numbers(
        "connected",
        "boolean",
        accounts.map(({ connected }) => Number(connected)),
      ),
      // A gateway that has never been heard is not silent yet.
      numbers(
        "silent_s",
        "float",
        accounts.map(({ last_seen }) =>
          last_seen === null ? Number.NaN : Math.max(0, at - last_seen) / 1000,
        ),
      ),
      integer("sensors", ({ sensors }) => sensors),
      integer("sent", ({ sent }) => sent),
      integer("stored", ({ stored }) => stored),
      integer("duplicate", ({ duplicate }) => duplicate),
      integer("refused", ({ refused }) => refused),
      integer("waiting", ({ on_its_way }) => on_its_way.waiting),
      integer("journal", ({ on_its_way }) => on_its_way.journal),
      integer("missing", ({ on_its_way }) => on_its_way.missing),
    ],
  };
}

function queues({ at, queues: all }: SelfSnapshot): ResultBatch {
  const float = (name: string, value: (queue: QueueFill) => number | undefined): ResultField =>
    numbers(
      name,
      "float",
      all.map((queue) => value(queue) ?? Number.NaN),
    );
  return {
    policy: "autogen",
    measurement: "platform_queue",
    ...rowsAt(
      at,
      all.map(({ name }) => ({ queue: name })),
    ),
    fields: [
      float("bytes", ({ bytes }) => bytes),
      float("bound_bytes", ({ bound_bytes }) => bound_bytes),
      float("fill", ({ bytes, bound_bytes }) => bound_bytes && bytes / bound_bytes),
    ],
  };
}

function rates(now: SelfSnapshot, before: SelfSnapshot | undefined): ResultBatch {
  const seconds = before === undefined ? Number.NaN : (now.at - before.at) / 1000;
  const perSecond = (total: number, earlier: number | undefined): number =>
    seconds > 0 && earlier !== undefined ? (total - earlier) / seconds : Number.NaN;
  const rows = [
    ...counted.map((what) => ({
      what,
      total: now.totals[what],
      per_s: perSecond(now.totals[what], before?.totals[what]),
      p50_s: Number.NaN,
      p99_s: Number.NaN,
    })),
    ...Object.entries(now.durations).map(([what, histogram]) => {
      const earlier = before?.durations[what];
      const total = histogram.counts.at(-1) ?? 0;
      const recent = earlier === undefined ? histogram : difference(histogram, earlier);
      return {
        what,
        total,
        per_s: perSecond(total, earlier?.counts.at(-1)),
        p50_s: quantile(recent, 0.5),
        p99_s: quantile(recent, 0.99),
      };
    }),
  ];
  const column = (name: "total" | "per_s" | "p50_s" | "p99_s"): ResultField =>
    numbers(
      name,
      name === "total" ? "integer" : "float",
      rows.map((row) => row[name]),
    );
  return {
    policy: "autogen",
    measurement: "platform_rate",
    ...rowsAt(
      now.at,
      rows.map(({ what }) => ({ what })),
    ),
    fields: [column("per_s"), column("total"), column("p50_s"), column("p99_s")],
  };
}

/** One row for each tag set, all at the same time. */
function rowsAt(
  at: number,
  tagSets: readonly Readonly<Record<string, string>>[],
): Pick<ResultBatch, "time" | "series" | "tagSets"> {
  return {
    time: new Float64Array(tagSets.length).fill(at),
    series: Uint32Array.from(tagSets, (_, row) => row),
    tagSets,
  };
}

function numbers(
  name: string,
  type: "float" | "integer" | "boolean",
  values: readonly number[],
): ResultField {
  return { name, type, values: Float64Array.from(values) };
}

function difference({ bounds, counts }: Histogram, earlier: Histogram): Histogram {
  return { bounds, counts: counts.map((count, i) => count - (earlier.counts[i] ?? 0)) };
}

/**
 * The value below which a share `q` of what was counted lies, taken as evenly spread within each bucket (as Prometheus' `histogram_quantile`).
 * @returns seconds; the last finite bound for what lies above it; NaN when nothing was counted.
 */
export function quantile({ bounds, counts }: Histogram, q: number): number {
  const total = counts.at(-1) ?? 0;
  if (total === 0) return Number.NaN;
  const rank = q * total;
  const bucket = counts.findIndex((count) => count >= rank);
  const upper = bounds[bucket]!;
  const lower = bucket === 0 ? 0 : bounds[bucket - 1]!;
  if (!Number.isFinite(upper)) return lower;
  const below = bucket === 0 ? 0 : counts[bucket - 1]!;
  const within = counts[bucket]! - below;
  return within === 0 ? upper : lower + ((upper - lower) * (rank - below)) / within;
}
