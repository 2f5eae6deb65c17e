import { setTimeout as sleep } from "node:timers/promises";
import type { Catalogue } from "#telemetry/catalogue.ts";
import type { Address } from "#runtime/address.ts";
import { MarsadError } from "#runtime/errors.ts";
import type { Log } from "#runtime/log.ts";
import type { City } from "./city.ts";
import { Diary } from "./faults/diary.ts";
import { openLabelFile } from "./faults/label-file.ts";
import type { FaultWishes } from "./faults/plan.ts";
import { openLineSender, type LineSender } from "./line-sender.ts";
import type { GatewayMeters } from "./modbus/gateway-meters.ts";
import { Outlet } from "./outlet.ts";
import { Simulation, type Progress } from "./simulation.ts";
import { readState } from "./state-file.ts";
import { makeWorld } from "./world.ts";

export type { Progress } from "./simulation.ts";

export interface RunSimOptions {
  readonly city: City;
  readonly catalogue: Catalogue;
  /** Where each gateway's agent takes lines, by the gateway's name. */
  readonly targets: ReadonlyMap<string, Address>;
  /** Where meters and tanks speak Modbus while live; without it they send lines. */
  readonly modbus?: ModbusOptions | undefined;
  /** How far back the first start begins, and at most how much a restart fills. */
  readonly history_ms: number;
  /** Between a sensor's readings in history. */
  readonly step_ms: number;
  /** Between a sensor's live readings. */
  readonly livePeriod_ms: number;
  /** What goes wrong in the city; undefined: nothing. */
  readonly faults?: FaultWishes | undefined;
  /** File that gets the labels of faults. */
  readonly labels?: string | undefined;
  /** Folder of the saved state. */
  readonly folder: string;
  readonly signal: AbortSignal;
  readonly log: Log;
  /** Called once, when all agents take lines and all Modbus ports listen: those of each gateway that has some. */
  readonly onReady?: (modbus: ReadonlyMap<string, readonly Address[]>) => Promise<void>;
  /** Called about once a second, and when history ends. */
  readonly onProgress?: (progress: Progress) => void;
  readonly now?: () => number;
}

export interface ModbusOptions {
  /** A gateway's ports, by its name; each takes 247 units. A gateway that is not named sends lines. */
  readonly addresses: ReadonlyMap<string, readonly Address[]>;
  /** Rows that each device's memory keeps for an agent that is away. */
  readonly memory: number;
}

/**
 * Runs a city until the signal aborts: history in time order as fast as the agents take it, then live. Goes on where the last run with the
 * same folder stopped or died.
 * @throws MarsadError CONFIG_INVALID: a gateway without a target, or a folder with another city's state.
 */
export async function runSim(options: RunSimOptions): Promise<void> {
  const { city, targets, modbus, folder, signal, log } = options;
  const saved = await readState(folder);
  if (saved !== undefined && saved.seed !== city.seed) {
    const message = `${folder} holds a city with seed ${saved.seed}, not ${city.seed}: take that seed or another folder`;
    throw new MarsadError("CONFIG_INVALID", message);
  }
  const addresses = city.gateways.map(({ name }) => {
    const address = targets.get(name);
    if (address === undefined)
      throw new MarsadError("CONFIG_INVALID", `targets: gateway ${name} has no address`);
    return address;
  });
  if (modbus !== undefined && options.faults?.kinds?.includes("gateway-swap")) {
    const message =
      "fault_kinds: a gateway-swap needs sensors that send lines; leave it out, or run without --modbus";
    throw new MarsadError("CONFIG_INVALID", message);
  }
  const world = makeWorld(city, { faults: options.faults });
  const labels = options.labels === undefined ? undefined : await openLabelFile(options.labels, world.plan);
  const diary = new Diary(labels, saved, options.now ?? Date.now);
  const senders: LineSender[] = [];
  const allMeters = new Map<string, GatewayMeters>();
  let simulation: Simulation | undefined;
  try {
    const outlets = await Promise.all(
      city.gateways.map(async (gateway, index) => {
        const sender = await openLineSender(addresses[index]!, { signal, log });
        senders.push(sender);
        return new Outlet(gateway, sender, {
          world,
          catalogue: options.catalogue,
          memory: modbus?.addresses.has(gateway.name) ? modbus.memory : undefined,
        });
      }),
    );
    for (const { gateway, meters } of outlets) {
      if (meters === undefined) continue;
      allMeters.set(gateway, meters);
      meters.restore(saved?.memories ?? {});
      await meters.listen(modbus!.addresses.get(gateway)!, log);
    }
    await options.onReady?.(
      new Map(Array.from(allMeters, ([gateway, { addresses }]) => [gateway, addresses])),
    );
    Outlet.joinWires(outlets);
    const onProgress = (progress: Progress): void => {
      diary.note(progress);
      options.onProgress?.(progress);
    };
    simulation = new Simulation({ ...options, onProgress, outlets, flushed });
    await simulation.run(saved);
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    simulation?.handOver();
    await Promise.all([...senders, ...allMeters.values()].map((open) => open[Symbol.asyncDispose]()));
  }
  await diary.close();
  // Lines that never left are said again at the next start, from the state before them.
  if (senders.every(({ queuedBytes }) => queuedBytes === 0)) await simulation?.saveAtRest();

  /** All lines are with the kernel; after `patience_ms` an agent that is away no longer holds the others up. */
  async function flushed(patience_ms: number): Promise<void> {
    const all = Promise.all(senders.map((sender) => sender.flushed()));
    if (patience_ms === Number.POSITIVE_INFINITY) await all;
    else await Promise.race([all, sleep(patience_ms, undefined, { signal, ref: false })]);
  }
}
