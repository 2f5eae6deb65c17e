import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Refusal, refusalOf } from "#store/influxdb/answers.ts";
import { type SearchedLines, findRefused } from "#store/influxdb/find-refused.ts";

interface Line {
  readonly series: number;
  readonly time: number;
  readonly bad?: "conflict" | "unparsable" | "old" | "odd" | undefined;
}

type Say = (bad: readonly number[], sent: readonly number[], lines: readonly Line[]) => string;

/** Some five shards. */
function shardLength(lines: number): number {
  return lines > 1_000 ? 4_000 : 10;
}

/** Servers, by what they say of the bad lines among those sent. */
const servers: Record<string, Say> = {
  // One reason alone, of one shard alone; what is too old is left out before.
  "1.x": (bad, _, lines) => {
    const shardOf = (line: number): number => Math.floor(lines[line]!.time / shardLength(lines.length));
    const old = bad.filter((line) => lines[line]!.bad === "old");
    const others = bad.filter((line) => lines[line]!.bad !== "old");
    const shard = others.length > 0 ? others.filter((line) => shardOf(line) === shardOf(others[0]!)) : old;
    const unparsable = bad.filter((line) => lines[line]!.bad === "unparsable");
    if (unparsable.length > 0) {
      const each = unparsable.map((line) => `unable to parse 'line ${line}': invalid field format`);
      return JSON.stringify({ error: `partial write: ${each.join("\n")} dropped=0` });
    }
    const last = lines[shard.at(-1)!]!.bad;
    const why = {
      conflict:
        'field type conflict: input field "x" on measurement "m" is type float, already exists as type integer',
      old: "points beyond retention policy",
      odd: "max-series-per-database limit exceeded",
      unparsable: "",
    }[last!];
    return JSON.stringify({ error: `partial write: ${why} dropped=${shard.length}` });
  },
  "3.x": (bad, sent) =>
    JSON.stringify({
      error: "partial write of line protocol occurred",
      data: bad
        .slice(0, 5)
        .map((line) => ({ line_number: sent.indexOf(line) + 1, error_message: `line ${line} is bad` })),
    }),
  "one that says nothing": () => JSON.stringify({ error: "no" }),
  "one that lies": (bad, sent) =>
    JSON.stringify({
      error: "partial write: points beyond retention policy",
      data: [{ line_number: sent.length, error_message: "this one" }, { line_number: bad.length + 7 }],
    }),
};

async function search(
  lines: readonly Line[],
  say: Say,
): Promise<{ refused: Map<number, string>; requests: number; sent: number }> {
  let requests = 0;
  let sentLines = 0;
  const answer = (sent: readonly number[]): Refusal | undefined => {
    requests += 1;
    sentLines += sent.length;
    const bad = sent.filter((line) => lines[line]!.bad !== undefined);
    return bad.length === 0 ? undefined : refusalOf(400, say(bad, sent, lines));
  };
  const source: SearchedLines = {
    line: (line) => `line ${line}`,
    time: (line) => lines[line]!.time,
    series: (line) => lines[line]!.series,
    has: (line, measurement, field) => measurement === "m" && field === "x" && lines[line]!.series < 3,
  };
  const all = lines.map((_, i) => i);
  const first = answer(all);
  if (first === undefined) return { refused: new Map(), requests, sent: sentLines };
  const refused = await findRefused(all, first, { source, send: async (some) => answer(some) });
  return { refused, requests, sent: sentLines };
}

describe.each(Object.entries(servers))("server %s", (_, say) => {
  test("whatever lines are bad: those are found, no other, in at most two requests a line", async () => {
    const bad = fc.constantFrom(undefined, undefined, undefined, "conflict", "unparsable", "old", "odd");
    const line = fc.record({ series: fc.nat(6), time: fc.nat(50), bad }) as fc.Arbitrary<Line>;
    await fc.assert(
      fc.asyncProperty(fc.array(line, { minLength: 1, maxLength: 60 }), async (lines) => {
        const { refused, requests } = await search(lines, say);
        const expected = lines.flatMap(({ bad }, i) => (bad === undefined ? [] : [i]));
        expect([...refused.keys()].toSorted((a, b) => a - b)).toEqual(expected);
        expect([...refused.values()].every((why) => why.length > 0)).toBe(true);
        expect(requests).toBeLessThanOrEqual(1 + 2 * lines.length);
      }),
      { numRuns: 300 },
    );
  });

  test("one bad line among 20,000 takes some 50 requests", async () => {
    const lines = Array.from({ length: 20_000 }, (_, i): Line => ({ series: i % 500, time: i }));
    lines[13_579] = { ...lines[13_579]!, bad: "odd" };
    const { refused, requests, sent } = await search(lines, say);
    expect([...refused.keys()]).toEqual([13_579]);
    expect(requests).toBeLessThan(60);
    expect(sent).toBeLessThan(20_000 * 16);
  });
});

function flood(bad: Line["bad"]): Line[] {
  return Array.from({ length: 20_000 }, (_, i): Line => ({
    series: i % 500,
    time: i,
    bad: i % 500 < 3 || (bad !== "conflict" && i < 9_000) ? bad : undefined,
  }));
}

describe("what servers refuse in practice takes few requests, however many lines it is", () => {
  test.each(["conflict", "unparsable", "old"] as const)("%s", async (bad) => {
    const lines = flood(bad).map((line) =>
      bad === "old" && line.time >= 9_000 ? { ...line, bad: undefined } : line,
    );
    const { refused, requests } = await search(lines, servers["1.x"]!);
    expect(refused.size).toBe(lines.filter((line) => line.bad !== undefined).length);
    expect(requests).toBeLessThan(60);
  });
});
