import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import type { AgentModbus } from "#firmware-sim/modbus/unit-plan.ts";
import { ModbusMaster, type MasterRow } from "../../support/modbus-master.ts";
import { poll } from "../../support/poll.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { SimProcess } from "./sim-process-handle.ts";

const hour = 3_600_000;

/** What a running replay wrote for its agent. */
async function agentOf(file: string): Promise<AgentModbus> {
  return await poll(async () => {
    const text = await readFile(file, "utf8").catch(() => "");
    return text === "" ? undefined : (parse(text) as AgentModbus);
  });
}

/** Connects once the devices have something to show. */
async function masterOf({ connect }: AgentModbus["inputs"][number]): Promise<ModbusMaster> {
  const [, host, port] = /^tcp:\/\/(.+):(\d+)$/.exec(connect)!;
  return await ModbusMaster.connectWhenReady({ host: host!, port: Number(port) }, 1, 6);
}

test("a file's sensors are devices with their event times; a cut repeats a row; it ends when the last row is proved", async () => {
  using folder = tempFolder("replay");
  const file = join(folder.path, "inflow.csv");
  const mapFile = join(folder.path, "agent.yaml");
  await writeFile(
    file,
    [
      "t,A,B,p",
      "2021-10-31 01:00,1.5,0.1,400",
      "2021-10-31 02:00,2,,", // only A
      "2021-10-31 02:00,3,-0.123456789012345,401", // the repeated hour
      "2021-10-31 03:00,,7,402",
      "2021-10-31 04:00,5,8,",
    ].join("\n"),
  );
  const maps = ["water_flow.flow=A@a", "water_flow.pressure=p@a", "water_flow.flow=B@b"];
  await using sim = new SimProcess([
    "--replay",
    file,
    "--tz",
    "Europe/Rome",
    "--modbus",
    "127.0.0.1:0",
    "--map-file",
    mapFile,
    "--json",
    ...maps.flatMap((map) => ["--map", map]),
  ]);
  const agent = await agentOf(mapFile);
  expect(agent.inputs.flatMap(({ devices }) => devices)).toEqual([
    { unit: 1, sensor: "a", map: "replay-water_flow-flow-pressure" },
    { unit: 2, sensor: "b", map: "replay-water_flow-flow" },
  ]);
  const mapA = agent.register_maps["replay-water_flow-flow-pressure"]!;
  const mapB = agent.register_maps["replay-water_flow-flow"]!;
  expect(mapA).toEqual({
    measurement: "water_flow",
    time: { register: 0, type: "u64" },
    row: { register: 4, type: "u32" },
    fields: {
      flow: { register: 6, type: "f64", unit: "L/s" },
      pressure: { register: 10, type: "f64", unit: "kPa" },
    },
  });

  const start = Date.UTC(2021, 9, 31, 1) - 2 * hour;
  const rows: MasterRow[] = [];
  {
    using master = await masterOf(agent.inputs[0]!);
    for (let i = 0; i < 2; i += 1) rows.push(await master.row(1, mapA));
  }
  using master = await masterOf(agent.inputs[0]!);
  for (let i = 0; i < 4; i += 1) rows.push(await master.row(1, mapA));
  const shown = rows.map(({ row, time, fields }) => [
    row,
    (time - start) / hour,
    fields["flow"],
    fields["pressure"],
  ]);
  expect(shown).toEqual([
    [1, 0, 1.5, 400],
    [2, 1, 2, Number.NaN],
    [2, 1, 2, Number.NaN], // the answer may have gone with the connection
    [3, 2, 3, 401],
    [4, 3, Number.NaN, 402],
    [5, 4, 5, Number.NaN],
  ]);
  for (const [row, flow] of [0.1, -0.123456789012345, 7, 8].entries())
    expect(await master.row(2, mapB)).toMatchObject({ row: row + 1, fields: { flow } });
  expect(sim.child.exitCode).toBeNull();
  expect((await master.row(1, mapA)).row).toBe(5);
  expect((await master.row(2, mapB)).row).toBe(4);
  const { code, stdout } = await sim.end();
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ rows: 5, sent: 9, gaps: 4, repeated_hour: 1, problems: [] });
});

test("a long file goes through one device without a pause, and without being read whole beforehand", async ({
  annotate,
}) => {
  using folder = tempFolder("replay");
  const file = join(folder.path, "long.csv");
  const count = 20_000;
  const lines = Array.from({ length: count }, (_, i) => `${new Date(i * 60_000).toISOString()},${i / 8}`);
  await writeFile(file, ["t,q", ...lines].join("\n"));
  const mapFile = join(folder.path, "agent.yaml");
  await using sim = new SimProcess([
    "--replay",
    file,
    "--map",
    "water_flow.flow=q@m",
    "--modbus",
    "127.0.0.1:0",
    "--map-file",
    mapFile,
  ]);
  const agent = await agentOf(mapFile);
  using master = await masterOf(agent.inputs[0]!);
  const map = agent.register_maps["replay-water_flow-flow"]!;
  const started = performance.now();
  const wrong: MasterRow[] = [];
  for (let i = 0; i < count; i += 1) {
    const row = await master.row(1, map);
    if (row.row !== i + 1 || row.time !== i * 60_000 || row.fields["flow"] !== i / 8) wrong.push(row);
  }
  const seconds = (performance.now() - started) / 1000;
  expect(wrong).toEqual([]);
  await master.row(1, map);
  const { code, stdout } = await sim.end();
  expect(code).toBe(0);
  expect(stdout).toContain("20,000 readings sent");
  await annotate(`${Math.round(count / seconds)} rows/s over one connection`);
});

test("without --map-file the agent's part is printed before the file is played, and with --rate rows come in time", async () => {
  using folder = tempFolder("replay");
  const file = join(folder.path, "short.csv");
  await writeFile(file, "t,temp\n2021-01-01,2.5\n2021-01-02,3\n2021-01-03,2.75\n");
  await using sim = new SimProcess([
    "--replay",
    file,
    "--map",
    "cold_storage.temp=temp@c",
    "--modbus",
    "127.0.0.1:0",
    "--rate",
    "2",
  ]);
  let printed = "";
  sim.child.stdout!.on("data", (chunk: Buffer) => (printed += chunk.toString()));
  const agent = await poll(() => {
    const whole = printed.includes("fields:") && printed.endsWith("\n");
    return whole ? (parse(printed) as AgentModbus) : undefined;
  });
  using master = await masterOf(agent.inputs[0]!);
  const seen = new Map<number, number>();
  while (sim.child.exitCode === null) {
    const shown = await master
      .row(1, agent.register_maps["replay-cold_storage-temp"]!)
      .catch(() => undefined);
    if (shown !== undefined) seen.set(shown.row, performance.now());
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  expect([...seen.keys()]).toEqual([1, 2, 3]);
  expect(seen.get(3)! - seen.get(2)!).toBeGreaterThan(200);
});
