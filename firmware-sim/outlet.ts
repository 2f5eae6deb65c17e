import type { Catalogue } from "#telemetry/catalogue.ts";
import type { CityGateway } from "./city.ts";
import type { Device, DeviceOptions } from "./devices/device.ts";
import { deviceOf } from "./devices/models.ts";
import { LineBuffer, lineShape, type LineShape } from "./line-buffer.ts";
import type { LineSender } from "./line-sender.ts";
import type { Moment } from "./moment.ts";

/** Bytes a chunk: some 800 lines, so that neither the socket nor the agent works for single lines. */
const chunkBytes = 64 * 1024;
const maxFields = 64;

/** The devices behind one gateway, and the wire that their lines leave by. */
export class Outlet {
  readonly gateway: string;
  readonly devices: readonly Device[];
  /** Lines handed to the sender or about to be. */
  lines = 0;
  readonly #shapes: readonly LineShape[];
  readonly #sender: LineSender;
  readonly #buffer = new LineBuffer(chunkBytes);
  readonly #values = new Float64Array(maxFields);

  constructor(
    gateway: CityGateway,
    sender: LineSender,
    options: DeviceOptions & { readonly catalogue: Catalogue },
  ) {
    this.gateway = gateway.name;
    this.devices = gateway.sensors.map((sensor) => deviceOf(sensor, options));
    this.#shapes = this.devices.map(({ measurement, sensor, fields }) =>
      lineShape(options.catalogue, measurement, sensor.id, fields),
    );
    this.#sender = sender;
  }

  /** Lets one device live until `moment` and say so, unless a fault keeps it silent. */
  speak(index: number, moment: Moment): void {
    const time = this.devices[index]!.speak(moment, this.#values);
    if (Number.isNaN(time)) return;
    this.#buffer.append(this.#shapes[index]!, this.#values, time);
    this.lines += 1;
  }

  /** Sends what is due: a full chunk, or everything. Answers a promise when the wire wants a pause. */
  send(what: "full-chunks" | "everything"): Promise<void> | undefined {
    if (this.#buffer.length === 0 || (what === "full-chunks" && !this.#buffer.full)) return undefined;
    return this.#sender.write(this.#buffer.take());
  }
}
