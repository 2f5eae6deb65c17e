import type { Range } from "#telemetry/catalogue.ts";
import type { CitySensor, Device, FieldFormat, SavedDevice } from "../devices/device.ts";
import type { Moment } from "../moment.ts";
import type { Fault } from "./fault.ts";
import type { FaultPlan } from "./plan.ts";

/** What a faulty instrument makes of a device's readings. The device lives on behind it: its counters stay true. */
export class Instrument implements Device {
  readonly #device: Device;
  readonly #plan: FaultPlan;
  readonly #ranges: readonly Range[];
  #fault: Fault | undefined;
  #asked = Number.POSITIVE_INFINITY;
  #until = Number.NEGATIVE_INFINITY;
  /** The values that a stuck instrument goes on saying, and since which fault. */
  #held: { since: number; values: number[] } | undefined;

  /** @param ranges  Physical range of each field: no instrument says more. */
  constructor(device: Device, plan: FaultPlan, ranges: readonly Range[]) {
    this.#device = device;
    this.#plan = plan;
    this.#ranges = ranges;
  }

  get sensor(): CitySensor {
    return this.#device.sensor;
  }

  get measurement(): string {
    return this.#device.measurement;
  }

  get fields(): readonly FieldFormat[] {
    return this.#device.fields;
  }

  get last(): number {
    return this.#device.last;
  }

  get through(): string | undefined {
    return this.#fault?.through;
  }

  speak(moment: Moment, out: Float64Array): number {
    const said = this.#device.speak(moment, out);
    const { time } = moment;
    if (time >= this.#until || time < this.#asked) {
      const answer = this.#plan.ofSensor(this.#device.sensor.id, time);
      this.#fault = answer.fault;
      this.#until = answer.until;
      this.#asked = time;
    }
    return this.#fault === undefined ? said : this.#distort(this.#fault, said, time, out);
  }

  save(): SavedDevice {
    const { state, ...rest } = this.#device.save();
    if (this.#held === undefined) return { ...rest, state };
    const values = this.#held.values.map((value, i) => [`held.${i}`, value]);
    return { ...rest, state: { ...state, "held.since": this.#held.since, ...Object.fromEntries(values) } };
  }

  restore(saved: SavedDevice): void {
    this.#device.restore(saved);
    const since = saved.state["held.since"];
    if (since === undefined) return;
    const values: number[] = [];
    for (let i = 0; saved.state[`held.${i}`] !== undefined; i += 1) values.push(saved.state[`held.${i}`]!);
    this.#held = { since, values };
  }

  #distort(fault: Fault, said: number, time: number, out: Float64Array): number {
    switch (fault.kind) {
      case "drop-out":
      case "gateway-reboot":
        return Number.NaN;
      case "clock-skew":
        return said + Math.round(fault.magnitude * 1000);
      case "stuck":
        this.#hold(fault, out);
        break;
      case "spike":
        this.#add(fault, fault.magnitude, out);
        break;
      case "drift":
        this.#add(fault, (fault.magnitude * (time - fault.from)) / (fault.to - fault.from), out);
        break;
      case "gateway-swap": // another way to the platform
      case "leak": // and these are of the city itself
      case "congestion":
      case "cold-chain-break":
      case "power-cut":
        break;
    }
    return said;
  }

  #hold(fault: Fault, out: Float64Array): void {
    const [first, ...follow] = this.#rows(fault);
    if (first === undefined || !Number.isFinite(out[first])) return;
    if (this.#held?.since !== fault.from)
      this.#held = { since: fault.from, values: [first, ...follow].map((row) => out[row]!) };
    for (const [i, row] of [first, ...follow].entries()) out[row] = this.#held.values[i]!;
  }

  #add(fault: Fault, amount: number, out: Float64Array): void {
    const [first, ...follow] = this.#rows(fault);
    if (first === undefined || !Number.isFinite(out[first])) return;
    const before = out[first]!;
    const [low, high] = this.#ranges[first]!;
    out[first] = Math.min(
      high ?? Number.POSITIVE_INFINITY,
      Math.max(low ?? Number.NEGATIVE_INFINITY, before + amount),
    );
    for (const row of follow) out[row] = before === 0 ? out[row]! : (out[row]! * out[first]) / before;
  }

  #rows({ effects }: Fault): number[] {
    const names = effects[0]?.fields ?? [];
    return names.map((name) => this.#device.fields.findIndex((field) => field.name === name));
  }
}
