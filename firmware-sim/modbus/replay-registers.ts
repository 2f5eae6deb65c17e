import type { Address } from "#runtime/address.ts";
import { MarsadError } from "#runtime/errors.ts";
import type { Log } from "#runtime/log.ts";
import type { CellValue, ReplaySink, Series } from "../replay-series.ts";
import { LoggerUnit } from "./logger-unit.ts";
import { maxRegistersPerRead, type FieldRegister, type NamedRegisterMap } from "./register-map.ts";
import { RowMemory } from "./row-memory.ts";
import { openModbusServer, type ModbusServer } from "./server.ts";
import { agentModbus, planUnits, portsOf, type AgentModbus } from "./unit-plan.ts";

/** A file's readings as the rows of Modbus devices, one a series. */
export interface RegisterSink extends ReplaySink, AsyncDisposable {
  /** The agent's `inputs` and `register_maps` that read it. */
  readonly agent: AgentModbus;
}

/** Rows that a device reads ahead of its master. */
const readAhead = 2048;
/** Time and row; the fields' f64 follow. */
const firstField = 6;
const fieldWidth = 4;
/** A device that has run out of rows is asked again after this time. */
const poll_ms = 1000;
const timeout_ms = 5000;
/** An agent puts each row on disk before it asks a connection for the next: several at once share that work. */
const connections = 16;

/**
 * Shows each series as a device that a master reads row by row: event time, row number and the fields as f64, which hold every cell's value
 * exactly; NaN is an empty cell, true is 1. A row stays until its arrival is proved.
 * @throws MarsadError CONFIG_INVALID: a series that no request can read whole; ADDRESS_IN_USE
 */
export async function openRegisterSink(
  address: Address,
  series: readonly Series[],
  { log, signal }: { log: Log; signal: AbortSignal },
): Promise<RegisterSink> {
  const rows = new RowQueues(series.length, signal);
  const maps = namedMaps(series);
  const units = series.map(
    ({ fields }, i) =>
      new LoggerUnit(
        maps[i]!.map,
        fields.map(({ name }) => name),
        rows.memories[i]!,
      ),
  );
  const plan = planUnits(series.map(({ sensor }, i) => ({ sensor, named: maps[i]! })));
  const servers: ModbusServer[] = [];
  const close = async (): Promise<void> =>
    void (await Promise.all(servers.map((server) => server[Symbol.asyncDispose]())));
  try {
    for (let port = 0; port < portsOf(plan); port += 1) {
      const own = plan.flatMap((planned, i) =>
        planned.port === port ? [[planned.unit, units[i]!] as const] : [],
      );
      const at = { host: address.host, port: address.port === 0 ? 0 : address.port + port };
      servers.push(await openModbusServer(at, new Map(own), { log, isReady: () => rows.begun }));
    }
  } catch (error) {
    await close();
    throw error;
  }
  return {
    agent: agentModbus(
      plan,
      servers.map((server) => server.address),
      { poll_ms, timeout_ms, connections },
    ),
    take: (index, utc, values) => {
      if (!units[index]!.record(utc, Float64Array.from(values, numberOf))) throw beforeUnix(utc);
      return rows.full(index);
    },
    flush: () => {
      rows.begun = true;
      return undefined;
    },
    finish: () => rows.finish(),
    [Symbol.asyncDispose]: close,
  };
}

/** The devices' memories, which hold the file's reader back. */
class RowQueues {
  readonly memories: readonly RowMemory[];
  /** There is something to show. */
  begun = false;
  readonly #signal: AbortSignal;
  #waiting: { holds: () => boolean; resolve: () => void; reject: (reason: unknown) => void } | undefined;

  constructor(count: number, signal: AbortSignal) {
    this.#signal = signal;
    // One more than is read ahead: the row on show, whose arrival was proved.
    this.memories = Array.from({ length: count }, () => new RowMemory(readAhead + 1, () => this.#look()));
    signal.addEventListener("abort", () => this.#waiting?.reject(signal.reason), { once: true });
  }

  /** A pause when this device is far enough ahead of its master. */
  full(index: number): Promise<void> | undefined {
    const { memories } = this;
    if (memories[index]!.unread < readAhead) return undefined;
    this.begun = true;
    return this.#until(() => memories[index]!.unread <= readAhead / 2);
  }

  /** Until the arrival of every row is proved. */
  async finish(): Promise<void> {
    this.begun = true;
    await this.#until(() => this.memories.every(({ unread }) => unread === 0));
  }

  #until(holds: () => boolean): Promise<void> {
    if (this.#signal.aborted) return Promise.reject(this.#signal.reason as Error);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#waiting = { holds, resolve, reject };
    this.#look();
    return promise;
  }

  #look(): void {
    if (this.#waiting?.holds() !== true) return;
    this.#waiting.resolve();
    this.#waiting = undefined;
  }
}

/** A map for each series; series with the same fields of the same measurement share one. */
function namedMaps(all: readonly Series[]): NamedRegisterMap[] {
  const known = new Map<string, NamedRegisterMap>();
  const taken = new Set<string>();
  return all.map((series) => {
    const key = [series.measurement, ...series.fields.map(({ name }) => name)].join(" ");
    const before = known.get(key);
    if (before !== undefined) return before;
    const base = `replay-${series.measurement.replaceAll("_", "-")}`;
    let name = base;
    for (let n = 2; taken.has(name); n += 1) name = `${base}-${n}`;
    const named = { name, map: mapOf(series) };
    known.set(key, named);
    taken.add(name);
    return named;
  });
}

function mapOf({ measurement, sensor, fields }: Series): NamedRegisterMap["map"] {
  const most = Math.floor((maxRegistersPerRead - firstField) / fieldWidth);
  if (fields.length > most) {
    const message = `--map: ${measurement} of sensor ${sensor} has ${fields.length} fields; one Modbus request reads ${most}: play them as lines (--to)`;
    throw new MarsadError("CONFIG_INVALID", message);
  }
  const places = fields.map(({ name, unit }, i): [string, FieldRegister] => [
    name,
    { register: firstField + fieldWidth * i, type: "f64", unit },
  ]);
  return {
    measurement,
    time: { register: 0, type: "u64" },
    row: { register: 4, type: "u32" },
    fields: Object.fromEntries(places),
  };
}

function beforeUnix(utc: number): MarsadError {
  const message = `${new Date(utc).toISOString()} is before 1970, which no register shows: play the file as lines (--to)`;
  return new MarsadError("CONFIG_INVALID", message);
}

function numberOf(value: CellValue): number {
  return value === undefined ? Number.NaN : Number(value);
}
