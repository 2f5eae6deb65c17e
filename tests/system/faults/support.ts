import { expect } from "vitest";
import type { GatewayAccount } from "#telemetry/account.ts";
import type { MqttLoad } from "../../support/mqtt-load.ts";
import type { Platform } from "../../support/platform.ts";
import { poll } from "../../support/poll.ts";
import { runMarsad } from "../cli/run-marsad.ts";
import { p95, type Start } from "./city.ts";

/** Gateways under load, and the platform that they find at present. */
interface LoadedCity {
  readonly loads: ReadonlyMap<string, { readonly load: MqttLoad }>;
  readonly platform: Platform | undefined;
}

/** Waits until every gateway has this many more batches acknowledged; meanwhile every ledger balances at every moment. */
export async function untilAcknowledged({ loads, platform }: LoadedCity, batches: number): Promise<void> {
  const goals = Array.from(loads.values(), ({ load }) => ({ load, goal: load.acknowledged.size + batches }));
  await poll(async () => {
    expect((await platform?.accounts())?.filter(({ balanced }) => !balanced)).toEqual([]);
    return goals.every(({ load, goal }) => load.acknowledged.size >= goal);
  });
}

/** `marsad account` as an operator asks: exit code 0 is a balanced ledger. */
export async function expectBalance({ ready: { http } }: Platform): Promise<void> {
  const { code, stdout } = await runMarsad(["account", "--json", "--http", http]);
  expect(JSON.parse(stdout)).toMatchObject({ balanced: true });
  expect(code).toBe(0);
}

/** Nothing new is sent; every ledger comes to rest, balanced, with nothing refused and nothing on its way. */
export async function settle(
  { loads }: Pick<LoadedCity, "loads">,
  platform: Platform,
  holds?: (account: GatewayAccount) => boolean,
): Promise<void> {
  await Promise.all(Array.from(loads.values(), ({ load }) => load.drain()));
  for (const name of loads.keys()) {
    expect(await platform.settled(name, holds)).toMatchObject({
      refused: 0,
      balanced: true,
      on_its_way: { waiting: 0, journal: 0, missing: 0 },
    });
  }
}

/** SIGTERM: exit code 0 in less than five seconds. @returns milliseconds. */
export async function endInTime(platform: Platform): Promise<number> {
  const asked = performance.now();
  expect(await platform.end("SIGTERM")).toBe(0);
  const took = Math.round(performance.now() - asked);
  expect(took).toBeLessThan(5_000);
  return took;
}

/** What is promised of a restart: usable again in less than two seconds, on a machine that others leave alone. */
export function expectReadyAgain(starts: readonly Start[]): void {
  expect(p95(starts.map(({ puback, waited }) => puback - waited))).toBeLessThan(2_000);
}
