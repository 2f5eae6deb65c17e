import { setTimeout as sleep } from "node:timers/promises";
import ModbusClient from "modbus-serial";

import { lengthOf, type RegisterMap } from "#firmware-sim/modbus/register-map.ts";
import { readRegisters, valueAt } from "./modbus-registers.ts";

/** The package is CommonJS: what its types call the default export is that export's `default`. */
const { default: ModbusRTU } = ModbusClient;
type Client = InstanceType<typeof ModbusRTU>;

/** One row as a master reads it. */
export interface MasterRow {
  readonly row: number;
  readonly time: number;
  readonly fields: Readonly<Record<string, number>>;
}

/** modbus-serial's client, for tests that read devices as an agent would. */
export class ModbusMaster implements Disposable {
  readonly #client: Client;

  private constructor(client: Client) {
    this.#client = client;
  }

  static async connect({ host, port }: { host: string; port: number }): Promise<ModbusMaster> {
    const client = new ModbusRTU();
    await client.connectTCP(host, { port });
    client.setTimeout(5000);
    return new ModbusMaster(client);
  }

  /** Connects again until the device shows something; which moves nothing on. @param register One of its fields'. */
  static async connectWhenReady(
    address: { host: string; port: number },
    unit: number,
    register: number,
    signal?: AbortSignal,
  ): Promise<ModbusMaster> {
    for (;;) {
      signal?.throwIfAborted();
      const master = await ModbusMaster.connect(address);
      master.#client.setTimeout(300);
      const shows = await master.registers(unit, register, 1).catch(() => undefined);
      master.#client.setTimeout(5000);
      if (shows !== undefined) return master;
      master[Symbol.dispose]();
      await sleep(20);
    }
  }

  /** Two bytes a register; rejects with `modbusCode` when the device answers an exception. */
  async registers(unit: number, from: number, count: number): Promise<Buffer> {
    this.#client.setID(unit);
    return (await this.#client.readHoldingRegisters(from, count)).buffer;
  }

  /** A device's row in one request. @param decimals Of each field; without, the values as they stand. */
  async row(
    unit: number,
    map: RegisterMap,
    decimals: Readonly<Record<string, number>> = {},
  ): Promise<MasterRow> {
    const all = [map.time, map.row, ...Object.values(map.fields)];
    const from = Math.min(...all.map(({ register }) => register));
    const bytes = await this.registers(unit, from, lengthOf(map) - from);
    const fields = Object.entries(map.fields).map(([name, field]): [string, number] => {
      const places = decimals[name];
      return [
        name,
        places === undefined ? readRegisters(bytes, field, from) : valueAt(bytes, field, places, from),
      ];
    });
    return {
      row: readRegisters(bytes, map.row, from),
      time: readRegisters(bytes, map.time, from),
      fields: Object.fromEntries(fields),
    };
  }

  /** The client itself, for requests that no agent makes. */
  as(unit: number): Client {
    this.#client.setID(unit);
    return this.#client;
  }

  [Symbol.dispose](): void {
    this.#client.destroy(() => undefined);
  }
}
