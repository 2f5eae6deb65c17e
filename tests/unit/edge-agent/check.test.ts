import { describe, expect, test } from "vitest";
import { LineCollector } from "#edge-agent/check/line-collector.ts";
import { failureHints, unreachableHints } from "#edge-agent/check/modbus-hints.ts";
import { betterOrders, isPlausible } from "#edge-agent/check/plausible.ts";
import { ModbusInput } from "#edge-agent/inputs/modbus/config.ts";
import { planDevice } from "#edge-agent/inputs/modbus/device-plan.ts";
import { RegisterMap } from "#edge-agent/inputs/modbus/register-map.ts";
import { LineIntake } from "#edge-agent/line-intake.ts";
import { builtinCatalogue } from "#telemetry/builtin-catalogue.ts";

test("a wrong byte order is found out by its value, and the right one named", () => {
  const map = { measurement: "water_flow", fields: { flow: { register: 0, type: "f32", unit: "L/s" } } };
  const planned = planDevice(RegisterMap.parse(map), builtinCatalogue);
  const field = planned.ok ? planned.plan.fields[0]! : undefined;
  // 9.86 with its words swapped
  const answers = [Buffer.from("c28f411d", "hex")];
  expect(betterOrders(field!, answers, [-500, 5000])).toEqual([{ order: "CDAB", value: Math.fround(9.86) }]);
});

test("floats of a size that no sensor shows are implausible even inside the range", () => {
  const range: [number, number] = [-500, 5000];
  expect(isPlausible(12.5, 12.5, "f32", range)).toBe(true);
  expect(isPlausible(0, 0, "f32", range)).toBe(true);
  expect(isPlausible(1e-41, 1e-41, "f32", range)).toBe(false);
  expect(isPlausible(6000, 6000, "f32", range)).toBe(false);
  expect(isPlausible(1e15, 1e15, "u64", [0, null])).toBe(false);
  expect(isPlausible(1, 1, "bool", [0, 1])).toBe(true);
  expect(isPlausible(Number.NaN, Number.NaN, "f32", range)).toBe(false);
});

describe("what to look at depends on the line and on what happened:", () => {
  const tcp = ModbusInput.parse({
    type: "modbus",
    connect: "tcp://10.0.0.9",
    devices: [{ unit: 3, sensor: "wf-3", map: "m" }],
  });
  const serial = ModbusInput.parse({
    ...tcp,
    connect: "rtu:///dev/ttyUSB0",
    serial: { baud_rate: 19_200, parity: "even" },
  });

  test("silence on a serial line is wiring, unit id and baud rate; over TCP the unit id", () => {
    const silent = { kind: "silent", detail: "" } as const;
    expect(failureHints(serial, 3, silent).join("\n")).toMatch(
      /wiring.*\n.*here 3\n.*19200 even, 1 stop bit/,
    );
    expect(failureHints(tcp, 3, silent)[0]).toMatch(/here 3; .* often 1 or 255/);
  });

  test("each exception has its own", () => {
    const first = [1, 2, 3, 6, 11].map(
      (exception) => failureHints(tcp, 3, { kind: "refused", detail: "", exception })[0],
    );
    expect(first).toEqual([
      expect.stringMatching(/^`table`/),
      expect.stringMatching(/^`register`: many manuals count from 1/),
      expect.stringMatching(/^`gap: 0`/),
      expect.stringMatching(/busy/),
      expect.stringMatching(/^`unit`: the gateway finds no device 3/),
    ]);
  });

  test("a line that another program has is told from one that is not there", () => {
    expect(unreachableHints(serial, "Cannot lock port")[0]).toMatch(/stop it for the check/);
    expect(unreachableHints(serial, "Permission denied, cannot open /dev/ttyUSB0")[0]).toMatch(/dialout/);
    expect(unreachableHints(serial, "No such file or directory")[0]).toMatch(/by-id/);
    expect(unreachableHints(tcp, "connect ECONNREFUSED").join("\n")).toMatch(/port is 502[^]*one connection/);
  });
});

test("lines are judged as the platform will judge them, each field shown with its newest value", () => {
  const sensors = [{ id: "em-1", place: "QA-DA", nominal_v: 110 }];
  const collector = new LineCollector(builtinCatalogue, sensors, 4096);
  const intake = new LineIntake(collector.stage, 4096);
  const sent = Buffer.from(
    [
      "energy_meter,sensor=em-1 power=1.5,voltage=111",
      "energy_meter,sensor=em-1 power=1.6,voltage=230",
      "traffic_flow,sensor=tf-1 vehicles=-5",
      "traffic_flow,sensor=tf-2 vehicles=-5",
      "nonsense",
    ].join("\n"),
  );
  intake.take(sent, 0, sent.length, Date.now());
  collector.judge("topic/a");
  const common = { sensor: "em-1", measurement: "energy_meter", raw: "topic/a" };
  expect(collector.values).toEqual([
    { ...common, field: "power", value: 1.6, unit: "kW", plausible: true },
    { ...common, field: "voltage", value: 230, unit: "V", plausible: false }, // of a 110 V meter
  ]);
  expect(collector.lines).toBe(5);
  expect(collector.refusals).toEqual([
    expect.stringMatching(/^out-of-range: vehicles=-5 .*\(2 lines\): "traffic_flow,sensor=tf-1/),
    expect.stringMatching(/^unknown-measurement: /),
  ]);
});
