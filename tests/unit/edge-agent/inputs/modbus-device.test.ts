import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { z } from "zod";
import { BatchBuffer } from "#edge-agent/batch-buffer.ts";
import { type DevicePlan, decodeShown, planDevice } from "#edge-agent/inputs/modbus/device-plan.ts";
import { RegisterMap } from "#edge-agent/inputs/modbus/register-map.ts";
import { formatShown } from "#edge-agent/inputs/modbus/shown-line.ts";
import { LineIntake } from "#edge-agent/line-intake.ts";
import { builtinCatalogue } from "#telemetry/builtin-catalogue.ts";
import { readLine } from "#telemetry/line-protocol/oracle.ts";
import { ReadingTable } from "#telemetry/reading-table.ts";

type MapInput = z.input<typeof RegisterMap>;

function planned(map: MapInput): DevicePlan {
  const result = planDevice(RegisterMap.parse(map), builtinCatalogue);
  if (!result.ok) throw new Error(result.problems.join("\n"));
  return result.plan;
}

function problems(map: MapInput): readonly string[] {
  const result = planDevice(RegisterMap.parse(map), builtinCatalogue);
  return result.ok ? [] : result.problems;
}

const acmeFlow: MapInput = {
  measurement: "water_flow",
  time: { register: 0, type: "u64" },
  row: { register: 4, type: "u32" },
  fields: {
    flow: { register: 10, type: "f32", unit: "L/s" },
    volume_total: { register: 12, type: "f64", unit: "m3" },
    pressure: { register: 16, type: "i16", scale: 0.1, unit: "kPa" },
  },
};

/** The registers 0 to 16 of such a meter. */
function shownBy(values: {
  time: number;
  row: number;
  flow: number;
  volume: number;
  pressure: number;
}): Buffer {
  const registers = Buffer.alloc(34);
  registers.writeBigUInt64BE(BigInt(values.time), 0);
  registers.writeUInt32BE(values.row, 8);
  registers.writeFloatBE(values.flow, 20);
  registers.writeDoubleBE(values.volume, 24);
  registers.writeInt16BE(values.pressure, 32);
  return registers;
}

const row = { time: 1_763_860_000_000, row: 7, flow: 12.5, volume: 48_211.25, pressure: 3512 };

test("a meter's registers are one request and become one line in full precision", () => {
  const plan = planned(acmeFlow);
  expect(plan.requests).toEqual([{ table: "holding", register: 0, count: 17 }]);
  const shown = decodeShown(plan, [shownBy({ ...row, volume: 48_211.123_456_789 })]);
  expect(shown).toEqual({ time: row.time, row: "00000007", values: [12.5, 48_211.123_456_789, 351.2] });
  expect(formatShown(plan, "wf-003", shown)?.toString()).toBe(
    "water_flow,sensor=wf-003 flow=12.5,volume_total=48211.123456789,pressure=351.2 1763860000000\n",
  );
});

test("a NaN, and the number by which a device says that it has none, is a field left out", () => {
  const plan = planned({
    measurement: "water_flow",
    fields: {
      flow: { register: 0, type: "f32", unit: "L/s" },
      pressure: { register: 2, type: "u16", unit: "bar", absent: 65_535 },
    },
  });
  const shown = decodeShown(plan, [Buffer.from("7fc00000ffff", "hex")]);
  expect(shown.values).toEqual([Number.NaN, Number.NaN]);
  expect(formatShown(plan, "wf-003", shown)).toBeUndefined();
  const present = decodeShown(plan, [Buffer.from("7fc000000004", "hex")]);
  expect(formatShown(plan, "wf-003", present)?.toString()).toBe("water_flow,sensor=wf-003 pressure=400\n");
});

test("a meter that is built in backwards is turned, a door contact that opens is turned round", () => {
  const meter = planned({
    measurement: "water_flow",
    fields: { flow: { register: 0, type: "i16", scale: -1, unit: "L/s" } },
  });
  expect(decodeShown(meter, [Buffer.from([0xff, 0xf6])]).values).toEqual([10]);
  const door = planned({
    measurement: "cold_storage",
    fields: { door_open: { register: 3, type: "bool", table: "discrete", scale: -1, offset: 1 } },
  });
  expect(decodeShown(door, [Buffer.from([0b1])]).values).toEqual([0]);
});

test("seconds become milliseconds; what is no time is none", () => {
  const seconds = planned({ ...acmeFlow, row: undefined, time: { register: 0, type: "u32", unit: "s" } });
  expect(decodeShown(seconds, [Buffer.from("69203e00".padEnd(68, "0"), "hex")]).time).toBe(0x69203e00 * 1000);
  expect(decodeShown(planned(acmeFlow), [Buffer.alloc(34, 0xff)]).time).toBeUndefined();
});

test("what stands where the time should be stays in the line, and nobody takes it for a time", () => {
  const tables = builtinCatalogue.measurements.map((measurement) => new ReadingTable(measurement, 1));
  const context = { tables, gateway: 0, now: row.time, maxFuture: 300_000, maxAge: 1e15, reject: () => {} };
  const times = [
    Buffer.alloc(8, 0xff),
    Buffer.from("001eb208c2dc0001", "hex"),
    Buffer.from("7e37e43c8800759c", "hex"),
  ];
  for (const type of ["u64", "f64"] as const) {
    const plan = planned({ ...acmeFlow, time: { register: 0, type } });
    for (const time of times) {
      const shown = decodeShown(plan, [Buffer.concat([time, shownBy(row).subarray(8)])]);
      if (shown.noTime === undefined) continue;
      const batch = new BatchBuffer(4096);
      const intake = new LineIntake({ batch, seal: () => {} }, 512);
      const line = formatShown(plan, "wf-003", shown)!;
      intake.take(line, 0, line.length, row.time);
      const [sent] = batch.take(Buffer.alloc(0)).toString().split("\n");
      expect(readLine(sent!, () => ({ series: 0, gateway: 0 }), context)).toHaveProperty("reason");
    }
  }
});

describe("a map that cannot be read as it stands is refused with its key:", () => {
  test.each([
    [
      "an unknown measurement",
      { ...acmeFlow, measurement: "flow" },
      /^measurement: the catalogue has no "flow"/,
    ],
    [
      "an unknown field",
      { ...acmeFlow, fields: { velocity: { register: 1, type: "f32", unit: "m/s" } } },
      /^fields.velocity: water_flow has no such field/,
    ],
    [
      "a unit of something else",
      { ...acmeFlow, fields: { flow: { register: 8, type: "f32", unit: "bar" } } },
      /^fields.flow.unit: "bar" does not become L\/s/,
    ],
    [
      "a row over two tables",
      { ...acmeFlow, fields: { flow: { register: 10, type: "f32", table: "input", unit: "L/s" } } },
      /^row: a row is read in one request, but these registers need 2/,
    ],
    [
      "a row over too many registers",
      { ...acmeFlow, fields: { flow: { register: 200, type: "f32", unit: "L/s" } } },
      /^row: .* within 125 registers/,
    ],
  ] as [string, MapInput, RegExp][])("%s", (_, map, expected) => {
    expect(problems(map)).toEqual([expect.stringMatching(expected)]);
  });
});

test("without a row far registers are requests of their own", () => {
  const plan = planned({
    measurement: "water_flow",
    fields: {
      flow: { register: 10, type: "f32", unit: "L/s" },
      volume_total: { register: 500, type: "u32", unit: "m3" },
      pressure: { register: 2, type: "u16", table: "input", unit: "kPa" },
    },
  });
  expect(plan.requests).toHaveLength(3);
  const answers = plan.requests.map(({ table, register }) =>
    Buffer.from(
      { "holding 10": "41480000", "holding 500": "00000063", "input 2": "0064" }[
        `${table} ${register}` as "holding 10"
      ],
      "hex",
    ),
  );
  expect(decodeShown(plan, answers).values).toEqual([12.5, 99, 100]);
});

test("no answer makes the decoder throw, and no value is anything but finite or NaN", () => {
  const plan = planned(acmeFlow);
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 2 }), (answers) => {
      const shown = decodeShown(
        plan,
        answers.map((bytes) => Buffer.from(bytes)),
      );
      expect(shown.values.every((value) => Number.isFinite(value) || Number.isNaN(value))).toBe(true);
      formatShown(plan, "wf-003", shown);
    }),
  );
});
