import type { Catalogue } from "#telemetry/catalogue.ts";
import type { CityGateway } from "./city.ts";
import type { Device, DeviceOptions } from "./devices/device.ts";
import { deviceOf } from "./devices/models.ts";
import { LineBuffer, lineShape, type LineShape } from "./line-buffer.ts";
import type { LineSender } from "./line-sender.ts";
import { GatewayMeters } from "./modbus/gateway-meters.ts";
import type { Moment } from "./moment.ts";

/** Bytes a chunk: some 800 lines, so that neither the socket nor the agent works for single lines. */
const chunkBytes = 64 * 1024;
const maxFields = 64;

/** The devices behind one gateway, the wire that their lines leave by, and the registers of those that speak Modbus. */
export class Outlet {
  readonly gateway: string;
  readonly devices: readonly Device[];
  /** Those that speak Modbus while live; undefined: all send lines. */
  readonly meters: GatewayMeters | undefined;
  /** By gateway: where devices speak whose own gateway was swapped. */
  #others: ReadonlyMap<string, Outlet> = new Map();
  /** Whose wire the last line took. */
  #last: Outlet = this;
  /** Lines handed to the sender or about to be. */
  lines = 0;
  readonly #shapes: readonly LineShape[];
  readonly #sender: LineSender;
  readonly #buffer = new LineBuffer(chunkBytes);
  readonly #values = new Float64Array(maxFields);

  constructor(
    gateway: CityGateway,
    sender: LineSender,
    options: DeviceOptions & { readonly catalogue: Catalogue; readonly memory?: number | undefined },
  ) {
    this.gateway = gateway.name;
    this.devices = gateway.sensors.map((sensor) => deviceOf(sensor, options));
    this.#shapes = this.devices.map(({ measurement, sensor, fields }) =>
      lineShape(options.catalogue, measurement, sensor.id, fields),
    );
    this.#sender = sender;
    this.meters =
      options.memory === undefined ? undefined : new GatewayMeters(gateway, this.devices, options.memory);
  }

  /** Readings that left: lines handed to the sender or about to be, and rows that an agent fetched. */
  get sent(): number {
    return this.lines + (this.meters?.counts.fetched ?? 0);
  }

  /** Lets the devices of each outlet speak through the others, when a fault has swapped their gateway. */
  static joinWires(outlets: readonly Outlet[]): void {
    const byGateway = new Map(outlets.map((outlet) => [outlet.gateway, outlet]));
    for (const outlet of outlets) outlet.#others = byGateway;
  }

  /**
   * Lets one device live until `moment` and say so, unless a fault keeps it silent: in a line or, when it speaks Modbus, in its registers.
   */
  speak(index: number, moment: Moment, by: "line" | "own-protocol"): void {
    const device = this.devices[index]!;
    const time = device.speak(moment, this.#values);
    if (Number.isNaN(time)) return;
    if (by === "own-protocol" && this.meters?.record(device, time, this.#values)) return;
    const { through } = device;
    const outlet = through === undefined ? this : (this.#others.get(through) ?? this);
    this.#last = outlet;
    outlet.#buffer.append(this.#shapes[index]!, this.#values, time);
    this.lines += 1;
  }

  /** Sends what is due: a full chunk, or everything. Answers a promise when the wire wants a pause. */
  send(what: "full-chunks" | "everything"): Promise<void> | undefined {
    const pause = this.#last === this ? undefined : this.#last.#sendOwn(what);
    const own = this.#sendOwn(what);
    return pause === undefined ? own : pause.then(() => own);
  }

  #sendOwn(what: "full-chunks" | "everything"): Promise<void> | undefined {
    if (this.#buffer.length === 0 || (what === "full-chunks" && !this.#buffer.full)) return undefined;
    return this.#sender.write(this.#buffer.take());
  }
}
