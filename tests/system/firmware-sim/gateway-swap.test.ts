import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { builtinCatalogue } from "#telemetry/builtin-catalogue.ts";
import { places } from "#telemetry/places.ts";
import { parseAddress } from "#runtime/address.ts";
import { openLog } from "#runtime/log.ts";
import { cityOf, type City } from "#firmware-sim/city.ts";
import { runSim } from "#firmware-sim/run-sim.ts";
import { makeWorld } from "#firmware-sim/world.ts";
import { type Edge, startEdge } from "../../support/edge.ts";
import { admitGateway, startPlatform } from "../../support/platform.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { runMarsad } from "../cli/run-marsad.ts";

const log = openLog({ name: "test", level: "silent" });
const minute = 60_000;
const faults = { perDay: 6, kinds: ["gateway-swap"] as const };

/** The water sensors of a small city, behind two gateways. */
function waterCity(): City {
  const city = cityOf({ seed: 5, sensors: 28, places, sensorsPerGateway: 4 });
  const gateways = city.gateways.filter(({ agency }) => agency === "water");
  expect(gateways).toHaveLength(2);
  return { ...city, gateways };
}

test("a swapped gateway's readings are refused until an operator moves its sensors; then their series go on", async () => {
  using folder = tempFolder("gateway-swap");
  const city = waterCity();
  const day = Math.floor(Date.now() / 86_400_000 - 12) * 86_400_000;
  const swap = makeWorld(city, { faults })
    .plan!.between(day, day + 8 * 86_400_000)
    .find(({ from }) => from > day + 60 * minute)!;
  const moved = city.gateways.find(({ name }) => name === swap.target)!.sensors.map(({ id }) => id);

  await using platform = await startPlatform({ folder: folder.path });
  const edges = new Map<string, Edge>();
  await using open = new AsyncDisposableStack();
  for (const { name, agency, sensors } of city.gateways) {
    mkdirSync(join(folder.path, name));
    const edge = await startEdge({
      folder: join(folder.path, name),
      gateway: name,
      agency,
      password: await admitGateway(platform.data, { name, agency }),
      mqttPort: platform.mqttPort,
      sensors: sensors.map(({ id }) => id),
    });
    edges.set(name, open.use(edge));
  }

  /** Sends all that the city says until `now`. */
  const runUntil = async (now: number): Promise<void> => {
    const controller = new AbortController();
    await runSim({
      city,
      catalogue: builtinCatalogue,
      targets: new Map([...edges].map(([name, { input }]) => [name, parseAddress(input)])),
      faults,
      history_ms: 30 * minute,
      step_ms: minute,
      livePeriod_ms: 1000,
      folder: join(folder.path, "sim"),
      signal: controller.signal,
      log,
      now: () => now,
      onProgress: ({ kind }) => {
        if (kind === "live") controller.abort();
      },
    });
  };
  const own = city.gateways.find(({ name }) => name === swap.target)!.name;
  const other = swap.through!;

  await runUntil(swap.from - minute);
  await platform.settled(own, ({ stored }) => stored === 31 * moved.length);
  await runUntil(swap.from + 4 * minute);
  const refused = await platform.settled(other, (account) => account.refused === 5 * moved.length);
  expect(refused.on_its_way.waiting).toBe(0);
  expect((await platform.deadLetters(other)).every(({ reason }) => reason === "sensor-owned")).toBe(true);

  for (const id of moved) {
    const { code } = await runMarsad(["sensor", "move", id, "--gateway", other, "--data", platform.data]);
    expect(code).toBe(0);
  }
  await platform.settled(other, (account) => account.sensors === refused.sensors + moved.length);
  await runUntil(swap.from + 19 * minute);
  const others = city.gateways.find(({ name }) => name === other)!.sensors.length;
  const stored = await platform.settled(
    other,
    (account) => account.stored === 51 * others + 15 * moved.length,
  );
  expect(stored.refused).toBe(refused.refused);
  const meter = moved.find((id) => id.startsWith("wf-"))!;
  const minutes = (await platform.readings("water_flow", meter)).map(
    ({ time }) => (Date.parse(time) - swap.from) / minute,
  );
  expect(minutes).toEqual([...range(-31, 0), ...range(5, 20)]);
});

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i);
}
