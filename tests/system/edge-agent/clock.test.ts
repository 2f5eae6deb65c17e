import { execFileSync } from "node:child_process";
import { afterAll, beforeAll, expect, test } from "vitest";
import { requireDebian, whySkipped } from "../../support/debian.ts";
import { startEdge } from "../../support/edge.ts";
import { type Platform, admitGateway, startPlatform } from "../../support/platform.ts";
import { poll } from "../../support/poll.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { openSensor } from "./support.ts";

const hasFaketime = await requireDebian("faketime");
const agency = "mobility";
let platform: Platform;
const resources = new AsyncDisposableStack();

beforeAll(async () => {
  const folder = resources.use(tempFolder("clock"));
  // At its usual interval: what an agent knows within this test it has asked when it connected.
  platform = resources.use(await startPlatform({ folder: folder.path }));
});
afterAll(() => resources.disposeAsync());

/** What makes a program believe that it is `seconds` later; its steady clock stays as it is. */
function faketime(seconds: number): Record<string, string> {
  const files = execFileSync("dpkg", ["-L", "libfaketime"], { encoding: "utf8" }).split("\n");
  const library = files.find((file) => file.endsWith("/libfaketimeMT.so.1"))!;
  const offset = `${seconds < 0 ? "" : "+"}${seconds}s`;
  return { LD_PRELOAD: library, FAKETIME: offset, FAKETIME_DONT_FAKE_MONOTONIC: "1" };
}

test.for([
  { skew: 90, corrects: true },
  { skew: -90, corrects: true },
  { skew: 90, corrects: false },
])(
  "a clock $skew s off is found to within the round trip and told; times of arrival are corrected: $corrects, sensors' times never",
  async ({ skew, corrects }, { skip }) => {
    skip(!hasFaketime, whySkipped("faketime"));
    using folder = tempFolder("clock");
    const name = `corniche${skew}-${corrects}`;
    const password = await admitGateway(platform.data, { name, agency });
    await using edge = await startEdge({
      folder: folder.path,
      gateway: name,
      agency,
      password,
      mqttPort: platform.mqttPort,
      sensors: [name],
      settings: { correct_clock: corrects, health_period_s: 0.5 },
      env: faketime(skew),
    });
    const warning = await poll(() =>
      edge
        .log()
        .split("\n")
        .find((line) => line.includes("clock differs")),
    );
    const told = JSON.parse(warning) as { skew_s: number; error_s: number };
    // A millisecond for rounding.
    expect(Math.abs(told.skew_s - skew)).toBeLessThanOrEqual(told.error_s + 0.001);

    using sensor = await openSensor(edge.input);
    const before = Date.now();
    await sensor.send([
      `traffic_flow,sensor=${name} vehicles=1`,
      `traffic_flow,sensor=${name} vehicles=2 1764000000000`,
    ]);
    const stored = await poll(async () => {
      const rows = await platform.readings("traffic_flow");
      const ours = rows.filter((row) => row.sensor === name);
      return ours.length === 2 ? ours : undefined;
    });
    const after = Date.now();
    const own = stored.find(({ vehicles }) => vehicles === 2);
    expect(own?.time).toBe(new Date(1_764_000_000_000).toISOString());
    const arrival = Date.parse(stored.find(({ vehicles }) => vehicles === 1)!.time);
    const lead = corrects ? 0 : 1000 * skew;
    const error = 1000 * told.error_s + 2;
    expect(arrival).toBeGreaterThanOrEqual(before + lead - error);
    expect(arrival).toBeLessThanOrEqual(after + lead + error);

    const health = await poll(async () => {
      const rows = await platform.readings("gateway_health");
      return rows.find((row) => row.sensor === name && row["clock_skew"] !== undefined);
    });
    expect(Math.abs(Number(health["clock_skew"]) - skew)).toBeLessThanOrEqual(told.error_s + 0.5);
  },
);
