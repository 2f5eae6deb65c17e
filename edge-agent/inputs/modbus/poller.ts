import { addAbortListener } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { type Log, oncePer } from "#runtime/log.ts";
import { type BackOff, backOffDelay } from "../../back-off.ts";
import type { LineIntake } from "../../line-intake.ts";
import type { Input, InputTarget } from "../input.ts";
import type { Bus, OpenedBus } from "./bus.ts";
import type { ModbusDevice } from "./config.ts";
import { type DevicePlan, decodeShown } from "./device-plan.ts";
import { DeviceStates } from "./device-states.ts";
import type { Failure } from "./frame.ts";
import { PollSchedule } from "./poll-schedule.ts";
import { formatShown } from "./shown-line.ts";

export interface PolledDevice {
  readonly device: ModbusDevice;
  readonly plan: DevicePlan;
  /** Milliseconds between two reads. */
  readonly period: number;
}

export interface PollerOptions {
  readonly connect: string;
  readonly devices: readonly PolledDevice[];
  /** Milliseconds that a device may take to answer. */
  readonly timeout: number;
  readonly reconnect: BackOff;
  readonly open: (signal: AbortSignal) => Promise<OpenedBus>;
  readonly log: Log;
}

/** So many devices in a row that say nothing, over TCP: it may be the connection that is dead. */
const SILENT_BEFORE_RECONNECT = 3;
/** Milliseconds; timers take no more than 2^31. */
const LONGEST_WAIT = 3_600_000;

/** When a device has its next turn: at the next point of its grid, at once, or when its row is on disk. */
interface Turn {
  readonly next: "grid" | "now" | "kept";
  /** Over a new connection. */
  readonly reconnect?: boolean;
}

/**
 * Reads the devices of one bus, one after the other, and puts what they show into the intake. What one device does or does not do never stops the
 * others. While the outbox is full nobody is asked: the devices keep their counters.
 */
export class BusPoller implements Input {
  readonly type = "modbus";
  readonly #options: PollerOptions;
  readonly #intake: LineIntake;
  readonly #target: InputTarget;
  readonly #leaving = new AbortController();
  readonly #states: DeviceStates;
  readonly #schedule: PollSchedule;
  readonly #oncePer10s = oncePer();
  /** By device: number and time of the row that was taken last. */
  readonly #rows: (string | undefined)[] = [];
  #room = Promise.withResolvers<void>();
  /** The schedule has changed beside the loop. */
  #changed = Promise.withResolvers<void>();
  #running: Promise<void> | undefined;

  constructor(options: PollerOptions, intake: LineIntake, target: InputTarget) {
    this.#options = options;
    this.#intake = intake;
    this.#target = target;
    const periods = options.devices.map(({ period }) => period);
    this.#schedule = new PollSchedule(periods, performance.now());
    this.#states = new DeviceStates(options.connect, options.devices, options.log);
  }

  get address(): string {
    return this.#options.connect;
  }

  get counts(): Input["counts"] {
    return { rejectedLines: 0, droppedLines: 0, polling: this.#states.counts };
  }

  start(): void {
    this.#running ??= this.#run();
  }

  resume(): void {
    this.#room.resolve();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#leaving.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#leaving;
    const { open, reconnect } = this.#options;
    let failures = 0;
    while (!signal.aborted) {
      const opened = await open(signal);
      const readsBefore = this.#states.counts.reads;
      if (opened.ok) {
        await using bus = opened.bus;
        await this.#serve(bus);
      } else if (!signal.aborted) {
        this.#unreachable(opened.detail);
      }
      failures = this.#states.counts.reads > readsBefore ? 0 : failures + 1;
      // After a connection that was of use the next one is made at once: many devices close one that is idle.
      if (failures > 0) await this.#pause(backOffDelay(failures, reconnect, Math.random()));
    }
  }

  /** Until the connection ends, or a new one is needed. */
  async #serve(bus: Bus): Promise<void> {
    const { signal } = this.#leaving;
    // The agent's end does not wait for an answer, which may be a minute away.
    using _leaving = addAbortListener(signal, () => void bus[Symbol.asyncDispose]());
    let silentInARow = 0;
    while (!signal.aborted) {
      const { device, wait } = this.#schedule.next(performance.now());
      if (wait > 0) {
        await this.#untilDue(wait);
        continue;
      }
      await this.#untilRoom();
      if (signal.aborted || bus.lost) return;
      const { next, reconnect = false } = await this.#turn(bus, device);
      const now = performance.now();
      if (next === "now") this.#schedule.again(device, now);
      else if (next === "grid") this.#schedule.done(device, now);
      silentInARow = this.#states.kind(device) === "silent" ? silentInARow + 1 : 0;
      if (reconnect || silentInARow >= SILENT_BEFORE_RECONNECT) return;
    }
  }

  async #turn(bus: Bus, index: number): Promise<Turn> {
    const { device, plan } = this.#options.devices[index]!;
    const answers = await this.#read(bus, index);
    if (!Array.isArray(answers)) {
      this.#states.failed(index, answers);
      // Another request on this connection would tell the device that its lost answer had arrived.
      const rowAtStake = plan.row !== undefined && answers.kind !== "refused";
      return answers.kind === "lost"
        ? { next: "now", reconnect: true }
        : { next: "grid", reconnect: rowAtStake };
    }
    const shown = decodeShown(plan, answers);
    if (shown.noTime === undefined) this.#states.answered(index);
    else {
      this.#states.failed(index, { kind: "garbled", detail: "the time register holds no time" });
      // The next request would give a row up: it goes to the platform, whose dead letters keep it with its reason.
      if (plan.row === undefined) return { next: "grid" };
    }
    // A logger that was started anew may count from the same number again.
    const row = plan.row && `${shown.row} ${shown.time ?? shown.noTime}`;
    if (row !== undefined && row === this.#rows[index]) return { next: "grid" };
    const line = formatShown(plan, device.sensor, shown);
    if (line !== undefined) this.#intake.take(line, 0, line.length, Date.now());
    if (row === undefined) {
      this.#target.taken();
      return { next: "grid" };
    }
    // Asking for the next row gives this one up: it has to be on disk. The others are read meanwhile.
    this.#schedule.hold(index);
    void this.#keep(index, row);
    return { next: "kept" };
  }

  /** Lets a device have its next turn when the row that was taken is on disk. */
  async #keep(index: number, row: string): Promise<void> {
    if (!(await this.#target.committed())) return; // the agent ends
    this.#rows[index] = row;
    this.#schedule.again(index, performance.now());
    this.#changed.resolve();
  }

  /** All of a device's registers; a garbled answer is asked for once more, unless a row could be lost by it. */
  async #read(bus: Bus, index: number): Promise<Buffer[] | Failure> {
    const { device, plan } = this.#options.devices[index]!;
    const answers: Buffer[] = [];
    for (const request of plan.requests) {
      let answer = await bus.read(device.unit, request, this.#options.timeout);
      if (!answer.ok && answer.failure.kind === "garbled" && plan.row === undefined)
        answer = await bus.read(device.unit, request, this.#options.timeout);
      if (!answer.ok) return answer.failure;
      answers.push(answer.bytes);
    }
    return answers;
  }

  /** @param wait  Milliseconds; a device that was held may be due before. */
  async #untilDue(wait: number): Promise<void> {
    this.#changed = Promise.withResolvers();
    const over = new AbortController();
    const signal = AbortSignal.any([this.#leaving.signal, over.signal]);
    const slept = sleep(Math.min(wait, LONGEST_WAIT), undefined, { signal }).catch(() => {});
    await Promise.race([slept, this.#changed.promise]);
    over.abort();
  }

  async #untilRoom(): Promise<void> {
    const { signal } = this.#leaving;
    const leave = (): void => this.#room.resolve();
    signal.addEventListener("abort", leave, { once: true });
    while (this.#target.full && !signal.aborted) {
      this.#room = Promise.withResolvers();
      await this.#room.promise;
    }
    signal.removeEventListener("abort", leave);
  }

  async #pause(milliseconds: number): Promise<void> {
    if (milliseconds > 0)
      await sleep(milliseconds, undefined, { signal: this.#leaving.signal }).catch(() => {});
  }

  #unreachable(detail: string): void {
    const { connect, devices, log } = this.#options;
    for (const index of devices.keys()) this.#states.failed(index, { kind: "lost", detail });
    const held = this.#oncePer10s("unreachable");
    if (held !== undefined)
      log.warn(
        { connect, detail, devices: devices.length, held },
        "No connection to these devices; trying again.",
      );
  }
}
