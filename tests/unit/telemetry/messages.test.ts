import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatBatchHeader, parseBatchHeader } from "#telemetry/batch-header.ts";
import { formatBirth, parseBirth } from "#telemetry/birth.ts";
import { formatConfig, parseConfig } from "#telemetry/config-message.ts";
import {
  excerptOf,
  formatNack,
  formatRebirth,
  nackRejectionLimit,
  parseNack,
  parseRebirth,
} from "#telemetry/nack.ts";
import { formatStatus, formatWill, parseStatus } from "#telemetry/status.ts";
import { formatTime, parseTime } from "#telemetry/time-message.ts";
import { bytesOf } from "./support.ts";

const outbox = "6f1c0c8e-3f0e-4a39-8f7b-3a1f5f0f2a11";

describe("a batch header", () => {
  test("parsed is what was formatted, and the body follows it", () => {
    const header = fc.record({
      outbox: fc.uuid(),
      first: fc.nat({ max: 2 ** 50 }),
      n: fc.integer({ min: 1, max: 1e6 }),
    });
    fc.assert(
      fc.property(header, fc.string(), (given, body) => {
        const text = formatBatchHeader(given);
        const parsed = parseBatchHeader(bytesOf(text + body));
        expect(parsed).toStrictEqual({ ok: true, header: { ...given, bodyStart: text.length } });
      }),
    );
  });

  test.each(["\n", "\r\n", ""])("ends with %j", (end) => {
    const line = `# marsad 1 outbox=${outbox} first=0 n=1${end}`;
    expect(parseBatchHeader(bytesOf(line))).toMatchObject({
      ok: true,
      header: { first: 0, bodyStart: line.length },
    });
  });

  test.each([
    "",
    "# a comment\n",
    "# marsadian 1\n",
    "#marsad 1 first=1",
    "traffic_flow,sensor=a vehicles=1 1\n",
    "# marsad",
  ])("is none: %j", (payload) => {
    expect(parseBatchHeader(bytesOf(payload))).toBeUndefined();
  });

  test.each([
    ["# marsad 2 outbox=x\n", /version 2; this platform reads version 1/],
    ["# marsad \n", /is not/],
    [`# marsad 1 outbox=${outbox} first=1\n`, /is not/],
    [`# marsad 1 outbox=${outbox.toUpperCase()} first=1 n=1\n`, /is not/],
    [`# marsad 1 outbox=${outbox.replaceAll("-", "0")} first=1 n=1\n`, /is not/],
    [`# marsad 1 outbox=${outbox} first=-1 n=1\n`, /is not/],
    [`# marsad 1 outbox=${outbox} first= n=1\n`, /is not/],
    [`# marsad 1 outbox=${outbox} first=1 n=1x\n`, /is not/],
    [`# marsad 1 outbox=${outbox} first=1 n=1\rtraffic_flow`, /is not/],
    [`# marsad 1 outbox=${outbox} first=00000000000000001 n=1\n`, /is not/],
    [`# marsad 1 outbox=${outbox} first=1 n=0\n`, /no readings/],
    [`# marsad 1 outbox=${outbox} first=9007199254740991 n=1\n`, /2\^53/],
  ])("is broken: %j", (payload, detail) => {
    expect(parseBatchHeader(bytesOf(payload))).toStrictEqual({
      ok: false,
      detail: expect.stringMatching(detail),
    });
  });

  test("cut within its count is whole; cut before it is broken or none", () => {
    const text = formatBatchHeader({ outbox, first: 1200, n: 100 });
    const whole = Array.from(text, (_, end) => parseBatchHeader(bytesOf(text.slice(0, end)))?.ok === true);
    expect(whole.indexOf(true)).toBe(text.indexOf(" n=1") + " n=1".length);
    expect(whole.lastIndexOf(false)).toBe(whole.indexOf(true) - 1);
  });

  test("is looked for in any bytes without an exception", () => {
    const mark = bytesOf("# marsad 1 outbox=");
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (rest) => {
        const parsed = parseBatchHeader(Uint8Array.from([...mark, ...rest]));
        expect(parsed).toMatchObject({ ok: false });
        expect(parseBatchHeader(rest)).toBeUndefined();
      }),
    );
  });
});

describe("a birth", () => {
  const limits = { maxSensors: 3 };
  const parse = (message: unknown) =>
    parseBirth(typeof message === "string" ? bytesOf(message) : bytesOf(JSON.stringify(message)), limits);

  test("gives its sensors, their places as codes", () => {
    const birth = formatBirth({
      agent: "0.1.0",
      sensors: [
        { id: "tf-012", place: "Msheireb", role: "detector", lane: "2" },
        { id: "wf-1", place: "الوكرة", valid_from: 5, limits: { "water_flow.pressure": [100, null] } },
      ],
    });
    expect(parse(birth)).toStrictEqual({
      ok: true,
      refused: [],
      birth: {
        marsad: 1,
        agent: "0.1.0",
        sensors: [
          { id: "tf-012", place: "QA-DA-msheireb", role: "detector", lane: "2" },
          { id: "wf-1", place: "QA-WA", valid_from: 5, limits: { "water_flow.pressure": [100, null] } },
        ],
      },
    });
  });

  test("loses only its bad sensors, each with its reason", () => {
    const good = { id: "a", place: "QA-DA" };
    const sensors = [
      good,
      { id: "b", place: "Lusial" },
      { id: "no id", place: "QA-DA" },
      { id: "c", place: "QA-DA", colour: "red" },
      { id: "d", place: "QA-DA", role: "boss" },
      5,
      { ...good, lane: "1" },
      { ...good, valid_from: 1 },
    ];
    const parsed = parse({ marsad: 1, agent: "x", sensors });
    expect(parsed.ok && parsed.birth.sensors).toStrictEqual([good, { ...good, valid_from: 1 }]);
    expect(parsed.ok && parsed.refused).toStrictEqual([
      { sensor: "b", reason: "bad-birth", detail: expect.stringContaining("Lusail (QA-ZA-lusail)") },
      { sensor: "#2", reason: "bad-birth", detail: expect.stringContaining("id: letters") },
      { sensor: "c", reason: "bad-birth", detail: expect.stringContaining("colour") },
      { sensor: "d", reason: "bad-birth", detail: expect.stringContaining("role") },
      { sensor: "#5", reason: "bad-birth", detail: expect.any(String) },
      { sensor: "a", reason: "bad-birth", detail: expect.stringContaining("twice") },
    ]);
  });

  test("has room for as many sensors as the gateway may have", () => {
    const sensors = ["a", "b", "c", "d"].map((id) => ({ id, place: "QA-DA" }));
    const parsed = parse({ marsad: 1, agent: "x", sensors: [...sensors, { ...sensors[0]!, valid_from: 9 }] });
    expect(parsed.ok && parsed.birth.sensors.map(({ id }) => id)).toStrictEqual(["a", "b", "c", "a"]);
    expect(parsed.ok && parsed.refused).toMatchObject([{ sensor: "d", reason: "sensor-budget" }]);
  });

  test.each([
    "",
    "{",
    "[]",
    "null",
    '{"marsad":2,"agent":"x","sensors":[]}',
    '{"marsad":1,"sensors":[]}',
    '{"marsad":1,"agent":"x","sensors":{}}',
  ])("is bad as a whole: %s", (text) => {
    expect(parse(text)).toStrictEqual({
      ok: false,
      reason: "bad-birth",
      detail: expect.stringMatching(/\S/),
    });
  });

  test("is read from any bytes and any JSON without an exception", () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(parseBirth(bytes, limits)).toMatchObject({ ok: false });
      }),
    );
    const sensor = fc.oneof(
      fc.jsonValue(),
      fc.dictionary(fc.constantFrom("id", "place", "position", "limits", "__proto__"), fc.jsonValue()),
    );
    fc.assert(
      fc.property(fc.array(sensor), (sensors) => {
        const parsed = parse({ marsad: 1, agent: "x", sensors });
        expect(parsed.ok && parsed.birth.sensors.length + parsed.refused.length).toBe(sensors.length);
      }),
    );
  });
});

describe("a nack", () => {
  test("counts all refusals and explains the first of them", () => {
    const rejections = Array.from({ length: 30 }, (_, number) => ({
      reason: "syntax" as const,
      detail: "no",
      outbox,
      number,
      bytes: bytesOf(`line ${number}`),
    }));
    const parsed = parseNack(bytesOf(formatNack({ count: 45, rejections })));
    expect(parsed.ok && parsed.message.count).toBe(45);
    expect(parsed.ok && parsed.message.rejections).toHaveLength(nackRejectionLimit);
    expect(parsed.ok && parsed.message.rejections[3]).toStrictEqual({
      reason: "syntax",
      detail: "no",
      outbox,
      number: 3,
      excerpt: "line 3",
    });
  });

  test("shows the beginning of what was refused, also of bytes that are no text", () => {
    expect(excerptOf(Uint8Array.of(0x61, 0xff))).toBe("a\ufffd");
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2000 }), (bytes) => {
        expect(excerptOf(bytes).length).toBeLessThanOrEqual(200);
      }),
    );
  });
});

test("a request for a birth says why", () => {
  expect(parseRebirth(bytesOf(formatRebirth({ reason: "unknown-sensor" })))).toStrictEqual({
    ok: true,
    message: { marsad: 1, reason: "unknown-sensor" },
  });
});

test("a status tells online from gone; the will tells no time", () => {
  expect(parseStatus(bytesOf(formatStatus({ online: true, agent: "0.1.0", since: 5 })))).toStrictEqual({
    ok: true,
    status: { marsad: 1, online: true, agent: "0.1.0", since: 5 },
  });
  expect(parseStatus(bytesOf(formatWill()))).toStrictEqual({
    ok: true,
    status: { marsad: 1, online: false },
  });
});

test("a time, a configuration, and a status that asks and reports are read as they were written", () => {
  const time = fc.record(
    {
      id: fc.nat(),
      time: fc.nat({ max: 2e12 }),
      echo: fc.record({ sent: fc.nat({ max: 2e12 }), received: fc.nat({ max: 2e12 }) }),
    },
    { requiredKeys: ["id", "time"] },
  );
  const revision = fc.stringMatching(/^[0-9a-f]{12}$/);
  const settings = fc.oneof(
    fc.constant(null),
    fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), fc.jsonValue()),
  );
  fc.assert(
    fc.property(time, revision, settings, (message, of, config) => {
      expect(parseTime(bytesOf(formatTime(message)))).toEqual({
        ok: true,
        message: { marsad: 1, ...message },
      });
      const text = formatConfig({ revision: of, config });
      expect(parseConfig(bytesOf(text))).toEqual({ ok: true, message: JSON.parse(text) });
      const status = {
        online: true,
        sent: message.time,
        config: { revision: of, result: "applied" as const },
      };
      expect(parseStatus(bytesOf(formatStatus(status)))).toEqual({
        ok: true,
        status: { marsad: 1, ...status },
      });
    }),
  );
  expect(parseConfig(bytesOf('{"marsad":1,"revision":"nonsense","config":{}}'))).toMatchObject({
    ok: false,
    detail: "revision: 12 hexadecimal digits",
  });
});

test.each([parseNack, parseRebirth, parseStatus, parseTime, parseConfig])(
  "%o reads any bytes without an exception",
  (parse) => {
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array(), fc.json().map(bytesOf)), (bytes) => {
        expect(parse(bytes)).toMatchObject({ ok: false, detail: expect.stringMatching(/\S/) });
      }),
    );
  },
);
