import { setTimeout as sleep } from "node:timers/promises";
import type { Log } from "#runtime/log.ts";
import type { EdgeAgentConfig } from "../config.ts";
import type { OpenInput } from "./open-input.ts";

type InputSettings = EdgeAgentConfig["inputs"][number];

export interface InputSetOptions {
  readonly open: (settings: InputSettings, config: EdgeAgentConfig) => Promise<OpenInput>;
  readonly log: Log;
}

interface Entry {
  readonly key: string;
  readonly settings: InputSettings;
  readonly opened: OpenInput;
}

/** What has come through inputs, also through those that are closed by now. */
export interface InputTotals {
  received: number;
  droppedLines: number;
  rejectedLines: number;
  /** Answers of polled devices. */
  reads: number;
  /** Polled devices that gave none. */
  readFailures: number;
}

/** Attempts to open a former input again, and milliseconds between them: whoever took its place may leave. */
const attempts = 10;
const attemptInterval = 200;

/** The inputs of an agent, which may be exchanged while it runs. */
export class InputSet implements AsyncDisposable {
  readonly #options: InputSetOptions;
  readonly #gone: InputTotals = {
    received: 0,
    droppedLines: 0,
    rejectedLines: 0,
    reads: 0,
    readFailures: 0,
  };
  #entries: readonly Entry[] = [];
  #config: EdgeAgentConfig | undefined;

  constructor(options: InputSetOptions) {
    this.#options = options;
  }

  /** In the configuration's order. */
  get open(): readonly OpenInput[] {
    return this.#entries.map(({ opened }) => opened);
  }

  get totals(): InputTotals {
    const totals = { ...this.#gone };
    for (const { opened } of this.#entries) add(totals, opened);
    return totals;
  }

  /** Polled devices that do not answer now; undefined where none are polled. */
  get silentDevices(): number | undefined {
    const polled = this.open.flatMap(({ input }) => input.counts.polling ?? []);
    return polled.length === 0 ? undefined : polled.reduce((sum, { silent }) => sum + silent, 0);
  }

  /**
   * Closes the inputs that `config` has no more, and opens those that are new in it; an input whose own settings are the same is not touched.
   * @throws MarsadError `ADDRESS_IN_USE`, and whatever else opening an input throws; the former inputs are open again then.
   */
  async change(config: EdgeAgentConfig): Promise<void> {
    const former = this.#entries;
    const left = [...former];
    const kept = config.inputs.map((settings) => {
      const key = keyOf(settings, config);
      const place = left.findIndex((entry) => entry.key === key);
      return place === -1 ? undefined : left.splice(place, 1)[0];
    });
    // First: a new one may want the port of an old one.
    await this.#close(left);
    const opened: Entry[] = [];
    try {
      const next: Entry[] = [];
      for (const [index, settings] of config.inputs.entries()) {
        const entry = kept[index] ?? (await this.#open(settings, config));
        if (kept[index] === undefined) {
          opened.push(entry);
          this.#entries = [...this.#entries, entry]; // it counts, and is told of room, while the others are opened
        }
        next.push(entry);
      }
      this.#entries = next;
      this.#config = config;
    } catch (error) {
      await this.#close(opened);
      this.#entries = await this.#reopen(former, left);
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close(this.#entries);
    this.#entries = [];
  }

  async #open(settings: InputSettings, config: EdgeAgentConfig): Promise<Entry> {
    const opened = await this.#options.open(settings, config);
    const { type, address } = opened.input;
    const listens = type === "tcp" || type === "udp";
    this.#options.log.info({ type, address }, listens ? "Listening for readings." : "Asking for readings.");
    return { key: keyOf(settings, config), settings, opened };
  }

  async #close(entries: readonly Entry[]): Promise<void> {
    for (const { opened } of entries) {
      await opened.input[Symbol.asyncDispose]();
      add(this.#gone, opened);
    }
    const closed = new Set(entries);
    this.#entries = this.#entries.filter((entry) => !closed.has(entry));
  }

  async #reopen(former: readonly Entry[], closed: readonly Entry[]): Promise<readonly Entry[]> {
    const entries: Entry[] = [];
    for (const entry of former) {
      if (!closed.includes(entry)) entries.push(entry);
      else {
        const again = await this.#openAgain(entry);
        if (again !== undefined) entries.push(again);
      }
    }
    return entries;
  }

  async #openAgain({ settings }: Entry): Promise<Entry | undefined> {
    const config = this.#config;
    if (config === undefined) return undefined;
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#open(settings, config);
      } catch (error) {
        if (attempt < attempts) await sleep(attemptInterval);
        else {
          this.#options.log.error(
            { err: error, settings },
            "A former input cannot be opened again; it is closed.",
          );
          return undefined;
        }
      }
    }
  }
}

/** All that an input is made of: its own settings, and those register maps that it names. */
function keyOf(settings: InputSettings, { register_maps: maps }: EdgeAgentConfig): string {
  const named = settings.type === "modbus" ? settings.devices.map(({ map }) => maps[map]) : [];
  return JSON.stringify([settings, named]);
}

function add(totals: InputTotals, { input, intake }: OpenInput): void {
  totals.received += intake.received;
  totals.droppedLines += input.counts.droppedLines;
  totals.rejectedLines += input.counts.rejectedLines + intake.tooLong;
  totals.reads += input.counts.polling?.reads ?? 0;
  totals.readFailures += input.counts.polling?.failures ?? 0;
}
