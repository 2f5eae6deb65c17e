import { cityOf } from "#firmware-sim/city.ts";
import { faultWishes, type SimConfig } from "#firmware-sim/config.ts";
import { planOf } from "#firmware-sim/modbus/gateway-meters.ts";
import { agentModbus, busesOf, meterTiming, portsFrom, portsOf } from "#firmware-sim/modbus/unit-plan.ts";
import { runSim, type Progress } from "#firmware-sim/run-sim.ts";
import { formatAddress, parseAddress, type Address } from "#runtime/address.ts";
import type { Log } from "#runtime/log.ts";
import { writeFileAtomically } from "#runtime/write-file.ts";
import { builtinCatalogue } from "#telemetry/builtin-catalogue.ts";
import { places } from "#telemetry/places.ts";
import { parseDuration } from "../duration.ts";
import { agentYaml } from "./agent-yaml.ts";
import { usage } from "./usage.ts";

/** What `marsad sim` is told beside its configuration. */
export interface CityFiles {
  readonly readyFile?: string | undefined;
  /** Where the agents' Modbus inputs are written, by gateway. */
  readonly mapFile?: string | undefined;
}

/** Runs a city until the signal aborts. */
export async function runCity(
  config: SimConfig,
  { readyFile, mapFile }: CityFiles,
  signal: AbortSignal,
  log: Log,
): Promise<void> {
  const { seed, sensors, data: folder } = config;
  const city = cityOf({ seed, sensors, places });
  const plans = new Map(city.gateways.map((gateway) => [gateway.name, planOf(gateway)]));
  const ports = city.gateways.map(({ name }) => ({ name, ports: portsOf(plans.get(name)!) }));
  const modbus = modbusOf(config, ports);
  if (mapFile !== undefined && modbus === undefined) throw usage("--map-file belongs to --modbus");
  await runSim({
    city,
    catalogue: builtinCatalogue,
    targets: targetsOf(
      config,
      city.gateways.map(({ name }) => name),
    ),
    faults: faultWishes(config),
    labels: config.labels,
    modbus: modbus && { addresses: modbus, memory: config.modbus_memory },
    history_ms: durationOf(config.history),
    step_ms: durationOf(config.step),
    livePeriod_ms: durationOf(config.live_period),
    folder,
    signal,
    log,
    onReady: async (listening) => {
      if (mapFile !== undefined) {
        const agents = Array.from(listening, ([gateway, addresses]) => [
          gateway,
          agentModbus(busesOf(plans.get(gateway)!, addresses), meterTiming),
        ]);
        await writeFileAtomically(mapFile, agentYaml(Object.fromEntries(agents) as object));
      }
      if (readyFile === undefined) return;
      const told = Array.from(listening, ([gateway, own]) => [gateway, own.map(formatAddress)]);
      const ready = modbus === undefined ? {} : { modbus: Object.fromEntries(told) as object };
      await writeFileAtomically(readyFile, `${JSON.stringify(ready)}\n`);
    },
    onProgress: tellParent,
  });
}

function targetsOf({ targets, to }: SimConfig, gateways: readonly string[]): Map<string, Address> {
  const named = new Map(
    Array.isArray(targets)
      ? targets.map(({ gateway, address }) => [gateway, address])
      : Object.entries(targets),
  );
  return new Map(
    gateways.map((gateway) => {
      const address = named.get(gateway) ?? to;
      if (address === undefined)
        throw usage(
          `gateway ${gateway} has no address: say --to HOST:PORT, or targets in the configuration file`,
        );
      return [gateway, parseAddress(address)];
    }),
  );
}

/** A gateway's Modbus ports, by its name; undefined: all sensors send lines. */
function modbusOf(
  { modbus }: SimConfig,
  gateways: readonly { readonly name: string; readonly ports: number }[],
): Map<string, Address[]> | undefined {
  if (modbus === undefined) return undefined;
  if (typeof modbus === "string") return portsFrom(parseAddress(modbus), gateways);
  const known = new Set(gateways.map(({ name }) => name));
  return new Map(
    Object.entries(modbus).map(([gateway, listen]) => {
      if (!known.has(gateway))
        throw usage(`modbus: there is no gateway ${gateway}; there are ${[...known].join(", ")}`);
      return [gateway, [listen].flat().map(parseAddress)];
    }),
  );
}

/** Over IPC, where `marsad up` started this process. */
function tellParent(progress: Progress): void {
  // A parent that is gone is noticed by the "disconnect" that follows.
  if (process.connected) process.send?.(progress, undefined, undefined, () => undefined);
}

/** A duration that `SimConfig` has checked, ms. */
function durationOf(text: string): number {
  const duration = parseDuration(text);
  if (duration === undefined) throw usage(`"${text}" is no duration`);
  return duration;
}
