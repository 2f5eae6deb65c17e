import { describe, expect, test } from "vitest";
import { drawnBoards } from "#dashboards/grafana/files.ts";
import type { Board } from "#dashboards/grafana/lint.ts";
import { intervalOf, resolveVariables, substitute } from "#dashboards/grafana/asking.ts";
import type { InfluxSeries } from "../../support/influxd.ts";
import { unlike } from "../../system/grafana/answers.ts";

const range = { from: 1_000_000, to: 4_600_000 };

function filled(
  influxql: string,
  choices: Record<string, { all: string } | { values: string[] }> = {},
): string {
  return substitute(influxql, {
    range,
    chosen: new Map(Object.entries(choices)),
    interval: 120_000,
  });
}

function panel(interval?: string): Board["panels"][number] {
  return { interval } as Board["panels"][number];
}

function answer(values: (number | string | null)[][], name = "m"): InfluxSeries[] {
  return [{ name, columns: ["time", "a", "b"], values }];
}

describe("macros and variables are filled in as Grafana does it", () => {
  test.each([
    ["$timeFilter", {}, "time >= 1000000ms and time <= 4600000ms"],
    ["time <= ${__to}ms AND $__from", {}, "time <= 4600000ms AND 1000000"],
    ["GROUP BY time($__interval)", {}, "GROUP BY time(2m)"],
    ['"$rollup"."water_flow"', { rollup: { values: ["rollup_1h"] } }, '"rollup_1h"."water_flow"'],
    ["/^${place:regex}$/", { place: { all: ".*" } }, "/^.*$/"],
    ["/^${place:regex}$/", { place: { values: ["QA-DA"] } }, "/^QA-DA$/"],
    ["/^${place:regex}$/", { place: { values: ["a.b", "c/d"] } }, "/^(a\\.b|c\\/d)$/"],
  ])("%s of %o", (influxql, choices, expected) => {
    expect(filled(influxql, choices)).toBe(expected);
  });

  test("what nothing stands for is no question, nor are several values where one is meant", () => {
    expect(() => filled("SELECT $what")).toThrow("$what");
    expect(() => filled("'$lead'", { lead: { values: ["1h", "6h"] } })).toThrow("several values");
  });

  test("the interval follows from the shown time, and is no finer than the panel allows", () => {
    expect(intervalOf(panel(), { from: 0, to: 6 * 3_600_000 })).toBe(30_000);
    expect(intervalOf(panel("1m"), { from: 0, to: 6 * 3_600_000 })).toBe(60_000);
    expect(intervalOf(panel("1m"), { from: 0, to: 7 * 86_400_000 })).toBe(900_000);
  });

  test("variables are asked for in their order, each with the ones before it filled in, and names taken apart", async () => {
    const board = drawnBoards().find(({ json }) => json.uid === "marsad-water-ar")!.json as unknown as Board;
    const asked: string[] = [];
    const answers: Readonly<Record<string, readonly (readonly string[])[]>> = {
      rollup_choice: [["0", "rollup_1m"]],
      place: [
        ["0", "الوكرة | QA-WA"],
        ["0", "الدوحة | QA-DA"],
      ],
      water_flow: [["sensor", "wf-1"]],
    };
    const ask = (influxql: string): Promise<InfluxSeries[]> => {
      asked.push(influxql);
      const name = /FROM "(\w+)"/.exec(influxql)![1]!;
      return Promise.resolve([{ name, columns: ["time", "value"], values: answers[name]! }]);
    };
    const chosen = await resolveVariables(board, range, ask, (_, options) => options);
    expect(chosen.get("window")).toEqual({ values: ["1m"] });
    expect(chosen.get("municipality")).toEqual({ values: ["QA-DA", "QA-WA"] });
    expect(asked[0]).toContain('4600000 - 1000000 >= "from_ms"');
    expect(asked.at(-1)).toContain('"municipality" =~ /^(QA-DA|QA-WA)$/');
  });
});

describe("two answers are compared", () => {
  const one = answer([
    [1, 0.1 + 0.2, "x"],
    [2, null, "y"],
  ]);

  test("rounding and the order of rows of one time are no difference", () => {
    expect(
      unlike(
        one,
        answer([
          [1, 0.3, "x"],
          [2, null, "y"],
        ]),
      ),
    ).toBeUndefined();
    expect(
      unlike(
        answer([
          [1, 1, "x"],
          [1, 2, "y"],
        ]),
        answer([
          [1, 2, "y"],
          [1, 1, "x"],
        ]),
      ),
    ).toBeUndefined();
  });

  test.each([
    [
      "a value",
      answer([
        [1, 0.3001, "x"],
        [2, null, "y"],
      ]),
    ],
    [
      "null for a number",
      answer([
        [1, 0.3, "x"],
        [2, 0, "y"],
      ]),
    ],
    [
      "another time",
      answer([
        [1, 0.3, "x"],
        [3, null, "y"],
      ]),
    ],
    ["a row fewer", answer([[1, 0.3, "x"]])],
    [
      "another series",
      answer(
        [
          [1, 0.3, "x"],
          [2, null, "y"],
        ],
        "n",
      ),
    ],
    ["nothing", []],
  ])("%s is one", (_, other) => {
    expect(unlike(one, other)).toBeTypeOf("string");
  });
});
