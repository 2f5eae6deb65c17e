import type { Address } from "#runtime/address.ts";
import { MarsadError } from "#runtime/errors.ts";
import type { Log } from "#runtime/log.ts";
import type { CellValue, ReplaySink, Series } from "../replay-series.ts";
import { LoggerUnit } from "./logger-unit.ts";
import { maxRegistersPerRead, type FieldRegister, type NamedRegisterMap } from "./register-map.ts";
import { RowMemory } from "./row-memory.ts";
import { openModbusServer, type ModbusServer } from "./server.ts";
import { agentModbus, planUnits, portsOf, type AgentModbus, type Bus } from "./unit-plan.ts";

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
/**
 * An agent puts each row on disk before it asks a bus for the next, and reads several buses at the same time: so it finds the devices of a
 * port, all of which answer there, behind further ports too, and reads a share of them at each.
 */
const maxDoors = 8;

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
  const byPort = Array.from({ length: portsOf(plan) }, (_, port) =>
    plan.flatMap((planned, i) => (planned.port === port ? [{ planned, unit: units[i]! }] : [])),
  );
  const servers: ModbusServer[] = [];
  const close = async (): Promise<void> =>
    void (await Promise.all(servers.map((server) => server[Symbol.asyncDispose]())));
  const open = async (port: number, own: (typeof byPort)[number]): Promise<Address> => {
    const byId = new Map(own.map(({ planned, unit }) => [planned.unit, unit]));
    const options = { log, isReady: () => rows.begun };
    const server = await openModbusServer({ host: address.host, port }, byId, options);
    servers.push(server);
    return server.address;
  };
  const buses: Bus[] = [];
  try {
    for (const [i, own] of byPort.entries()) {
      const doors = [await open(address.port === 0 ? 0 : address.port + i, own)];
      while (doors.length < Math.min(maxDoors, own.length)) doors.push(await open(0, own));
      for (const [door, at] of doors.entries()) {
        const share = own.filter((_, index) => index % doors.length === door);
        buses.push({ address: at, units: share.map(({ planned }) => planned) });
      }
    }
  } catch (error) {
    await close();
    throw error;
  }
  return {
    agent: agentModbus(buses, { poll_ms, timeout_ms }),
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

/**
 * A map for each series, named after what it holds, so that several files' maps can stand in one configuration; series with the same fields of
 * the same measurement share one.
 */
function namedMaps(all: readonly Series[]): NamedRegisterMap[] {
  const known = new Map<string, NamedRegisterMap>();
  return all.map((series) => {
    const name = ["replay", series.measurement, ...series.fields.map((field) => field.name)].join("-");
    const named = known.get(name) ?? { name, map: mapOf(series) };
    known.set(name, named);
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
