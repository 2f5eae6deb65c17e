import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Reason } from "#telemetry/rejection.ts";
import { requireDebian, whySkipped } from "../../support/debian.ts";
import { mosquittoPub } from "../../support/mosquitto-pub.ts";
import { poll } from "../../support/poll.ts";
import { flowLine, sharePlatform, type SharedPlatform } from "./support.ts";

let shared: SharedPlatform;
beforeAll(async () => void (shared = await sharePlatform()));
afterAll(() => shared[Symbol.asyncDispose]());

const minute = 60_000;
const day = 86_400_000;

interface BadReading {
  readonly is: string;
  readonly reason: Reason;
  /** What the reason given to people names. */
  readonly says: RegExp;
  /** The bad line, of a sensor that is registered and a time that is right. */
  readonly line: (sensor: string, now: number) => string;
}

const badReadings: readonly BadReading[] = [
  {
    is: "an unknown measurement",
    reason: "unknown-measurement",
    says: /"trafic_flow"/,
    line: (sensor, now) => `trafic_flow,sensor=${sensor} vehicles=1 ${now}`,
  },
  {
    is: "an unknown field",
    reason: "unknown-field",
    says: /traffic_flow has no field "bicycles"/,
    line: (sensor, now) => `traffic_flow,sensor=${sensor} vehicles=1,bicycles=2 ${now}`,
  },
  {
    is: "a physically impossible value",
    reason: "out-of-range",
    says: /vehicles=-3 .*impossible: at least 0/,
    line: (sensor, now) => `traffic_flow,sensor=${sensor} vehicles=-3 ${now}`,
  },
  {
    is: "a temperature below absolute zero",
    reason: "out-of-range",
    says: /temp=-300 Cel .*at least -273.15/,
    line: (sensor, now) => `cold_storage,sensor=${sensor} temp=-300 ${now}`,
  },
  {
    is: "NaN",
    reason: "not-finite",
    says: /speed_avg/,
    line: (sensor, now) => `traffic_flow,sensor=${sensor} speed_avg=NaN ${now}`,
  },
  {
    is: "an infinity",
    reason: "not-finite",
    says: /speed_avg/,
    line: (sensor, now) => `traffic_flow,sensor=${sensor} speed_avg=-Inf ${now}`,
  },
  {
    is: "a number too large for a double",
    reason: "not-finite",
    says: /speed_avg/,
    line: (sensor, now) => `traffic_flow,sensor=${sensor} speed_avg=1e999 ${now}`,
  },
  {
    is: "a text where a number belongs",
    reason: "wrong-type",
    says: /vehicles is a number/,
    line: (sensor, now) => `traffic_flow,sensor=${sensor} vehicles="many" ${now}`,
  },
  {
    is: "a time more than 5 minutes ahead",
    reason: "future",
    says: /more than 300 s ahead/,
    line: (sensor, now) => flowLine(sensor, 1, now + 6 * minute),
  },
  {
    is: "a time in nanoseconds",
    reason: "future",
    says: /times are milliseconds/,
    line: (sensor, now) => flowLine(sensor, 1, now * 1e6),
  },
  {
    is: "a time older than 400 days",
    reason: "too-old",
    says: /more than 400 days ago/,
    line: (sensor, now) => flowLine(sensor, 1, now - 401 * day),
  },
  {
    is: "a time in seconds",
    reason: "too-old",
    says: /milliseconds since 1970, not seconds/,
    line: (sensor, now) => flowLine(sensor, 1, Math.floor(now / 1000)),
  },
  {
    is: "a clock that was reset to 1970",
    reason: "too-old",
    says: /the time 0 is/,
    line: (sensor) => flowLine(sensor, 1, 0),
  },
  {
    is: "no time",
    reason: "no-time",
    says: /no time: milliseconds since 1970/,
    line: (sensor) => `traffic_flow,sensor=${sensor} vehicles=1`,
  },
  {
    is: "a time without digits",
    reason: "no-time",
    says: /milliseconds since 1970/,
    line: (sensor) => `traffic_flow,sensor=${sensor} vehicles=1 now`,
  },
  {
    is: "a time with a fraction",
    reason: "syntax",
    says: /is no time: whole milliseconds/,
    line: (sensor, now) => `traffic_flow,sensor=${sensor} vehicles=1 ${now}.5`,
  },
  {
    is: "a broken line",
    reason: "syntax",
    says: /./,
    line: (sensor, now) => `traffic_flow,sensor=${sensor} vehicles= ${now}`,
  },
  {
    is: "a tag that only the registry may give",
    reason: "unexpected-tag",
    says: /district/,
    line: (sensor, now) => `traffic_flow,sensor=${sensor},district=QA-DA vehicles=1 ${now}`,
  },
];

describe.concurrent("as line protocol", () => {
  test.each(badReadings)("$is is refused as $reason and its neighbours are stored", async (bad) => {
    const { platform, newGateway } = shared;
    await using gateway = await newGateway();
    const sensor = `${gateway.name}.a`;
    const now = Date.now();
    const line = bad.line(sensor, now - 2000);
    await gateway.send(
      [flowLine(sensor, 11, now - 3000), line, flowLine(sensor, 12, now - 1000), ""].join("\n"),
    );

    const told = await gateway.refusal(bad.reason);
    expect(told).toMatchObject({ detail: expect.stringMatching(bad.says), excerpt: line });
    const stored = await storedVehicles(gateway.name, sensor);
    expect(stored).toEqual([11, 12]);
    const [letter, ...others] = await platform.deadLetters(gateway.name);
    expect(others).toEqual([]);
    expect(letter).toMatchObject({ reason: bad.reason, readings: 1, channel: "lp", kept: true });
    expect((await platform.deadLetter(letter!.id)).payload).toEqual({ encoding: "utf-8", text: line });
    const ledger = await platform.account(gateway.name);
    expect(ledger).toMatchObject({ sent: 3, stored: 2, refused: 1, refused_by_reason: { [bad.reason]: 1 } });
  });

  test("invalid UTF-8 is refused with its bytes kept, and its neighbours are stored", async () => {
    const { platform, newGateway } = shared;
    await using gateway = await newGateway();
    const sensor = `${gateway.name}.a`;
    const now = Date.now();
    const bad = Buffer.concat([
      Buffer.from(`traffic_flow,sensor=${sensor} vehicles="`),
      Buffer.from([0xc3, 0x28, 0xff]),
      Buffer.from(`" ${now - 2000}`),
    ]);
    await gateway.send(
      Buffer.concat([
        Buffer.from(`${flowLine(sensor, 11, now - 3000)}\n`),
        bad,
        Buffer.from(`\n${flowLine(sensor, 12, now - 1000)}\n`),
      ]),
    );
    await gateway.refusal("invalid-utf8");
    expect(await storedVehicles(gateway.name, sensor)).toEqual([11, 12]);
    const [letter] = await platform.deadLetters(gateway.name);
    expect(letter).toMatchObject({ reason: "invalid-utf8", bytes: bad.length });
    expect((await platform.deadLetter(letter!.id)).payload).toEqual({
      encoding: "base64",
      text: bad.toString("base64"),
    });
  });

  test("a reading of an unknown sensor waits, its gateway is asked for a birth, and its neighbours are stored", async () => {
    const { platform, newGateway } = shared;
    await using gateway = await newGateway();
    const sensor = `${gateway.name}.a`;
    const now = Date.now();
    const unknown = flowLine(`${gateway.name}.never-born`, 5, now - 2000);
    await gateway.send(
      [flowLine(sensor, 11, now - 3000), unknown, flowLine(sensor, 12, now - 1000)].join("\n"),
    );
    await poll(() => gateway.rebirths.length > 0);
    expect(gateway.rebirths).toEqual([{ marsad: 1, reason: "unknown-sensor" }]);
    expect(await storedVehicles(gateway.name, sensor)).toEqual([11, 12]);
    expect(await platform.account(gateway.name)).toMatchObject({
      sent: 3,
      stored: 2,
      refused: 0,
      on_its_way: { waiting: 1 },
    });
    expect(await platform.deadLetters(gateway.name)).toEqual([]);
  });

  test("bytes that are nothing at all are refused, and the connection goes on", async () => {
    const { platform, newGateway } = shared;
    await using gateway = await newGateway();
    const sensor = `${gateway.name}.a`;
    const noise = Uint8Array.from({ length: 4096 }, (_, i) => (i * 7919 + (i >> 3)) & 0xff);
    await gateway.send(noise);
    await gateway.send("");
    await gateway.send("\n\n# a comment\n");
    await gateway.send(flowLine(sensor, 11, Date.now()));
    expect(await storedVehicles(gateway.name, sensor)).toEqual([11]);
    expect(gateway.client.connected).toBe(true);
    expect((await platform.account(gateway.name)).refused).toBeGreaterThan(0);
  });
});

interface BadObject {
  readonly is: string;
  readonly reason: Reason;
  readonly reading: (sensor: string, now: number) => string;
}

const json = (sensor: string, time: number | string, fields: string): string =>
  `{"measurement":"traffic_flow","sensor":"${sensor}","time":${time},"fields":${fields}}`;

const badObjects: readonly BadObject[] = [
  {
    is: "an unknown measurement",
    reason: "unknown-measurement",
    reading: (sensor, now) => json(sensor, now, '{"vehicles":1}').replace("traffic_flow", "trafic_flow"),
  },
  {
    is: "an unknown field",
    reason: "unknown-field",
    reading: (sensor, now) => json(sensor, now, '{"bicycles":1}'),
  },
  {
    is: "a physically impossible value",
    reason: "out-of-range",
    reading: (sensor, now) => json(sensor, now, '{"occupancy":1.5}'),
  },
  {
    is: "an infinity",
    reason: "not-finite",
    reading: (sensor, now) => json(sensor, now, '{"speed_avg":1e999}'),
  },
  {
    is: "NaN as text",
    reason: "wrong-type",
    reading: (sensor, now) => json(sensor, now, '{"speed_avg":"NaN"}'),
  },
  {
    is: "a future time",
    reason: "future",
    reading: (sensor, now) => json(sensor, now + 6 * minute, '{"vehicles":1}'),
  },
  {
    is: "a time that is too old",
    reason: "too-old",
    reading: (sensor, now) => json(sensor, now - 401 * day, '{"vehicles":1}'),
  },
  {
    is: "a time without digits",
    reason: "no-time",
    reading: (sensor) => json(sensor, '"now"', '{"vehicles":1}'),
  },
  { is: "something else", reason: "syntax", reading: () => "[42]" },
];

describe.concurrent("as JSON", () => {
  test.each(badObjects)("$is is refused as $reason and its neighbours are stored", async (bad) => {
    const { platform, newGateway } = shared;
    await using gateway = await newGateway();
    const sensor = `${gateway.name}.a`;
    const now = Date.now();
    const object = bad.reading(sensor, now - 2000);
    const good = [json(sensor, now - 3000, '{"vehicles":11}'), json(sensor, now - 1000, '{"vehicles":12}')];
    await gateway.send(`{"readings": [${good[0]}, ${object},\n ${good[1]}]}`, "json");
    expect((await gateway.refusal(bad.reason)).excerpt).toBe(object);
    expect(await storedVehicles(gateway.name, sensor)).toEqual([11, 12]);
    const [letter] = await platform.deadLetters(gateway.name);
    expect((await platform.deadLetter(letter!.id)).payload).toEqual({ encoding: "utf-8", text: object });
    expect(await platform.account(gateway.name)).toMatchObject({ sent: 3, stored: 2, refused: 1 });
  });

  test.each<[string, string | Uint8Array, Reason]>([
    ["half a document", '{"measurement":"traffic_flow","sensor":', "syntax"],
    ["invalid UTF-8", Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x7d), "invalid-utf8"],
    [
      "NaN, which JSON does not have",
      '{"measurement":"traffic_flow","sensor":"a","time":1,"fields":{"vehicles":NaN}}',
      "syntax",
    ],
  ])("%s is one refused reading", async (_name, payload, reason) => {
    const { platform, newGateway } = shared;
    await using gateway = await newGateway();
    await gateway.send(payload, "json");
    await gateway.refusal(reason);
    expect(await platform.settled(gateway.name)).toMatchObject({ sent: 1, stored: 0, refused: 1 });
  });
});

test("the same bad readings by mosquitto_pub are refused for the same reasons, and its PUBACKs come", async ({
  skip,
}) => {
  skip(!(await requireDebian("mosquitto-clients")), whySkipped("mosquitto-clients"));
  const { platform, newGateway } = shared;
  await using gateway = await newGateway();
  const sensor = `${gateway.name}.a`;
  const now = Date.now();
  for (const [i, { line }] of badReadings.entries()) {
    const payload = `${flowLine(sensor, i, now - 100_000 + i)}\n${line(sensor, now - 2000)}\n`;
    const { code } = await mosquittoPub({
      ...gateway,
      port: platform.mqttPort,
      topic: gateway.topics.up.lp,
      payload,
    });
    expect(code).toBe(0);
  }
  expect(await storedVehicles(gateway.name, sensor)).toEqual(badReadings.map((_, i) => i));
  const expected = Map.groupBy(badReadings, ({ reason }) => reason);
  expect((await platform.account(gateway.name)).refused_by_reason).toEqual(
    Object.fromEntries(Array.from(expected, ([reason, bad]) => [reason, bad.length])),
  );
});

async function storedVehicles(gateway: string, sensor: string): Promise<unknown[]> {
  await shared.platform.settled(gateway);
  const readings = await shared.platform.readings("traffic_flow", sensor);
  return readings.map(({ vehicles }) => vehicles);
}
