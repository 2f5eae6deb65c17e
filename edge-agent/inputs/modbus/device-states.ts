import { type Log, oncePer } from "#runtime/log.ts";
import type { PollingCounts } from "../input.ts";
import type { ModbusDevice } from "./config.ts";
import type { Failure } from "./frame.ts";

const messages: Readonly<Record<Exclude<Failure["kind"], "lost">, string>> = {
  silent: "A device does not answer.",
  refused: "A device refuses to be read.",
  garbled: "A device's answer cannot be read.",
};

interface State {
  /** Of the last turn; undefined: it answered, or was not asked yet. */
  failing: Failure["kind"] | undefined;
  /** Milliseconds of the steady clock. */
  since: number;
}

/** How the devices of one bus are: counted, and each told of in the log at most once in 10 s. */
export class DeviceStates {
  readonly #connect: string;
  readonly #devices: readonly { readonly device: ModbusDevice }[];
  readonly #log: Log;
  readonly #states: State[];
  readonly #oncePer10s = oncePer();
  #reads = 0;
  #failures = 0;

  constructor(connect: string, devices: readonly { readonly device: ModbusDevice }[], log: Log) {
    this.#connect = connect;
    this.#devices = devices;
    this.#log = log;
    this.#states = devices.map(() => ({ failing: undefined, since: 0 }));
  }

  get counts(): PollingCounts {
    const silent = this.#states.filter(({ failing }) => failing !== undefined).length;
    return { reads: this.#reads, failures: this.#failures, silent };
  }

  kind(index: number): Failure["kind"] | undefined {
    return this.#states[index]!.failing;
  }

  answered(index: number): void {
    this.#reads += 1;
    const state = this.#states[index]!;
    if (state.failing === undefined) return;
    state.failing = undefined;
    const held = this.#oncePer10s(`${index} answers`);
    if (held === undefined) return;
    const silent_s = Math.round((performance.now() - state.since) / 1000);
    this.#log.info({ ...this.#names(index), silent_s, held }, "A device answers again.");
  }

  /** Of `lost` the log speaks where the connection is made: it is of all devices. */
  failed(index: number, { kind, detail }: Failure): void {
    this.#failures += 1;
    const state = this.#states[index]!;
    if (state.failing === undefined) state.since = performance.now();
    state.failing = kind;
    if (kind === "lost") return;
    const held = this.#oncePer10s(`${index} ${kind}`);
    if (held !== undefined) this.#log.warn({ ...this.#names(index), detail, held }, messages[kind]);
  }

  #names(index: number): object {
    const { sensor, unit } = this.#devices[index]!.device;
    return { sensor, unit, connect: this.#connect };
  }
}
