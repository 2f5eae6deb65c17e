import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { cityOf, type City } from "#firmware-sim/city.ts";
import { planOf } from "#firmware-sim/modbus/gateway-meters.ts";
import { registerMapOf } from "#firmware-sim/modbus/device-maps.ts";
import { runSim, type Progress, type RunSimOptions } from "#firmware-sim/run-sim.ts";
import { openLog } from "#runtime/log.ts";
import { builtinCatalogue } from "#telemetry/builtin-catalogue.ts";
import { places } from "#telemetry/places.ts";
import { ModbusMaster } from "../../support/modbus-master.ts";
import { poll } from "../../support/poll.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { LineServer, parseLine } from "./line-server.ts";
import { SimProcess } from "./sim-process-handle.ts";

const log = openLog({ name: "test", level: "silent" });
const minute = 60_000;
const decimals: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  water_flow: { flow: 3, volume_total: 3, reverse_total: 3, pressure: 1 },
  water_tank: { level: 3, fill: 4, inflow: 2, outflow: 2 },
  energy_meter: { power: 3, import_total: 3, export_total: 3, voltage: 1, current: 2, pf: 3, frequency: 3 },
};

/** What was said of one sensor at one time, in a line or in a row. */
interface Said {
  readonly by: "line" | "row";
  readonly time: number;
  readonly fields: Readonly<Record<string, number>>;
}

/** Everything said, by sensor, in the order in which it came. */
class Hearing {
  readonly bySensor = new Map<string, Said[]>();

  hear(sensor: string, said: Said): void {
    const own = this.bySensor.get(sensor) ?? [];
    this.bySensor.set(sensor, own);
    own.push(said);
  }

  lines(server: LineServer): this {
    for (const line of server.lines) {
      const { series, fields, time } = parseLine(line);
      this.hear(series.split("sensor=")[1]!, { by: "line", time, fields });
    }
    return this;
  }

  of(sensor: string): Said[] {
    return (this.bySensor.get(sensor) ?? []).toSorted((a, b) => a.time - b.time);
  }
}

/** Reads all meters of a city, each until it shows nothing new, until the signal aborts; connects again after a cut. */
async function readMeters(
  city: City,
  addressesOf: (gateway: string) => readonly { host: string; port: number }[],
  hearing: Hearing,
  signal: AbortSignal,
): Promise<void> {
  const lastRows = new Map<string, number>();
  await Promise.all(
    city.gateways.flatMap((gateway) =>
      addressesOf(gateway.name).map(async (address, port) => {
        const units = planOf(gateway).filter((planned) => planned.port === port);
        while (!signal.aborted) {
          try {
            const { unit, named } = units[0]!;
            const { register } = Object.values(named.map.fields)[0]!;
            using master = await ModbusMaster.connectWhenReady(address, unit, register, signal);
            while (!signal.aborted) {
              for (const { unit, sensor, named } of units) await drain(master, unit, sensor, named.map);
              await sleep(20);
            }
          } catch {
            await sleep(20);
          }
        }
      }),
    ),
  );

  async function drain(
    master: ModbusMaster,
    unit: number,
    sensor: string,
    map: ReturnType<typeof planOf>[number]["named"]["map"],
  ): Promise<void> {
    for (;;) {
      const { row, time, fields } = await master.row(unit, map, decimals[map.measurement]);
      if (lastRows.get(sensor) === row) return;
      lastRows.set(sensor, row);
      hearing.hear(sensor, { by: "row", time, fields });
    }
  }
}

const isMeter = ({ kind }: City["gateways"][number]["sensors"][number]): boolean =>
  registerMapOf(kind) !== undefined;
const metersOf = (city: City): string[] =>
  city.gateways.flatMap(({ sensors }) => sensors.filter(isMeter).map(({ id }) => id));

/** Ports that a running city listens on are told when it is ready. */
function runCity(
  city: City,
  server: LineServer,
  folder: { readonly path: string },
  changes: Partial<RunSimOptions>,
): Promise<void> {
  return runSim({
    city,
    catalogue: builtinCatalogue,
    targets: new Map(city.gateways.map(({ name }) => [name, server.address])),
    modbus: {
      addresses: new Map(city.gateways.map(({ name }) => [name, [{ host: "127.0.0.1", port: 0 }]])),
      memory: 120,
    },
    history_ms: 20 * minute,
    step_ms: minute,
    livePeriod_ms: 10_000,
    folder: folder.path,
    signal: new AbortController().signal,
    log,
    ...changes,
  });
}

/** A clock that goes so many times faster from here on. */
function fastClock(times: number, begin = Date.now() - 3_600_000): () => number {
  const started = performance.now();
  return () => Math.floor(begin + times * (performance.now() - started));
}

test("history comes as lines, then meters are read over Modbus: no step is lost, none is said in both", async () => {
  using folder = tempFolder("sim");
  await using server = await new LineServer().listen();
  const city = cityOf({ seed: 2, sensors: 24, places });
  const controller = new AbortController();
  const hearing = new Hearing();
  let reading: Promise<void> | undefined;
  let last: Progress | undefined;
  const now = fastClock(40);
  await runCity(city, server, folder, {
    signal: controller.signal,
    now,
    onReady: async (modbus) => {
      reading = readMeters(city, (gateway) => modbus.get(gateway) ?? [], hearing, controller.signal);
    },
    onProgress: (progress) => {
      last = progress;
      if (metersOf(city).every((sensor) => hearing.of(sensor).length >= 5)) controller.abort();
    },
  });
  await reading;

  const meters = metersOf(city);
  expect(meters.length).toBeGreaterThan(5);
  hearing.lines(server);
  for (const sensor of meters) {
    const said = hearing.of(sensor);
    const ways = said.map(({ by }) => by);
    // First lines only, then rows only.
    expect(ways.lastIndexOf("line")).toBeLessThan(ways.indexOf("row"));
    const gaps = said.slice(1).map(({ time }, i) => time - said[i]!.time);
    const live = gaps.slice(ways.indexOf("row"));
    expect(Math.min(...gaps)).toBeGreaterThan(0);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(minute);
    expect(new Set(live)).toEqual(new Set([10_000]));
  }
  for (const { id } of city.gateways.flatMap(({ sensors }) => sensors.filter((sensor) => !isMeter(sensor))))
    expect(hearing.of(id).every(({ by }) => by === "line")).toBe(true);
  expect(last).toMatchObject({ kind: "live", overwritten: 0 });
});

test("rows that nobody fetches wait over a restart; beyond the memory the oldest are overwritten and counted", async () => {
  using folder = tempFolder("sim");
  await using server = await new LineServer().listen();
  const city = cityOf({ seed: 2, sensors: 12, places });
  const addresses = new Map(city.gateways.map(({ name }) => [name, [{ host: "127.0.0.1", port: 0 }]]));
  const memory = 4;
  const begin = Date.now() - 3_600_000;
  const told: Progress[] = [];
  const first = new AbortController();
  const now = fastClock(50, begin);
  await runCity(city, server, folder, {
    modbus: { addresses, memory },
    history_ms: 0,
    signal: first.signal,
    now,
    onProgress: (progress) => {
      told.push(progress);
      if (progress.kind === "live" && progress.overwritten > 20) first.abort();
    },
  });
  const { at: stopped } = JSON.parse(await readFile(join(folder.path, "city.json"), "utf8")) as {
    at: number;
  };
  const meters = metersOf(city);
  expect(told.at(-1)).toMatchObject({ kind: "live", unread: memory * meters.length });

  const hearing = new Hearing();
  const second = new AbortController();
  let reading: Promise<void> | undefined;
  await runCity(city, server, folder, {
    modbus: { addresses, memory },
    history_ms: 0,
    signal: second.signal,
    now: () => stopped,
    onReady: async (modbus) => {
      reading = readMeters(city, (gateway) => modbus.get(gateway) ?? [], hearing, second.signal);
    },
    onProgress: (progress) => {
      if (progress.kind === "live" && progress.unread === 0) second.abort();
    },
  });
  await reading;
  for (const sensor of meters) {
    const times = hearing.of(sensor).map(({ time }) => time);
    expect(times).toHaveLength(memory);
    expect(times.at(-1)! - times[0]!).toBe((memory - 1) * 10_000);
    expect(stopped - times.at(-1)!).toBeLessThan(20_000);
  }
});

test("killed again and again, its meters say the same again: nothing is missing, nothing is said in two ways, no counter falls", async () => {
  using folder = tempFolder("sim");
  await using server = await new LineServer().listen();
  const city = cityOf({ seed: 3, sensors: 20, places });
  const ready = join(folder.path, "ready.json");
  const map = join(folder.path, "agents.yaml");
  const config = join(folder.path, "sim.yaml");
  const wishes = {
    data: join(folder.path, "state"),
    sensors: 20,
    seed: 3,
    history: "10m",
    live_period: "1s",
  };
  const { host, port } = server.address;
  await writeFile(config, JSON.stringify({ ...wishes, to: `${host}:${port}`, modbus: "127.0.0.1:0" }));
  const start = (): SimProcess =>
    new SimProcess(["--config", config, "--ready-file", ready, "--map-file", map]);
  const hearing = new Hearing();
  const sees = (lives: number): boolean =>
    metersOf(city).every((sensor) => hearing.of(sensor).length >= lives);
  for (const lives of [2, 4]) {
    await writeFile(ready, "");
    await using sim = start();
    const { modbus } = await poll(async () => {
      const text = await readFile(ready, "utf8");
      return text === "" ? undefined : (JSON.parse(text) as { modbus: Record<string, string[]> });
    });
    const controller = new AbortController();
    const addressesOf = (gateway: string): { host: string; port: number }[] =>
      (modbus[gateway] ?? []).map((text) => ({ host: "127.0.0.1", port: Number(text.split(":")[1]) }));
    const reading = readMeters(city, addressesOf, hearing, controller.signal);
    await poll(() => sees(lives), { interval: 20 });
    await sim.end("SIGKILL");
    controller.abort();
    await reading;
  }
  const agents = parse(await readFile(map, "utf8")) as Record<string, { inputs: { devices: unknown[] }[] }>;
  expect(
    Object.values(agents).flatMap(({ inputs }) => inputs.flatMap(({ devices }) => devices)),
  ).toHaveLength(metersOf(city).length);

  hearing.lines(server);
  for (const sensor of metersOf(city)) {
    const said = hearing.of(sensor);
    const times = [...new Set(said.map(({ time }) => time))];
    const names = Object.keys(said[0]!.fields);
    const sayings = said.map(({ time, fields }) => [time, ...names.map((name) => fields[name])].join(" "));
    expect(new Set(sayings).size).toBe(times.length);
    expect(Math.max(...times.slice(1).map((time, i) => time - times[i]!))).toBeLessThanOrEqual(minute);
    const counters = names.filter((name) => name.endsWith("_total"));
    for (const counter of counters) {
      const values = said.map(({ fields }) => fields[counter]!);
      expect(values).toEqual(values.toSorted((a, b) => a - b));
    }
    expect(said.filter(({ by }) => by === "row").length).toBeGreaterThanOrEqual(4);
  }
});

test("more than 247 meters behind a gateway take a further port, and are refused without one", async () => {
  using folder = tempFolder("sim");
  await using server = await new LineServer(false).listen();
  const city = cityOf({ seed: 1, sensors: 1600, places });
  const any = { host: "127.0.0.1", port: 0 };
  const gateways = city.gateways.map(({ name }) => name);
  const withPorts = (ports: number): Partial<RunSimOptions> => ({
    history_ms: 0,
    livePeriod_ms: 500,
    modbus: {
      addresses: new Map(gateways.map((name) => [name, Array.from({ length: ports }, () => any)])),
      memory: 120,
    },
  });
  await expect(runCity(city, server, folder, withPorts(1))).rejects.toMatchObject({
    code: "CONFIG_INVALID",
    message: expect.stringMatching(/the \d+ meters of gateway gw-\S+ take 2 ports; it has 1/),
  });

  const controller = new AbortController();
  const read = Promise.withResolvers<void>();
  const running = runCity(city, server, folder, {
    ...withPorts(2),
    signal: controller.signal,
    onReady: async (modbus) => {
      for (const gateway of city.gateways) {
        const plan = planOf(gateway);
        const addresses = modbus.get(gateway.name)!;
        expect(addresses).toHaveLength(Math.ceil(plan.length / 247));
        const last = plan.at(-1);
        if (last === undefined) continue;
        const { register } = Object.values(last.named.map.fields)[0]!;
        void ModbusMaster.connectWhenReady(addresses[last.port]!, last.unit, register, controller.signal)
          .then((master) => master[Symbol.dispose]())
          .then(read.resolve, read.reject);
      }
    },
  });
  await Promise.race([read.promise, running]);
  controller.abort();
  await running;
});
