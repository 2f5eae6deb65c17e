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
  let loading = false;
  while (!signal.aborted) {
    const totals = await client.get("/api/v1/totals", Totals).catch((error: unknown) => {
      if (hasCode(error, "UNREACHABLE")) return undefined;
      throw error;
    });
    const reading = totals && meter.read(totals, performance.now());
    const { sim } = city;
    if (sim?.kind === "history" && sim.total > 0) {
      loading = true;
      if (reading) showHistory(screen, sim, reading);
    } else {
      if (loading && reading) {
        loading = false;
        screen.endProgress();
        const seconds = Math.max(1, Math.round((performance.now() - started) / 1_000));
        screen.say(
          `History is in: ${grouped(reading.settled)} readings in ${grouped(seconds)} s. Live from here on.`,
        );
      }
      screen.live(
        reading
          ? liveLine(reading, city.backlog)
          : "The platform does not answer; it is being started again.",
      );
    }
    await sleep(PERIOD, undefined, { signal }).catch(() => undefined);
  }
}

function showHistory(
  screen: Screen,
  { sent, total }: { sent: number; total: number },
  reading: Reading,
): void {
  const done = Math.min(sent, reading.settled, total);
  screen.progress("History", done, total, `${grouped(reading.perSecond)} readings/s`);
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
