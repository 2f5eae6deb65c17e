/** An InfluxQL request, as InfluxDB's `/query` takes it. */
export interface QueryRequest {
  /** One statement or several, with `;` between them. */
  readonly q: string;
  /** Undefined: the store's own. */
  readonly db?: string | undefined;
  /** The retention policy of measurements that name none. */
  readonly rp?: string | undefined;
  /** `$name` in the text. */
  readonly params?: Readonly<Record<string, unknown>> | undefined;
  /** How times are written; undefined: RFC 3339. */
  readonly epoch?: "ns" | "u" | "ms" | "s" | "m" | "h" | undefined;
  readonly format: "json" | "csv";
  readonly pretty?: boolean | undefined;
  /** Rows of a piece of a chunked answer; undefined: one document. */
  readonly chunk?: number | undefined;
  /** Ends the query, and what it costs. */
  readonly signal: AbortSignal;
  /** Shorter, lower than the store's own. */
  readonly limits?: Partial<QueryBounds> | undefined;
}

/** What a request may cost; beyond each it ends with an error that says so. */
export interface QueryBounds {
  readonly time_ms: number;
  /** Of an answer. */
  readonly rows: number;
  /** Held in memory between a statement's steps, over all columns. */
  readonly values: number;
}

/** Where nobody says otherwise. */
export const queryBounds: QueryBounds = { time_ms: 30_000, rows: 1_000_000, values: 10_000_000 };

/** In InfluxDB's own form, errors too: 200 with an `error` for a statement, 400 for a request that cannot be read. */
export interface QueryAnswer {
  readonly status: number;
  readonly contentType: string;
  /** Leaving the loop ends the query. What goes wrong in the middle cuts the answer: it throws. */
  readonly body: AsyncIterable<Uint8Array>;
}

/** Retention policies: `autogen` has the readings and what the platform's jobs find, the others readings rolled up. */
export const rollups = ["rollup_1m", "rollup_1h", "rollup_1d"] as const;
export type Rollup = (typeof rollups)[number];
export const policies = ["autogen", ...rollups] as const;
export type Policy = (typeof policies)[number];
/** The embedded store's database. */
export const databaseName = "marsad";
