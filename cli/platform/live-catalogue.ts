import type { Log } from "#runtime/log.ts";
import { type Catalogue, extendCatalogue, type Measurement } from "#telemetry/catalogue.ts";
import { loadCatalogue } from "./catalogue.ts";

/** The catalogue of a running platform: `catalogue.d` may add measurements to it. */
export class LiveCatalogue {
  readonly #folder: string;
  readonly #log: Log;
  #current: Catalogue;

  private constructor(folder: string, current: Catalogue, log: Log) {
    this.#folder = folder;
    this.#current = current;
    this.#log = log;
  }

  /** @throws MarsadError CONFIG_INVALID, naming file and key. */
  static async open(folder: string, log: Log): Promise<LiveCatalogue> {
    return new LiveCatalogue(folder, await loadCatalogue(folder), log);
  }

  get current(): Catalogue {
    return this.#current;
  }

  /**
   * Reads `catalogue.d` again. Only what is new can be taken over: readings on their way were checked against what was there. The rest is logged, and
   * waits for a restart.
   */
  async reload(add: (measurements: readonly Measurement[]) => void): Promise<void> {
    let next: Catalogue;
    try {
      next = await loadCatalogue(this.#folder);
    } catch (error) {
      this.#log.error({ err: error }, "catalogue.d was not taken; the former catalogue holds.");
      return;
    }
    const { catalogue, added, changed, removed } = extendCatalogue(this.#current, next);
    if (added.length > 0) {
      add(added);
      this.#current = catalogue;
      this.#log.info({ added: added.map(({ name }) => name) }, "The catalogue has new measurements.");
    }
    if (changed.length + removed.length > 0) {
      this.#log.warn(
        { changed, removed },
        "Changed and removed measurements hold as they were until the platform is started again.",
      );
    }
  }
}
