import { setTimeout as sleep } from "node:timers/promises";
import type { Registry } from "prom-client";
import type { Log } from "#runtime/log.ts";
import type { ClosedDayRules } from "./closed-days.ts";
import { DayMetrics } from "./day-metrics.ts";
import type { RewriteLimits } from "./rewrite.ts";
import type { RewriteStep } from "./rewriting.ts";

export interface RewriterOptions {
  /** ms since 1970: when a day is over. */
  readonly now: () => number;
  /** ms between two looks for closed days. */
  readonly interval?: number | undefined;
  readonly rules?: Partial<ClosedDayRules> | undefined;
  readonly limits?: Partial<RewriteLimits> | undefined;
}

interface Engine {
  closedDays(now: number): Promise<string[]>;
  rewriteStep(table: string): Promise<RewriteStep>;
  abandonRewrite(): Promise<void>;
}

const defaultInterval_ms = 60_000;
/** A table whose rewrite failed waits so long; others have their turn. */
const retry_ms = 10 * 60_000;
/** While the store is behind or held. */
const patience_ms = 500;

/** Rewrites closed days one after another, on at most half a core, and not while the store is behind. */
export class DayRewriter implements AsyncDisposable {
  readonly #options: RewriterOptions;
  readonly #engine: Engine;
  readonly #isBehind: () => boolean;
  readonly #onRewritten: () => void;
  readonly #log: Log;
  readonly #metrics: DayMetrics | undefined;
  readonly #stopping = new AbortController();
  readonly #running: Promise<void>;
  /** Table -> not before this time of `performance.now()`. */
  readonly #later = new Map<string, number>();

  constructor(
    options: RewriterOptions & {
      engine: Engine;
      isBehind: () => boolean;
      onRewritten: () => void;
      log: Log;
      metrics: Registry | undefined;
    },
  ) {
    this.#options = options;
    this.#engine = options.engine;
    this.#isBehind = options.isBehind;
    this.#onRewritten = options.onRewritten;
    this.#log = options.log;
    this.#metrics = options.metrics && new DayMetrics(options.metrics);
    this.#running = this.#run();
  }

  /** Leaves off, in the middle of a day if need be; what was begun is undone. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#stopping.signal.aborted) {
      this.#stopping.abort();
      await this.#engine
        .abandonRewrite()
        .catch((error: unknown) => this.#log.warn({ err: error }, "The rewrite of a day was left as it is."));
    }
    await this.#running;
  }

  async #run(): Promise<void> {
    while (await this.#pause(this.#options.interval ?? defaultInterval_ms)) {
      const tables = await this.#due();
      for (const [i, table] of tables.entries()) {
        this.#metrics?.waiting(tables.length - i);
        if ((this.#later.get(table) ?? 0) > performance.now()) continue;
        await this.#rewrite(table);
        if (this.#stopping.signal.aborted) return;
      }
      this.#metrics?.waiting(tables.filter((table) => this.#later.has(table)).length);
    }
  }

  async #due(): Promise<string[]> {
    try {
      return await this.#engine.closedDays(this.#options.now());
    } catch {
      return []; // the store has troubles of its own, which its calls tell
    }
  }

  async #rewrite(table: string): Promise<void> {
    const begun = performance.now();
    this.#later.delete(table);
    try {
      while (!this.#stopping.signal.aborted) {
        if (this.#isBehind()) {
          if (!(await this.#pause(patience_ms))) return;
          continue;
        }
        const stepBegun = performance.now();
        const { state, rows } = await this.#engine.rewriteStep(table);
        const took = performance.now() - stepBegun;
        if (state === "done") return this.#done(table, (performance.now() - begun) / 1000, rows);
        if (state === "gone") return;
        if (state === "disturbed") {
          this.#metrics?.notDone("disturbed");
          this.#later.set(table, performance.now() + retry_ms);
          this.#log.info({ table, retry_ms }, "A closed day changed too much to be rewritten; later.");
          return;
        }
        if (!(await this.#pause(state === "held" ? patience_ms : took))) return;
      }
    } catch (error) {
      if (this.#stopping.signal.aborted) return;
      this.#metrics?.notDone("failed");
      this.#later.set(table, performance.now() + retry_ms);
      this.#log.warn({ err: error, table, retry_ms }, "A closed day could not be rewritten in series order.");
    }
  }

  #done(table: string, seconds: number, rows: number): void {
    this.#metrics?.done(seconds, rows);
    this.#log.info({ table, rows, seconds }, "A closed day was rewritten in series order.");
    this.#onRewritten();
  }

  /** Whether to go on after it. */
  async #pause(ms: number): Promise<boolean> {
    try {
      await sleep(ms, undefined, { signal: this.#stopping.signal, ref: false });
    } catch {
      return false;
    }
    return true;
  }
}
