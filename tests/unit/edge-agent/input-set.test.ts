import pino from "pino";
import { expect, test } from "vitest";
import { BatchBuffer } from "#edge-agent/batch-buffer.ts";
import { EdgeAgentConfig } from "#edge-agent/config.ts";
import { InputSet } from "#edge-agent/inputs/input-set.ts";
import { LineIntake } from "#edge-agent/line-intake.ts";

const bus = (host: number, map: string): object => ({
  type: "modbus",
  connect: `tcp://10.0.0.${host}:502`,
  devices: [{ unit: 1, sensor: `wf-${host}`, map }],
});
const lines = { type: "lines", listen: "tcp://127.0.0.1:7001" };
const model = (register: number): object => ({
  measurement: "water_flow",
  fields: { flow: { register, type: "f32" } },
});

function configOf(
  inputs: readonly object[],
  maps: object = { one: model(0), two: model(10) },
): EdgeAgentConfig {
  return EdgeAgentConfig.parse({
    agency: "water",
    gateway: "pumps-1",
    place: "QA-DA",
    mqtt: "mqtt://10.0.0.5:1883",
    password: "secret",
    inputs,
    register_maps: maps,
  });
}

/** A set whose inputs do nothing, and what happens to them; those `refused` cannot be opened. */
function openSet(opening: (open: readonly string[]) => void = () => {}) {
  const happened: string[] = [];
  const refused = new Set<string>();
  const set: InputSet = new InputSet({
    open: async (settings) => {
      const address = settings.type === "lines" ? settings.listen : settings.connect;
      if (refused.has(address)) throw new Error(`cannot open ${address}`);
      happened.push(`+${address}`);
      opening(set.open.map(({ input }) => input.address));
      const stage = { batch: new BatchBuffer(4096), seal: () => {} };
      const intake = new LineIntake(stage, 512);
      const line = Buffer.from("m,sensor=a f=1 1\n");
      intake.take(line, 0, line.length, 0);
      const input = {
        type: settings.type === "lines" ? ("tcp" as const) : settings.type,
        address,
        resume: () => {},
        counts: { rejectedLines: 0, droppedLines: 0 },
        [Symbol.asyncDispose]: async () => void happened.push(`-${address}`),
      };
      return { input, intake };
    },
    log: pino({ level: "silent" }),
  });
  return { set, refused, take: () => happened.splice(0) };
}

test("inputs are exchanged by their own settings and the register maps they name, and counts go on", async () => {
  const { set, take } = openSet();
  await set.change(configOf([lines, bus(1, "one"), bus(2, "two")]));
  expect(take()).toEqual(["+tcp://127.0.0.1:7001", "+tcp://10.0.0.1:502", "+tcp://10.0.0.2:502"]);
  await set.change(configOf([bus(2, "two"), lines, bus(1, "one")], { one: model(0), two: model(20) }));
  expect(take()).toEqual(["-tcp://10.0.0.2:502", "+tcp://10.0.0.2:502"]);
  expect(set.open.map(({ input }) => input.address)).toEqual([
    "tcp://10.0.0.2:502",
    "tcp://127.0.0.1:7001",
    "tcp://10.0.0.1:502",
  ]);
  expect(set.totals.received).toBe(4);
  await set[Symbol.asyncDispose]();
  expect(take()).toHaveLength(3);
  expect(set.totals.received).toBe(4);
});

test("an input that is open is told of room while the next one is opened", async () => {
  const openThen: (readonly string[])[] = [];
  const { set } = openSet((open) => openThen.push(open));
  await set.change(configOf([lines, bus(1, "one"), bus(2, "two")]));
  expect(openThen.map(({ length }) => length)).toEqual([0, 1, 2]);
});

test("when a new input cannot be opened the former ones are open again, in their order", async () => {
  const { set, refused, take } = openSet();
  await set.change(configOf([bus(1, "one"), lines]));
  take();
  refused.add("tcp://10.0.0.3:502");
  const next = configOf([lines, bus(2, "one"), bus(3, "two")]);
  await expect(set.change(next)).rejects.toThrow("cannot open tcp://10.0.0.3:502");
  expect(take()).toEqual([
    "-tcp://10.0.0.1:502",
    "+tcp://10.0.0.2:502",
    "-tcp://10.0.0.2:502",
    "+tcp://10.0.0.1:502",
  ]);
  expect(set.open.map(({ input }) => input.address)).toEqual(["tcp://10.0.0.1:502", "tcp://127.0.0.1:7001"]);
  refused.clear();
  await set.change(next);
  expect(set.open).toHaveLength(3);
});
