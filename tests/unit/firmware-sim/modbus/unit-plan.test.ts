import { expect, test } from "vitest";
import { registerMapOf } from "#firmware-sim/modbus/device-maps.ts";
import { planOf } from "#firmware-sim/modbus/gateway-meters.ts";
import { agentModbus, busesOf, portsFrom, portsOf } from "#firmware-sim/modbus/unit-plan.ts";
import { cityOf } from "#firmware-sim/city.ts";
import { places } from "#telemetry/places.ts";

test("meters and tanks alone get unit ids, each once on its port, at most 247 a port", () => {
  const { gateways } = cityOf({ seed: 1, sensors: 4000, places });
  const plans = gateways.map((gateway) => ({ gateway, plan: planOf(gateway) }));
  for (const { gateway, plan } of plans) {
    const meters = gateway.sensors.filter(({ kind }) => registerMapOf(kind) !== undefined);
    expect(plan.map(({ sensor }) => sensor)).toEqual(meters.map(({ id }) => id));
    expect(new Set(plan.map(({ port, unit }) => `${port} ${unit}`)).size).toBe(plan.length);
    expect(plan.every(({ unit }) => unit >= 1 && unit <= 247)).toBe(true);
  }
  expect(Math.max(...plans.map(({ plan }) => portsOf(plan)))).toBe(2);
});

test("ports follow one another from a base, for gateways that need some", () => {
  const gateways = [
    { name: "gw-water-1", ports: 2 },
    { name: "gw-mobility-1", ports: 0 },
    { name: "gw-energy-1", ports: 1 },
  ];
  const host = "127.0.0.1";
  const portsOfAll = (port: number): unknown =>
    Array.from(portsFrom({ host, port }, gateways), ([name, all]) => [name, all.map((each) => each.port)]);
  expect(portsOfAll(5020)).toEqual([
    ["gw-water-1", [5020, 5021]],
    ["gw-energy-1", [5022]],
  ]);
  expect(portsOfAll(0)).toEqual([
    ["gw-water-1", [0, 0]],
    ["gw-energy-1", [0]],
  ]);
});

test("an agent is told each device, its model, and each model once", () => {
  const named = registerMapOf("water-tank")!;
  const plan = [
    { sensor: "wt-001", named, port: 0, unit: 1 },
    { sensor: "wt-002", named, port: 1, unit: 1 },
  ];
  const addresses = [5020, 5021].map((port) => ({ host: "::1", port }));
  const { inputs, register_maps } = agentModbus(busesOf(plan, addresses), {
    poll_ms: 5000,
    timeout_ms: 1000,
  });
  expect(inputs).toMatchObject([
    { type: "modbus", connect: "tcp://[::1]:5020", poll_ms: 5000, devices: [{ unit: 1, sensor: "wt-001" }] },
    { connect: "tcp://[::1]:5021", devices: [{ unit: 1, sensor: "wt-002", map: "acme-level" }] },
  ]);
  expect(register_maps).toEqual({ "acme-level": named.map });
});
