import { describe, expect, test } from "vitest";
import { refusalOf } from "#store/influxdb/answers.ts";
import { prefixesOf } from "#store/influxdb/tags.ts";
import { LinesWriter, type WriteLinesOptions } from "#store/influxdb/write-lines.ts";
import type { Block } from "#telemetry/block.ts";

const sensors = 12_000;

/** One reading of each of many series: enough for two connections. */
function block(value: number): Block {
  const rows = sensors;
  const table = {
    measurement: "traffic_flow",
    fields: [{ name: "vehicles", type: "integer" as const }],
    rows,
    time: new Float64Array(rows).fill(1_763_860_000_000),
    series: Uint32Array.from({ length: rows }, (_, row) => row),
    values: [new Float64Array(rows).fill(value)],
    runs: Uint32Array.of(0, rows),
  };
  return { newSeries: [], gateways: ["gw-1"], tables: [table], readings: rows };
}

function writer(
  send: WriteLinesOptions["send"],
  { connections = 2, ...options }: Partial<WriteLinesOptions> & { connections?: number } = {},
): LinesWriter {
  return new LinesWriter(connections, {
    linesPerRequest: 20_000,
    bytesPerRequest: 8 * 1024 * 1024,
    prefixes: (series) =>
      prefixesOf({ measurement: "traffic_flow", agency: "mobility", sensor: `s${series}` }, []),
    send,
    giveUp: (words) => {
      throw new Error(words);
    },
    ...options,
  });
}

const refused = { ...refusalOf(400, '{"error":"partial write: no dropped=0"}')!, status: 400 };

describe("writing lines over two connections", () => {
  test("a write that fails on one of them ends only when the other has its answers: the next one uses the same memory", async () => {
    let underWay = 0;
    const lanes = writer(async (lines) => {
      underWay += 1;
      try {
        await new Promise((resolve) => setTimeout(resolve, 1));
        // The connection of the first series is cut; on the other one a line is looked for.
        if (Buffer.from(lines).includes("sensor=s1 ")) throw new Error("cut off");
        return Buffer.from(lines).includes("sensor=s11000 ") ? refused : undefined;
      } finally {
        underWay -= 1;
      }
    });
    await expect(lanes.write([block(1)])).rejects.toThrow("cut off");
    for (let look = 0; look < 20; look++) {
      expect(underWay).toBe(0);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  });
});

test("a server that takes over a second for each answer is given more lines at once, twice as many at most, until it is quick again", async () => {
  let clock = 0;
  let answer_ms = 2_000;
  const sizes: number[] = [];
  const lines = writer(
    async (sent) => {
      clock += answer_ms;
      sizes.push(Buffer.from(sent).toString().split("\n").length - 1);
      return undefined;
    },
    { connections: 1, linesPerRequest: 500, now: () => clock },
  );
  await lines.write([block(1)]);
  expect(sizes.slice(0, 6)).toEqual([500, 1000, 1000, 1000, 1000, 1000]);
  expect(sizes.reduce((sum, size) => sum + size)).toBe(sensors);
  answer_ms = 10;
  sizes.length = 0;
  await lines.write([block(2)]);
  expect(sizes.slice(0, 2)).toEqual([1000, 500]);
});
