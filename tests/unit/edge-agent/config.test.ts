import { expect, test } from "vitest";
import { EdgeAgentConfig } from "#edge-agent/config.ts";
import { formatAddress, parseListenAddress } from "#edge-agent/inputs/input.ts";

const least = {
  agency: "mobility",
  gateway: "corniche-1",
  place: "الدوحة",
  mqtt: "mqtt://10.0.0.5:1883",
  password_file: "/etc/marsad/password",
  inputs: [{ type: "lines", listen: "tcp://0.0.0.0:7001" }],
};

/** The paths of what is wrong with `least` and these settings. */
function problems(settings: object): string[] {
  const parsed = EdgeAgentConfig.safeParse({ ...least, ...settings });
  return parsed.success ? [] : parsed.error.issues.map(({ path }) => path.join("."));
}

test("who, where and one input are enough; the rest has defaults, and a place may be named in any language", () => {
  expect(EdgeAgentConfig.parse(least)).toMatchObject({
    place: "QA-DA",
    sensors: [],
    batch: { max_bytes: 65_536, max_age_ms: 250 },
    window: 8,
    outbox: { max_live_bytes: 2 ** 30 },
    health_period_s: 60,
    inputs: [{ max_line_bytes: 4096, max_connections: 1024 }],
  });
});

test("what cannot be right is refused with its key", () => {
  expect(problems({})).toEqual([]);
  expect(problems({ gateway: "Corniche 1" })).toEqual(["gateway"]);
  expect(problems({ mqtt: "10.0.0.5:1883" })).toEqual(["mqtt"]);
  expect(problems({ mqtt: "mqtt://user:secret@10.0.0.5:1883" })).toEqual(["mqtt"]);
  expect(problems({ password_file: undefined })).toEqual(["password_file"]);
  expect(problems({ password: "secret" })).toEqual(["password_file"]);
  expect(problems({ batch: { max_bytes: 131_073 } })).toEqual(["batch.max_bytes"]);
  expect(problems({ batch: { max_bytes: 4096 } })).toEqual(["batch.max_bytes"]);
  expect(problems({ inputs: [] })).toEqual(["inputs"]);
  expect(problems({ inputs: [{ type: "lines", listen: "http://0.0.0.0:80" }] })).toEqual(["inputs.0.listen"]);
  expect(problems({ inputs: [{ type: "canbus" }] })).toEqual(["inputs.0.type"]);
  expect(problems({ sensors: [{ id: "wm 7", place: "QA-DA" }] })).toEqual(["sensors.0.id"]);
});

test("more sensors than fit into one birth are refused before the platform would close every connection", () => {
  const sensors = Array.from({ length: 8000 }, (_, i) => ({ id: `tf-${i}`, place: "QA-DA" }));
  expect(problems({ sensors: sensors.slice(0, 4000) })).toEqual([]);
  expect(problems({ sensors })).toEqual(["sensors"]);
});

test("listen addresses are read and written, IPv6 in brackets", () => {
  expect(parseListenAddress("tcp://127.0.0.1:0")).toEqual({ protocol: "tcp", host: "127.0.0.1", port: 0 });
  expect(parseListenAddress("udp://[::1]:7001")).toEqual({ protocol: "udp", host: "::1", port: 7001 });
  for (const text of ["127.0.0.1:7001", "tcp://:7001", "tcp://::1:7001", "tcp://a:70000", "tcp://a b:1"]) {
    expect(parseListenAddress(text)).toBeUndefined();
  }
  expect(formatAddress({ address: "::1", port: 7001 })).toBe("[::1]:7001");
  expect(formatAddress({ address: "10.0.0.1", port: 7001 })).toBe("10.0.0.1:7001");
});
