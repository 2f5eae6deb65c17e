import type { JobStatus } from "#analytics/jobs/job.ts";
import type { DeadLetter, GatewayAccount } from "#telemetry/account.ts";
import type { GatewayIdentity } from "#telemetry/names.ts";
import type { Reason } from "#telemetry/rejection.ts";
import type { SensorAttributes } from "#telemetry/sensor.ts";
import type { SeriesEntry } from "#telemetry/series.ts";
import type { Catalogue } from "#telemetry/catalogue.ts";
import type { ReadingQuery, ReadingRows } from "#store/port.ts";
import type { QueryAnswer, QueryRequest } from "#store/query.ts";

/** What the HTTP face needs of the platform; `cli/platform.ts` hands it in. */
export interface PlatformPort {
  readonly catalogue: Catalogue;
  health(): { ready: boolean; parts: readonly PartHealth[] };
  /**
   * The dictionary with each sensor's present attributes (undefined: the sensor left the registry).
   * @param sensors  Different ids: the series of these alone are enough. There can be a million.
   */
  series(sensors?: readonly string[]): readonly (SeriesEntry & {
    attributes: SensorAttributes | undefined;
    gateway: string | undefined;
  })[];
  read(query: ReadingQuery): Promise<ReadingRows>;
  /** Answers InfluxQL; see `Store.query`. */
  query(request: QueryRequest): Promise<QueryAnswer>;
  /** The gateway of this name, if the password is its. May reject when it cannot be told now. */
  gateway(name: string, password: string): Promise<GatewayIdentity | undefined>;
  /**
   * Takes a gateway's readings the way those over MQTT go. Resolves when all of them are on disk.
   * @param pieces  Line protocol in milliseconds; each is used before the next is asked for.
   * @returns what of them is not stored as it came, by reason
   * @throws the signal's reason: the platform holds; the same may be sent again
   */
  write(
    gateway: GatewayIdentity,
    pieces: Iterable<Uint8Array>,
    signal: AbortSignal,
  ): Promise<readonly SetAsideReadings[]>;
  accounts(): Promise<GatewayAccount[]>;
  /** Sums since the platform started, for a live line. */
  totals(): Promise<PlatformTotals>;
  /** The platform's own work. */
  jobs(): readonly JobStatus[];
  deadLetters: {
    list(filter: { gateway?: string; reason?: string; limit: number }): Promise<DeadLetter[]>;
    show(id: string): Promise<(DeadLetter & { payload: Uint8Array | null }) | undefined>;
    /** Decodes kept bytes again, after a catalogue or registry change; what is still refused stays. */
    replay(filter: {
      id?: string;
      gateway?: string;
      reason?: string;
    }): Promise<{ tried: number; accepted: number; refused: number }>;
  };
}

export interface PartHealth {
  readonly name: "broker" | "journal" | "registry" | "store";
  readonly ok: boolean;
  /** One sentence, when not ok. */
  readonly why?: string | undefined;
}

/** Readings of a write that are refused for one reason; `unknown-sensor`: they wait for their sensors to be registered. */
export interface SetAsideReadings {
  readonly reason: Reason;
  /** Of the first of them, for people. */
  readonly detail: string;
  readonly readings: number;
}

/** Readings since the start of the process, but for `waiting` and `journal`, which say how many there are now. */
export interface PlatformTotals {
  readonly received: number;
  readonly stored: number;
  readonly duplicate: number;
  readonly refused: number;
  readonly waiting: number;
  readonly journal: number;
  readonly missing: number;
  readonly gateways_connected: number;
}
