import { setTimeout as sleep } from "node:timers/promises";
import { oncePer, type Log } from "#runtime/log.ts";
import type { City } from "./city.ts";
import { liveSchedule } from "./live-schedule.ts";
import type { MeterCounts } from "./modbus/gateway-meters.ts";
import { momentAt } from "./moment.ts";
import type { Outlet } from "./outlet.ts";
import { writeState, type SimState } from "./state-file.ts";
import { makeZone, type Zone } from "#telemetry/zone.ts";

/**
 * `at`, `from` and `to` are simulated times, ms since 1970; `sent` and `total` count readings (in history: of this stretch). What meters
 * that speak Modbus say live is sent once an agent has fetched it; until then it is unread.
 */
export type Progress =
  | { readonly kind: "history"; from: number; to: number; at: number; sent: number; total: number }
  | { readonly kind: "live"; sent: number; unread: number; overwritten: number };

interface SimulationOptions {
  readonly city: City;
  readonly outlets: readonly Outlet[];
  readonly history_ms: number;
  readonly step_ms: number;
  readonly livePeriod_ms: number;
  readonly folder: string;
  readonly signal: AbortSignal;
  readonly log: Log;
  readonly onProgress?: (progress: Progress) => void;
  readonly now?: () => number;
  /** Resolves when all lines are with the kernel, or after this long. */
  readonly flushed: (patience_ms: number) => Promise<void>;
}

/** Readings of history between two saves: a few seconds' work. */
const readingsPerSave = 500_000;
const liveSave_ms = 5000;
/** How long an agent that is away delays a save while live. */
const livePatience_ms = 1000;
/** Shortest sleep between two looks at the schedule: a large city speaks in small bursts. */
const liveNap_ms = 20;
const progress_ms = 1000;

interface Rhythm {
  readonly step_ms: number;
  readonly livePeriod_ms: number;
}

/**
 * Simulated time: from the past in steps of history up to now, then live. It never passes `now`. History is lines, of meters too, as the
 * memory of a data logger is brought over; live each device speaks its own protocol. A step is said in one of the two, never in both.
 *
 * What is said is a function of the last saved state alone, up to that state's `until`; so a process that was killed between two saves
 * says the same again, and no counter falls.
 */
export class Simulation {
  readonly #options: SimulationOptions;
  readonly #zone: Zone;
  readonly #now: () => number;
  /** All devices, the gateways' in turn, so that a live period is even for each gateway too. */
  readonly #inTurn: readonly { outlet: Outlet; index: number }[];
  #rhythm: Rhythm;
  #phase: SimState["phase"] = "history";
  #at = 0;
  #until = 0;
  /** Whether all devices stand at `#at`: only then may they be saved. */
  #whole = false;
  #reported_ms = Number.NEGATIVE_INFINITY;
  #overwritten = 0;
  readonly #sometimes = oncePer();

  constructor(options: SimulationOptions) {
    this.#options = options;
    this.#zone = makeZone(options.city.zone);
    this.#now = options.now ?? Date.now;
    this.#rhythm = options;
    this.#inTurn = options.outlets
      .flatMap((outlet) => outlet.devices.map((_device, index) => ({ outlet, index })))
      .map((turn) => ({ turn, place: (turn.index + 0.5) / turn.outlet.devices.length }))
      .sort((a, b) => a.place - b.place)
      .map(({ turn }) => turn);
  }

  /** Until the signal aborts: then it returns between two steps, or rejects with the signal's reason. */
  async run(saved: SimState | undefined): Promise<void> {
    const { signal, step_ms, history_ms, log } = this.#options;
    if (saved !== undefined) await this.#resume(saved);
    const earliest = Math.ceil((this.#now() - history_ms) / step_ms) * step_ms;
    this.#at = Math.max(this.#at, earliest - step_ms);
    this.#whole = true;
    while (!signal.aborted) {
      const behind_ms = this.#now() - this.#at;
      if (behind_ms >= this.#enoughForHistory) {
        log.info({ from: new Date(this.#at), behind_ms }, "Sending history.");
        await this.#history();
      } else {
        log.info({ sensors: this.#inTurn.length }, "Live.");
        await this.#live();
      }
    }
  }

  /** Hands all lines to the senders, without waiting for them. */
  handOver(): void {
    for (const outlet of this.#options.outlets) outlet.send("everything")?.catch(() => undefined);
  }

  /** Saves where everything stopped; nothing may be on its way any more. */
  async saveAtRest(): Promise<void> {
    if (!this.#whole) return;
    this.#until = this.#at;
    await this.#write();
  }

  get #enoughForHistory(): number {
    return 2 * Math.max(this.#rhythm.step_ms, this.#rhythm.livePeriod_ms);
  }

  async #resume(saved: SimState): Promise<void> {
    for (const { outlet, index } of this.#inTurn) {
      const device = outlet.devices[index]!;
      const own = saved.devices[device.sensor.id];
      if (own !== undefined) device.restore(own);
    }
    this.#at = saved.at;
    this.#until = saved.until;
    this.#rhythm = saved;
    const limit = Math.min(saved.until, this.#now());
    if (saved.phase === "history") await this.#stepsUntil(limit);
    else await this.#turnsUntil(limit);
    this.#rhythm = this.#options;
  }

  async #history(): Promise<void> {
    const from = this.#at;
    const sentBefore = this.#lines();
    const { step_ms } = this.#rhythm;
    const steps = Math.max(1, Math.ceil(readingsPerSave / this.#inTurn.length));
    const report = (): void => {
      const to = this.#now();
      const total = Math.floor((to - from) / step_ms) * this.#inTurn.length;
      this.#report({ kind: "history", from, to, at: this.#at, sent: this.#lines() - sentBefore, total });
    };
    this.#phase = "history";
    while (!this.#options.signal.aborted && this.#nextStep() <= this.#now()) {
      await this.#save(this.#at + steps * step_ms, Number.POSITIVE_INFINITY);
      await this.#stepsUntil(Math.min(this.#until, this.#now()), () => this.#everySecond(report));
    }
    report();
  }

  async #live(): Promise<void> {
    const report = (): void => {
      const { unread, overwritten } = this.#meterCounts();
      this.#tellOfOverwritten(overwritten);
      this.#report({ kind: "live", sent: this.#sent(), unread, overwritten });
    };
    this.#phase = "live";
    this.#until = this.#at; // what the last save allows was history
    report();
    while (!this.#options.signal.aborted) {
      if (this.#now() - this.#at >= this.#enoughForHistory) return;
      if (this.#at >= this.#until) await this.#save(this.#at + liveSave_ms, livePatience_ms);
      const nextDue = await this.#turnsUntil(Math.min(this.#until, this.#now()));
      this.#everySecond(report);
      const nap_ms = Math.max(liveNap_ms, Math.min(nextDue, this.#until) - this.#now());
      await sleep(Math.min(nap_ms, progress_ms), undefined, { signal: this.#options.signal });
    }
  }

  /** All devices at each step of the grid that is later than `at` and not later than `limit`. */
  async #stepsUntil(limit: number, onStep?: () => void): Promise<void> {
    const { outlets, city, signal } = this.#options;
    for (let time = this.#nextStep(); time <= limit && !signal.aborted; time = this.#nextStep()) {
      const moment = momentAt(city.seed, this.#zone, time);
      this.#whole = false;
      for (const outlet of outlets) {
        for (let index = 0; index < outlet.devices.length; index += 1) {
          outlet.speak(index, moment, "line");
          const pause = outlet.send("full-chunks");
          if (pause !== undefined) await pause;
        }
      }
      this.#at = time;
      this.#whole = true;
      onStep?.();
    }
  }

  #nextStep(): number {
    const { step_ms } = this.#rhythm;
    return (Math.floor(this.#at / step_ms) + 1) * step_ms;
  }

  /** The devices whose turn comes later than `at` and not later than `limit`, sent at once; answers when the next one is due. */
  async #turnsUntil(limit: number): Promise<number> {
    const { city, outlets } = this.#options;
    const schedule = liveSchedule(this.#inTurn.length, this.#rhythm.livePeriod_ms, this.#at);
    this.#whole = false;
    while (schedule.nextDue <= limit) {
      const moment = momentAt(city.seed, this.#zone, schedule.nextDue);
      const { outlet, index } = this.#inTurn[schedule.take()]!;
      outlet.speak(index, moment, "own-protocol");
      const pause = outlet.send("full-chunks");
      if (pause !== undefined) await pause;
    }
    this.#at = Math.max(this.#at, limit);
    this.#whole = true;
    for (const outlet of outlets) await outlet.send("everything");
    return schedule.nextDue;
  }

  async #save(until: number, patience_ms: number): Promise<void> {
    for (const outlet of this.#options.outlets) await outlet.send("everything");
    await this.#options.flushed(patience_ms);
    this.#until = until;
    await this.#write();
  }

  async #write(): Promise<void> {
    const devices = this.#inTurn.map(({ outlet, index }) => outlet.devices[index]!);
    await writeState(this.#options.folder, {
      version: 2,
      seed: this.#options.city.seed,
      phase: this.#phase,
      at: this.#at,
      until: this.#until,
      step_ms: this.#rhythm.step_ms,
      livePeriod_ms: this.#rhythm.livePeriod_ms,
      devices: Object.fromEntries(devices.map((device) => [device.sensor.id, device.save()])),
      memories: Object.fromEntries(this.#options.outlets.flatMap(({ meters }) => meters?.save() ?? [])),
    });
  }

  #lines(): number {
    return this.#options.outlets.reduce((sum, { lines }) => sum + lines, 0);
  }

  #sent(): number {
    return this.#options.outlets.reduce((sum, { sent }) => sum + sent, 0);
  }

  #meterCounts(): Omit<MeterCounts, "fetched"> {
    const all = this.#options.outlets.flatMap(({ meters }) => meters?.counts ?? []);
    return {
      unread: all.reduce((sum, { unread }) => sum + unread, 0),
      overwritten: all.reduce((sum, { overwritten }) => sum + overwritten, 0),
    };
  }

  #tellOfOverwritten(overwritten: number): void {
    if (overwritten === this.#overwritten || this.#sometimes("overwritten") === undefined) return;
    const rows = overwritten - this.#overwritten;
    this.#overwritten = overwritten;
    this.#options.log.warn(
      { rows },
      "No agent fetched these rows in time; the meters' memories overwrote them.",
    );
  }

  #everySecond(report: () => void): void {
    if (performance.now() - this.#reported_ms >= progress_ms) report();
  }

  #report(progress: Progress): void {
    this.#reported_ms = performance.now();
    this.#options.onProgress?.(progress);
  }
}
