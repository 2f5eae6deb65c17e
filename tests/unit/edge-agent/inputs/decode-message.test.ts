import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { z } from "zod";
import { TopicMapping } from "#edge-agent/inputs/mqtt/config.ts";
import { type Decoded, decodeMessage } from "#edge-agent/inputs/mqtt/decode-message.ts";
import { parsePath, valueAt } from "#edge-agent/inputs/mqtt/json-path.ts";
import { type TopicPlan, planTopics } from "#edge-agent/inputs/mqtt/topic-plan.ts";
import { builtinCatalogue } from "#telemetry/builtin-catalogue.ts";

type MappingInput = z.input<typeof TopicMapping>;

function planOf(mapping: MappingInput): TopicPlan {
  const planned = planTopics([TopicMapping.parse(mapping)], builtinCatalogue);
  if (!planned.ok) throw new Error(planned.problems.join("\n"));
  return planned.plan[0]!;
}

function decoded(mapping: MappingInput, topic: string, payload: string | object): Decoded {
  const plan = planOf(mapping);
  const levels = plan.pattern.match(topic);
  if (levels === undefined) throw new Error(`${mapping.topic} does not match ${topic}`);
  return decodeMessage(
    plan,
    levels,
    Buffer.from(typeof payload === "string" ? payload : JSON.stringify(payload)),
  );
}

/** The lines, or why there are none. */
function lines(...message: Parameters<typeof decoded>): string {
  const result = decoded(...message);
  return result.kind === "lines" ? result.lines.toString() : `${result.kind}: ${result.why}`;
}

const freezer = {
  topic: "zigbee2mqtt/{device}",
  measurement: "cold_storage",
  sensor: "{device}",
  fields: {
    temp: { path: "temperature", unit: "Cel" },
    humidity: { path: "humidity", unit: "%" },
    door_open: { path: "contact", values: { true: 0, false: 1 } },
  },
} satisfies MappingInput;

function seenAt(unit: "ms" | "rfc3339", last_seen: unknown): string {
  const mapping = { ...freezer, time: { path: "last_seen", unit } };
  return lines(mapping, "zigbee2mqtt/cs-007", { temperature: 4, last_seen });
}

describe("messages as common firmware sends them become lines:", () => {
  test("Zigbee2MQTT: a JSON object, whose contact is true when closed", () => {
    const payload = { battery: 87, contact: false, temperature: -18.42, linkquality: 120 };
    expect(lines(freezer, "zigbee2mqtt/cs-007", payload)).toBe(
      "cold_storage,sensor=cs-007 temp=-18.42,door_open=1\n",
    );
  });

  test("Zigbee2MQTT with last_seen, as milliseconds or RFC 3339", () => {
    expect(seenAt("ms", 1_763_860_000_123)).toBe("cold_storage,sensor=cs-007 temp=4 1763860000123\n");
    expect(seenAt("rfc3339", "2025-11-23T04:06:40+03:00")).toBe(
      "cold_storage,sensor=cs-007 temp=4 1763860000000\n",
    );
    expect(seenAt("rfc3339", "2025-11-23T04:06:40")).toMatch(
      /^unreadable: last_seen holds "2025-11-23T04:06:40", which is no time/,
    );
    expect(seenAt("ms", undefined)).toMatch(/^unreadable: last_seen holds nothing/);
    expect(seenAt("ms", null)).toMatch(/^unreadable: last_seen holds null/);
    expect(seenAt("ms", { at: 1 })).toMatch(/^unreadable: last_seen holds an object/);
  });

  test("a time that is lists within lists, thousands of them, is unreadable like any other that is none", () => {
    const mapping = { ...freezer, time: { path: "last_seen", unit: "ms" as const } };
    const nested = `{"temperature":4,"last_seen":${"[".repeat(8_000)}${"]".repeat(8_000)}}`;
    expect(lines(mapping, "zigbee2mqtt/cs-007", nested)).toMatch(/^unreadable: last_seen holds a list/);
  });

  test("Tasmota: objects in an object, watts for kilowatts", () => {
    const tasmota: MappingInput = {
      topic: "tele/{device}/SENSOR",
      measurement: "energy_meter",
      sensor: "{device}",
      sensors: { "tasmota-4C11": "em-011" },
      fields: {
        power: { path: "ENERGY.Power", unit: "W" },
        import_total: { path: "ENERGY.Total", unit: "kWh" },
        voltage: { path: ["ENERGY", "Voltage"], unit: "V" },
      },
    };
    const payload = { Time: "2025-11-23T04:06:40", ENERGY: { Total: 3.185, Power: 1850, Voltage: 231 } };
    expect(lines(tasmota, "tele/tasmota-4C11/SENSOR", payload)).toBe(
      "energy_meter,sensor=em-011 power=1.85,import_total=3.185,voltage=231\n",
    );
    expect(lines(tasmota, "tele/tasmota-FFFF/SENSOR", payload)).toBe(
      'nothing: sensors has no "tasmota-FFFF"',
    );
  });

  test("Shelly: one number a topic, the phase in the topic", () => {
    const shelly: MappingInput = {
      topic: "shellies/{device}/emeter/{phase}/power",
      format: "number",
      measurement: "energy_meter",
      sensor: "{device}.{phase}",
      fields: { power: { unit: "W" } },
    };
    expect(lines(shelly, "shellies/em3-98CD/emeter/1/power", "412.50")).toBe(
      "energy_meter,sensor=em3-98CD.1 power=0.4125\n",
    );
    expect(lines(shelly, "shellies/em3-98CD/emeter/1/power", "on")).toMatch(
      /^nothing: power: "on" is no number/,
    );
  });

  test("line protocol as it is", () => {
    const sent = "water_flow,sensor=wf-1 flow=2 1\nwater_flow,sensor=wf-2 flow=3 1";
    expect(lines({ topic: "lines/#", format: "lines" }, "lines/a/b", sent)).toBe(sent);
  });
});

test("what stands where a number should is told, and the other fields are taken", () => {
  const result = decoded(freezer, "zigbee2mqtt/cs-007", { temperature: "warm", humidity: "61.5" });
  expect(result).toMatchObject({
    kind: "lines",
    problems: ['temp: "warm" is no number; `values` can say what it means'],
  });
  expect(lines(freezer, "zigbee2mqtt/cs-007", { battery: 87 })).toBe("nothing: it has none of the fields");
  expect(lines(freezer, "zigbee2mqtt/cs-007", "hello")).toMatch(/^unreadable: the payload is not JSON/);
  expect(lines(freezer, "zigbee2mqtt/cold store 7", { temperature: 4 })).toMatch(
    /^unreadable: "cold store 7" is no sensor id/,
  );
});

test("paths name keys and places in lists, also keys with dots", () => {
  const document = { a: { "b.c": [1, { d: 2 }] }, "": 3, list: [[7]] };
  expect(valueAt(document, parsePath(["a", "b.c", 1, "d"]))).toBe(2);
  expect(valueAt(document, parsePath("list[0][0]"))).toBe(7);
  expect(valueAt(document, parsePath("list.0.0"))).toBe(7);
  expect(valueAt([5], parsePath("[0]"))).toBe(5);
  expect(valueAt(document, parsePath("a.constructor"))).toBeUndefined();
  expect(valueAt(document, parsePath("list[3].x"))).toBeUndefined();
});

test("no payload makes the decoder throw, and a line that it makes is one line", () => {
  const mappings: MappingInput[] = [freezer, { ...freezer, time: { path: "t", unit: "s" } }];
  const plans = mappings.map(planOf);
  const payload = fc.oneof(
    fc.string(),
    fc.json(),
    fc
      .record({
        temperature: fc.jsonValue(),
        humidity: fc.double(),
        contact: fc.boolean(),
        t: fc.oneof(fc.double(), fc.string()),
      })
      .map((value) => JSON.stringify(value)),
  );
  fc.assert(
    fc.property(payload, fc.string(), fc.constantFrom(...plans), (sent, device, plan) => {
      const result = decodeMessage(plan, new Map([["device", device]]), Buffer.from(sent));
      const text = result.kind === "lines" ? result.lines.toString() : `${result.kind}: ${result.why}`;
      expect(text).toMatch(/^cold_storage,sensor=\S+ [^ ]+(?: -?\d+)?\n$|^(?:nothing|unreadable): ./);
    }),
  );
});
