import { describe, expect, test } from "vitest";
import { decodeLines } from "#telemetry/line-protocol/oracle.ts";
import { LineScanner } from "#telemetry/line-protocol/scanner.ts";
import { SeriesIndex } from "#telemetry/line-protocol/series-index.ts";
import type { DecodeCount } from "#telemetry/decode.ts";
import type { Reason } from "#telemetry/rejection.ts";
import { bytesOf, catalogue, counted, day, minute, now, own, resolve, trial } from "./support.ts";
import type { Trial } from "./support.ts";

const scanner = new LineScanner(catalogue);
const decoders: Record<string, (bytes: Uint8Array, into: Trial) => DecodeCount> = {
  oracle: (bytes, into) => decodeLines(bytes, 0, bytes.length, resolve, into.context),
  scanner: (bytes, into) =>
    counted(scanner.scan(bytes, 0, bytes.length, new SeriesIndex(), resolve, into.context)),
};

describe.each(Object.entries(decoders))("the %s", (_name, decode) => {
  function decoded(payload: string | Uint8Array, seen?: (ordinal: number) => boolean) {
    const into = trial(seen);
    const bytes = typeof payload === "string" ? bytesOf(payload) : payload;
    const count = decode(bytes, into);
    const texts = into.rejections.map(({ start, end }) =>
      new TextDecoder().decode(bytes.subarray(start, end)),
    );
    return { count, rows: into.rows(), runs: into.runs(), rejections: into.rejections, texts };
  }

  test("puts a line's fields into its measurement's columns", () => {
    const { count, rows, runs } = decoded(`traffic_flow,sensor=tf-012 vehicles=31,speed_avg=48.2 ${now}\n`);
    expect(count).toStrictEqual({ accepted: 1, seen: 0, refused: 0 });
    const series = expect.any(Number);
    expect(rows).toStrictEqual({
      traffic_flow: [{ time: now, series, values: { vehicles: 31, speed_avg: 48.2 } }],
    });
    expect(runs).toStrictEqual({ traffic_flow: [own, 1] });
  });

  test("takes fields in any order, and the last value of a field given twice", () => {
    const { rows } = decoded(`traffic_flow,sensor=a speed_avg=1,vehicles=2,speed_avg=3 ${now}`);
    expect(rows["traffic_flow"]?.[0]?.values).toStrictEqual({ speed_avg: 3, vehicles: 2 });
  });

  test.each([
    ["torque=31", 31],
    ["torque=31i", 31],
    ["torque=31u", 31],
    ["torque=-0", -0],
    ["torque=007", 7],
    ["torque=1e-320", 1e-320],
    ["torque=9007199254740993", 9007199254740992],
    ["torque=1.5E+3", 1500],
    ["cycles=31", 31],
    ["cycles=31i", 31],
    ["cycles=31u", 31],
    ["cycles=3.1e1", 31],
    ["cycles_left=-9007199254740991i", -9007199254740991],
    ["open=t", 1],
    ["open=True", 1],
    ["open=F", 0],
    ["open=FALSE", 0],
  ])("takes %s", (fieldText, value) => {
    const { rows } = decoded(`valve,sensor=a ${fieldText} ${now}`);
    expect(Object.values(rows["valve"]?.[0]?.values ?? {})).toStrictEqual([value]);
  });

  test.each<[Reason, string]>([
    ["syntax", `,sensor=a vehicles=1 ${now}`],
    ["unknown-measurement", `trafic_flow,sensor=a vehicles=1 ${now}`],
    ["unknown-measurement", "hello"],
    ["syntax", `traffic_flow vehicles=1 ${now}`],
    ["syntax", `traffic_flow,sensor vehicles=1 ${now}`],
    ["unexpected-tag", `traffic_flow,sensor=a,lane=2 vehicles=1 ${now}`],
    ["unexpected-tag", `traffic_flow,gateway=g,sensor=a vehicles=1 ${now}`],
    ["syntax", `traffic_flow,sensor=a,sensor=b vehicles=1 ${now}`],
    ["syntax", `traffic_flow,sensor=ح vehicles=1 ${now}`],
    ["unknown-sensor", `traffic_flow,sensor=u-1 vehicles=1 ${now}`],
    ["sensor-retired", `traffic_flow,sensor=r-1 vehicles=1 ${now}`],
    ["sensor-owned", `traffic_flow,sensor=f-1 vehicles=1 ${now}`],
    ["syntax", "traffic_flow,sensor=a"],
    ["syntax", `traffic_flow,sensor=a  vehicles=1 ${now}`],
    ["syntax", `traffic_flow,sensor=a vehicles ${now}`],
    ["unknown-field", `traffic_flow,sensor=a cars=1 ${now}`],
    ["wrong-type", `traffic_flow,sensor=a vehicles=true ${now}`],
    ["wrong-type", `traffic_flow,sensor=a vehicles="31" ${now}`],
    ["wrong-type", `valve,sensor=a open=1 ${now}`],
    ["wrong-type", `valve,sensor=a cycles=1.5 ${now}`],
    ["not-finite", `traffic_flow,sensor=a vehicles=NaN ${now}`],
    ["not-finite", `traffic_flow,sensor=a vehicles=-inf ${now}`],
    ["not-finite", `traffic_flow,sensor=a vehicles=1e400 ${now}`],
    ["out-of-range", `traffic_flow,sensor=a vehicles=-1 ${now}`],
    ["out-of-range", `traffic_flow,sensor=a occupancy=1.01 ${now}`],
    ["out-of-range", `weather,sensor=a temp=-273.16 ${now}`],
    ["out-of-range", `valve,sensor=a cycles=9007199254740993i ${now}`],
    ["syntax", `traffic_flow,sensor=a vehicles=+5 ${now}`],
    ["syntax", `traffic_flow,sensor=a vehicles=.5 ${now}`],
    ["syntax", `traffic_flow,sensor=a vehicles=5. ${now}`],
    ["syntax", `traffic_flow,sensor=a vehicles=0x1F ${now}`],
    ["syntax", `traffic_flow,sensor=a vehicles=-5u ${now}`],
    ["syntax", `traffic_flow,sensor=a vehicles= ${now}`],
    ["no-time", "traffic_flow,sensor=a vehicles=1"],
    ["no-time", "traffic_flow,sensor=a vehicles=1 "],
    ["no-time", "traffic_flow,sensor=a vehicles=1 now"],
    ["syntax", `traffic_flow,sensor=a vehicles=1 ${now}.5`],
    ["syntax", `traffic_flow,sensor=a vehicles=1 ${now} `],
    ["future", `traffic_flow,sensor=a vehicles=1 ${now + 5 * minute + 1}`],
    ["future", `traffic_flow,sensor=a vehicles=1 ${now}000000`],
    ["too-old", `traffic_flow,sensor=a vehicles=1 ${now - 400 * day - 1}`],
    ["too-old", "traffic_flow,sensor=a vehicles=1 -1"],
  ])("refuses as %s: %s", (reason, line) => {
    const { count, rows, rejections, texts } = decoded(line);
    expect(count).toStrictEqual({ accepted: 0, seen: 0, refused: 1 });
    expect(rows).toStrictEqual({});
    expect(rejections).toMatchObject([{ reason, ordinal: 0 }]);
    expect(rejections[0]?.detail).toMatch(/\S/);
    expect(texts).toStrictEqual([line]);
  });

  test("takes a time at either end of what is allowed", () => {
    const lines = [now + 5 * minute, now - 400 * day].map((time) => `weather,sensor=a temp=20 ${time}`);
    expect(decoded(lines.join("\n")).count.accepted).toBe(2);
  });

  test("stores the neighbours of a broken line, and says which line it was", () => {
    const good = `weather,sensor=a temp=20 ${now}`;
    const { count, rejections, texts } = decoded(
      `${good}\r\n\n# note\n  \t\nweather,sensor=a temp=x 1\r\n  ${good}\n`,
    );
    expect(count).toStrictEqual({ accepted: 2, seen: 0, refused: 1 });
    expect(rejections).toMatchObject([{ reason: "syntax", ordinal: 1 }]);
    expect(texts).toStrictEqual(["weather,sensor=a temp=x 1"]);
  });

  test("leaves nothing of a refused line behind", () => {
    const { rows } = decoded(
      `weather,sensor=a temp=20,humidity=300 ${now}\nweather,sensor=a wind_speed=3 ${now}`,
    );
    expect(rows["weather"]).toMatchObject([{ values: { wind_speed: 3 } }]);
    expect(rows["weather"]?.[0]?.values).toStrictEqual({ wind_speed: 3 });
  });

  test("says invalid-utf8 of a refused line that is no UTF-8, whatever else is wrong with it", () => {
    const bytes = Uint8Array.from([
      ...bytesOf("weather,sensor=a te"),
      0xff,
      ...bytesOf(`mp=nan ${now}\nweather,sensor=a temp=x 1`),
    ]);
    expect(decoded(bytes).rejections.map(({ reason }) => reason)).toStrictEqual(["invalid-utf8", "syntax"]);
  });

  test("passes over readings that were kept before, counting them as seen", () => {
    const lines = ["weather,sensor=a temp=1", "nonsense", "weather,sensor=a temp=3"].map(
      (line) => `${line} ${now}`,
    );
    const { count, rows } = decoded(`# comment\n${lines.join("\n")}`, (ordinal) => ordinal < 2);
    expect(count).toStrictEqual({ accepted: 1, seen: 2, refused: 0 });
    expect(rows["weather"]).toMatchObject([{ values: { temp: 3 } }]);
  });
});

test("the scanner asks the registry once for a known series, and again for a refused one", () => {
  const index = new SeriesIndex();
  const { context } = trial();
  const asked: string[] = [];
  const payload = bytesOf(`weather,sensor=a temp=1 ${now}\nweather,sensor=u-1 temp=1 ${now}\n`);
  const asking: typeof resolve = (measurement, sensor) => {
    asked.push(sensor);
    return resolve(measurement, sensor);
  };
  for (let i = 0; i < 3; i += 1) scanner.scan(payload, 0, payload.length, index, asking, context);
  expect(asked.filter((sensor) => sensor === "a")).toHaveLength(1);
  expect(asked.filter((sensor) => sensor === "u-1").length).toBeGreaterThanOrEqual(3);
  expect(index.size).toBe(1);
});
