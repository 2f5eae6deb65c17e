import { MarsadError } from "#runtime/errors.ts";
import type { Log } from "#runtime/log.ts";
import type { ConfigMessage, ConfigReport } from "#telemetry/config-message.ts";
import type { EdgeAgentConfig } from "./config.ts";
import { fixedChanges, mergeRemote } from "./remote-config.ts";
import { type StoredConfig, writeStoredConfig } from "./stored-config.ts";

export interface ConfigKeeperOptions {
  /** Where `config.json` is. */
  readonly folder: string;
  /** What the gateway's own file says. */
  readonly own: EdgeAgentConfig;
  /** What the platform said, in an earlier run. */
  readonly stored: StoredConfig | undefined;
  /** Makes a configuration hold; when it throws, the former one holds still. */
  readonly apply: (config: EdgeAgentConfig) => Promise<void>;
  /** There is a new report for the platform. */
  readonly onReport: () => void;
  readonly log: Log;
}

/**
 * Which configuration holds: the gateway's own file, and over it, key by key, what the platform said last. One change after the other;
 * what says nothing new changes nothing; what cannot be is refused whole.
 */
export class ConfigKeeper implements AsyncDisposable {
  readonly #options: ConfigKeeperOptions;
  #own: EdgeAgentConfig;
  #stored: StoredConfig | undefined;
  #report: ConfigReport | undefined;
  #queue: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(options: ConfigKeeperOptions) {
    this.#options = options;
    this.#own = options.own;
    this.#stored = options.stored;
    if (options.stored !== undefined) this.#report = { revision: options.stored.revision, result: "applied" };
  }

  /** What became of the newest thing the platform said; undefined while it has said nothing. */
  get report(): ConfigReport | undefined {
    return this.#report;
  }

  /** The stored settings cannot hold; the gateway's own do. */
  storedRefused(detail: string): void {
    if (this.#stored === undefined) return;
    this.#refuse(this.#stored.revision, detail);
    this.#stored = undefined;
  }

  /** Takes a `down/config`. Resolves when it holds or is refused; never rejects. */
  receive(message: ConfigMessage): Promise<void> {
    return this.#inTurn(() => this.#receive(message));
  }

  /**
   * Takes what the gateway's own file says now; nothing after the end.
   * @throws MarsadError CONFIG_INVALID, and what opening an input throws; the former configuration holds then.
   */
  reload(own: EdgeAgentConfig): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#closed) return;
      const fixed = fixedChanges(this.#own, own);
      if (fixed.length > 0) {
        const keys = fixed.join(", ");
        throw new MarsadError(
          "CONFIG_INVALID",
          `${keys}: cannot change while the agent runs; start it again`,
        );
      }
      const merged = mergeRemote(own, this.#stored?.config ?? null);
      if (!merged.ok)
        throw new MarsadError("CONFIG_INVALID", `with the platform's settings over it: ${merged.problem}`);
      await this.#options.apply(merged.config);
      this.#own = own;
      this.#options.log.info({}, "The configuration was read again.");
    });
  }

  /** Lets a change that is going on end; there is none after it. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await this.#queue;
  }

  async #receive({ revision, config }: ConfigMessage): Promise<void> {
    if (this.#closed || revision === this.#report?.revision) return;
    const { apply, folder, log, onReport } = this.#options;
    const merged = mergeRemote(this.#own, config);
    if (!merged.ok) return this.#refuse(revision, merged.problem);
    try {
      await apply(merged.config);
    } catch (error) {
      return this.#refuse(revision, error instanceof Error ? error.message : String(error));
    }
    this.#stored = config === null ? undefined : { revision, config };
    this.#report = { revision, result: "applied" };
    log.info({ revision, keys: Object.keys(config ?? {}) }, "The platform's configuration is applied.");
    try {
      await writeStoredConfig(folder, this.#stored);
    } catch (error) {
      log.error({ err: error }, "The platform's configuration holds, but cannot be kept for the next start.");
    }
    onReport();
  }

  #refuse(revision: string, problem: string): void {
    const detail = problem.slice(0, 500);
    this.#report = { revision, result: "refused", detail };
    this.#options.log.error(
      { revision, detail },
      "The platform's configuration is refused; the former one holds.",
    );
    this.#options.onReport();
  }

  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const done = this.#queue.then(work);
    this.#queue = done.catch(() => {});
    return done;
  }
}
