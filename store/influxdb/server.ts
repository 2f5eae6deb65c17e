import { setTimeout as sleep } from "node:timers/promises";
import { type MarsadError, hasCode } from "#runtime/errors.ts";
import { type Refusal, refusalOf } from "./answers.ts";
import { type InfluxAddress, InfluxHttp } from "./http.ts";
import { type InfluxSeries, type QueryTarget, query } from "./query.ts";
import type { Rollup } from "../query.ts";
import { type Destination, type Version, detectVersion, prepare, retain } from "./versions.ts";

/** Connections for queries, beside those for writes. */
const queryConnections = 2;
/** Milliseconds between two attempts to reach it that nobody waits for. */
const probeInterval = 5_000;

export interface ServerOptions extends InfluxAddress, Destination {
  /** Milliseconds until a write is answered. */
  readonly timeout: number;
  readonly connections: number;
}

/** One InfluxDB: found out what it is, made ready, written to, asked. */
export class InfluxServer implements AsyncDisposable {
  readonly #options: ServerOptions;
  readonly #writes: InfluxHttp;
  readonly #queries: InfluxHttp;
  readonly #closed = new AbortController();
  readonly #probing: Promise<void>;
  #version: Version | undefined;
  #hint: string | undefined;
  #preparing: Promise<Version> | undefined;
  #trouble: string | undefined = "InfluxDB has not answered yet";
  #heard_ms = Number.NEGATIVE_INFINITY;

  constructor(options: ServerOptions) {
    this.#options = options;
    this.#writes = new InfluxHttp(options, options.connections);
    this.#queries = new InfluxHttp(options, queryConnections);
    this.#probing = this.#probe();
  }

  /** Why it does not answer, if so. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  /** What an operator has to do by hand, if anything: database or retention are not as they were asked for. */
  get advice(): string | undefined {
    return this.#hint;
  }

  /**
   * Writes lines, of readings and results or of a roll-up. @returns undefined when all of them were taken, else what it says against them.
   * @throws MarsadError STORE_UNAVAILABLE: the same lines may be taken later
   */
  async write(
    lines: Uint8Array,
    rollup?: Rollup,
  ): Promise<(Refusal & { readonly status: number }) | undefined> {
    return await this.#watched(async () => {
      await this.#ready();
      const { timeout } = this.#options;
      const answer = await this.#writes.request({
        method: "POST",
        path: this.#writePath(rollup),
        body: lines,
        timeout,
      });
      const { status, body } = answer;
      if (status === 204 || status === 200) return undefined;
      const refusal = refusalOf(status, body);
      if (refusal !== undefined) return { ...refusal, status };
      const hint = this.#hint;
      if (status === 404) this.#version = undefined; // the database went away: the next attempt makes it again
      throw this.#writes.unexpected(status, body, hint);
    });
  }

  /** @throws MarsadError STORE_UNAVAILABLE */
  async *query(statement: string, timeout: number): AsyncGenerator<InfluxSeries> {
    await this.#ready(); // a policy that is not made yet has no rows: an error to it
    const { database, policy } = this.#options;
    const target: QueryTarget = { database, policy, timeout };
    yield* query(this.#queries, statement, target);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed.abort();
    this.#writes[Symbol.dispose]();
    this.#queries[Symbol.dispose]();
    await this.#probing;
  }

  /**
   * Says how long a policy keeps its rows.
   * @returns what an operator has to do by hand, if anything
   * @throws MarsadError STORE_UNAVAILABLE
   */
  async retain(policy: string | undefined, retentionDays: number): Promise<string | undefined> {
    return await this.#watched(async () => {
      const version = await this.#ready();
      return await retain(this.#queries, version, { ...this.#options, policy, retentionDays });
    });
  }

  #writePath(rollup: Rollup | undefined): string {
    const policy = rollup ?? this.#options.policy;
    const parameters = new URLSearchParams({ db: this.#options.database, precision: "ms" });
    if (policy !== undefined) parameters.set("rp", policy);
    return `/write?${parameters.toString()}`;
  }

  /** What it is, once database and retention are made. */
  async #ready(): Promise<Version> {
    if (this.#version !== undefined) return this.#version;
    this.#preparing ??= this.#prepare().finally(() => (this.#preparing = undefined));
    return await this.#preparing;
  }

  async #prepare(): Promise<Version> {
    const version = await detectVersion(this.#queries);
    this.#hint = await prepare(this.#queries, version, this.#options);
    this.#version = version;
    return version;
  }

  /** Whether it is there shows also while nothing is to be written. */
  async #probe(): Promise<void> {
    const { signal } = this.#closed;
    while (!signal.aborted) {
      if (performance.now() - this.#heard_ms >= probeInterval) {
        await this.#watched(async () => {
          if (this.#version === undefined) await this.#ready();
          else await detectVersion(this.#queries);
        }).catch(() => undefined); // trouble says it
      }
      await sleep(probeInterval, undefined, { signal }).catch(() => undefined);
    }
  }

  async #watched<T>(work: () => Promise<T>): Promise<T> {
    try {
      const result = await work();
      this.#trouble = undefined;
      this.#heard_ms = performance.now();
      return result;
    } catch (error) {
      if (hasCode(error, "STORE_UNAVAILABLE")) this.#trouble = (error as MarsadError).message;
      throw error;
    }
  }
}
