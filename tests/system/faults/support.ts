import { expect } from "vitest";
import type { MqttLoad } from "../../support/mqtt-load.ts";
import type { Platform } from "../../support/platform.ts";
import { poll } from "../../support/poll.ts";
import { runMarsad } from "../cli/run-marsad.ts";

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
