import { type Log, oncePer } from "#runtime/log.ts";
import type { TimeMessage } from "#telemetry/time-message.ts";
import { PlatformClock, type Skew } from "./platform-clock.ts";

/** The two clocks of a gateway, in milliseconds; tests bring their own. */
export interface Clocks {
  /** Since 1970; somebody may set it. */
  readonly wall: () => number;
  readonly steady: () => number;
}

export const systemClocks: Clocks = { wall: () => Date.now(), steady: () => performance.now() };

/** Milliseconds beyond which the operator is told. */
const warnBeyond = 2000;
/** Milliseconds between two such warnings. */
const warnInterval = 600_000;
/** Questions whose answer may still come. */
const maxAsked = 8;

/** Compares the gateway's clock with the platform's, and says when they are far apart. */
export class ClockWatch {
  readonly #clocks: Clocks;
  readonly #log: Log;
  readonly #platform = new PlatformClock();
  /** Steady times of the questions, by what their `sent` said. */
  readonly #asked = new Map<number, number>();
  readonly #sometimes = oncePer(warnInterval);

  constructor(log: Log, clocks: Clocks = systemClocks) {
    this.#log = log;
    this.#clocks = clocks;
  }

  /** The `sent` of a status that leaves now, which asks the platform for its time. */
  ask(): number {
    const sent = Math.round(this.#clocks.wall());
    this.#asked.delete(sent);
    this.#asked.set(sent, this.#clocks.steady());
    for (const oldest of this.#asked.keys()) {
      if (this.#asked.size <= maxAsked) break;
      this.#asked.delete(oldest);
    }
    return sent;
  }

  /** Takes a `down/time`. @returns whether the platform should be asked: it was no answer. */
  receive({ time, echo }: TimeMessage): boolean {
    if (echo === undefined) return true;
    const sent = this.#asked.get(echo.sent);
    this.#asked.delete(echo.sent);
    if (sent === undefined) return false; // of an earlier run, or a second answer
    const arrived = this.#clocks.steady();
    this.#platform.add({ sent, arrived, platformReceived: echo.received, platformSent: time });
    const known = this.skew();
    if (known !== undefined && Math.abs(known.skew) - known.error > warnBeyond) this.#warn(known);
    return false;
  }

  /** undefined until the platform has answered, and when it has not for long. */
  skew(): Skew | undefined {
    return this.#platform.skew(this.#clocks.wall(), this.#clocks.steady());
  }

  #warn({ skew, error }: Skew): void {
    const held = this.#sometimes("skew");
    if (held === undefined) return;
    const facts = { skew_s: round(skew / 1000), error_s: round(error / 1000), held };
    this.#log.warn(
      facts,
      "The gateway's clock differs from the platform's; set it (NTP), or say correct_clock: true.",
    );
  }
}

function round(seconds: number): number {
  return Number(seconds.toFixed(3));
}
