import { setTimeout as sleep } from "node:timers/promises";
import { Totals } from "#api/schemas.ts";
import { hasCode } from "#runtime/errors.ts";
import type { Client } from "../client.ts";
import { grouped } from "../output.ts";
import type { RunningCity } from "./city.ts";
import { Meter, type Reading } from "./meter.ts";
import type { Screen } from "./screen.ts";

const PERIOD = 1_000;

/** Shows how the city lives, once a second until the signal aborts: its history as a bar, then one live line. */
export async function watchCity(
  city: RunningCity,
  client: Client,
  screen: Screen,
  signal: AbortSignal,
): Promise<void> {
  const meter = new Meter();
  const started = performance.now();
  let announced = false;
  let shownTotal = 0;
  while (!signal.aborted) {
    const totals = await readTotals(client);
    if (signal.aborted) return;
    const reading = typeof totals === "object" ? meter.read(totals, performance.now()) : undefined;
    const { sim } = city;
    if (!reading) {
      screen.live(
        totals === "closed"
          ? "The platform asks who you are; start with MARSAD_TOKEN set to see its figures."
          : "The platform does not answer.",
      );
    } else if (sim?.kind === "history" && sim.total > 0) {
      const done = Math.min(sim.sent, reading.settled, sim.total);
      const left = ((performance.now() - started) / done) * (sim.total - done);
      const note = `${grouped(reading.perSecond)} readings/s${done > 0 ? `, about ${inWords(left)} left` : ""}`;
      screen.progress("History", done, sim.total, note);
      shownTotal = sim.total;
    } else if (sim) {
      if (city.hadHistory && !announced) {
        announced = true;
        if (shownTotal > 0) screen.progress("History", shownTotal, shownTotal, "sent");
        screen.endProgress();
        screen.say(`History is sent (${inWords(performance.now() - started)}); live from here on.`);
      }
      screen.live(liveLine(reading, city.backlog));
    }
    await sleep(PERIOD, undefined, { signal }).catch(() => undefined);
  }
}

/** @returns undefined while the platform does not answer (it is being started again) or cannot tell; `closed`: somebody has added users. */
async function readTotals(client: Client): Promise<Totals | "closed" | undefined> {
  try {
    return await client.get("/api/v1/totals", Totals);
  } catch (error) {
    if (hasCode(error, "UNAUTHORIZED")) return "closed";
    if (hasCode(error, "UNREACHABLE") || hasCode(error, "REFUSED")) return undefined;
    throw error;
  }
}

export function liveLine(reading: Reading, backlog: number): string {
  return [
    `${grouped(reading.perSecond)} readings/s`,
    `stored ${grouped(reading.stored)}`,
    `refused ${grouped(reading.refused)}`,
    `on the way ${grouped(reading.onTheWay)}`,
    `backlog ${grouped(backlog)}`,
  ].join(" | ");
}

/** Milliseconds as `40 s` or `3 min`. */
function inWords(duration: number): string {
  const seconds = Math.max(1, Math.round(duration / 1_000));
  return seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
}
