import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { maxLineBytes, type Precision, precisions, rewriteLines } from "#api/influx/lines.ts";
import { fuzzed } from "../../../support/soak.ts";

const now = 1_795_828_089_350;

function rewritten(text: string, precision: Precision = "ns"): string {
  const pieces = Array.from(rewriteLines(Buffer.from(text), { precision, now }), (piece) =>
    Buffer.from(piece),
  );
  return Buffer.concat(pieces).toString("utf8");
}

/** The same with strings and expressions: the oracle. */
function plainly(text: string, precision: Precision): string {
  const line = new RegExp(
    `[ \\t\\r\\n]*(?:#[^\\n]*|(?![\\t\\r#])(?<key>${key})[ \\t]*(?<fields>${fields})(?<time>[^\\n]*))`,
    "y",
  );
  let out = "";
  for (let found = line.exec(text); found !== null; found = line.exec(text))
    if (found.groups?.["key"] !== undefined) out += `${oneLine(found.groups, precision)}\n`;
  return out;
}

/** A backslash and what it takes along, if anything is left. */
const escaped = String.raw`\\[^]?`;
const key = String.raw`(?:${escaped}|[^ \n\\])+`;
const quoted = String.raw`"(?:${escaped}|[^"\\])*(?:"|$)`;
const field = String.raw`(?:${escaped}|[^ \n\\,=])*(?:=(?:${escaped}|${quoted}|[^ \n\\,"])*)?`;
const fields = `${field}(?:,${field})*`;

function oneLine(parts: Record<string, string | undefined>, precision: Precision): string {
  const [first = "", ...tags] =
    trimmed(parts["key"]).match(new RegExp(`,?(?:${escaped}|[^\\\\,])*`, "g")) ?? [];
  const series = first + tags.filter((tag) => !tag.startsWith(",host=")).join("");
  const values = trimmed(parts["fields"]);
  const time = trimmed(parts["time"]).replace(/^[ \t]+/, "");
  const words = values === "" ? [series] : [series, values, time === "" ? `${now}` : inMs(time, precision)];
  return words.join(" ").replaceAll("\n", " ");
}

const trimmed = (text = ""): string => text.replace(/[ \t\r]+$/, "");

const nanoseconds = {
  ns: 1n,
  us: 1_000n,
  ms: 1_000_000n,
  s: 10n ** 9n,
  m: 60n * 10n ** 9n,
  h: 3_600n * 10n ** 9n,
};

function inMs(time: string, precision: Precision): string {
  if (!/^-?\d+$/.test(time)) return time;
  const ns = BigInt(time) * nanoseconds[precision];
  const half = ns < 0n ? -500_000n : 500_000n;
  const ms = (ns + half) / 1_000_000n;
  const farthest = 10n ** 15n - 1n;
  return String(ms > farthest ? farthest : ms < -farthest ? -farthest : ms);
}

describe("a client's lines become a gateway's", () => {
  test.each<[string, string, Precision?]>([
    ["a,sensor=x v=1 1795828089350755930", "a,sensor=x v=1 1795828089351\n"],
    ["a,sensor=x v=1 1795828089350499999\n", "a,sensor=x v=1 1795828089350\n"],
    ["a,sensor=x v=1 -1500000", "a,sensor=x v=1 -2\n"],
    ["a,sensor=x v=1 -400000", "a,sensor=x v=1 0\n"],
    ["a,sensor=x v=1 1795828089350", "a,sensor=x v=1 1795828089350\n", "ms"],
    ["a,sensor=x v=1 1795828089", "a,sensor=x v=1 1795828089000\n", "s"],
    ["a,sensor=x v=1 29930468", "a,sensor=x v=1 1795828080000\n", "m"],
    ["a,sensor=x v=1 498841", "a,sensor=x v=1 1795827600000\n", "h"],
    ["a,sensor=x v=1 1795828089350755", "a,sensor=x v=1 1795828089351\n", "us"],
    ["a,sensor=x v=1 99999999999999999999999999", "a,sensor=x v=1 999999999999999\n"],
    ["a,sensor=x v=1", `a,sensor=x v=1 ${now}\n`],
    ["a,sensor=x v=1 \r\nb,sensor=x v=1\r\n", `a,sensor=x v=1 ${now}\nb,sensor=x v=1 ${now}\n`],
    ["a,sensor=x v=1 soon\n", "a,sensor=x v=1 soon\n"],
    ["a,sensor=x", "a,sensor=x\n"],
    ["a,host=srv\\ 1\\,x,sensor=x v=1 1000000", "a,sensor=x v=1 1\n"],
    ["a,sensor=x,host= v=1 1000000", "a,sensor=x v=1 1\n"],
    ["a,hostname=b,sensor=x v=1 1000000", "a,hostname=b,sensor=x v=1 1\n"],
    ["# marsad 1 outbox=x\n\n \t a,sensor=x   v=1,w=2i \t 1000000  \n#", "a,sensor=x v=1,w=2i 1\n"],
    [
      'a,sensor=x t="one\ntraffic_flow,sensor=y v=1 1",v=2 1000000',
      'a,sensor=x t="one traffic_flow,sensor=y v=1 1",v=2 1\n',
    ],
    [
      'a,sensor=x t="say \\"hi\\" 5",v=2 1000000\nb,sensor=x v=1 2000000',
      'a,sensor=x t="say \\"hi\\" 5",v=2 1\nb,sensor=x v=1 2\n',
    ],
    ["", ""],
    ["\n \n", ""],
  ])("%j", (text, expected, precision) => {
    expect(rewritten(text, precision)).toBe(expected);
    expect(plainly(text, precision ?? "ns")).toBe(expected);
  });

  test("whatever comes is made the same by the bytes and by the plain way", () => {
    const bit = fc.constantFrom(
      ...Array.from('a,b= =1"\\\n\r\t #-059'),
      ",host=",
      " 1795828089350755930",
      '="',
      "traffic_flow,sensor=é",
      " 17",
    );
    const body = fc.array(bit, { maxLength: 60 }).map((bits) => bits.join(""));
    fc.assert(
      fc.property(body, fc.constantFrom(...precisions), (text, precision) => {
        expect(rewritten(text, precision)).toBe(plainly(text, precision));
      }),
      { numRuns: fuzzed / 2 },
    );
  });

  test("times of every size and precision", () => {
    const time = fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n });
    fc.assert(
      fc.property(time, fc.nat(20), fc.constantFrom(...precisions), (long, digits, precision) => {
        const text = `a v=1 ${long / 10n ** BigInt(digits)}`;
        expect(rewritten(text, precision)).toBe(plainly(text, precision));
      }),
      { numRuns: fuzzed / 2 },
    );
  });
});

test("pieces are whole lines, and none is larger than a piece and a line", () => {
  const line = `traffic_flow,sensor=${"x".repeat(500)} vehicles=1 1000000\n`;
  const pieces = Array.from(
    rewriteLines(Buffer.from(line.repeat(2_000)), { precision: "ns", now }),
    (piece) => Buffer.from(piece).toString(),
  );
  expect(pieces.length).toBeGreaterThan(5);
  expect(pieces.every((piece) => piece.endsWith(" 1\n") && piece.length < 200_000)).toBe(true);
  expect(pieces.join("")).toBe(line.repeat(2_000).replaceAll("1000000", "1"));
});

test("a line that never ends is cut, not within a letter, and the next one stands", () => {
  const long = `a,sensor=x t="${"é".repeat(maxLineBytes)}`;
  const out = rewritten(`${long}" 1000000\nb,sensor=x v=1 1000000\n${long}`);
  const [first = "", second, third] = out.split("\n");
  expect([first.slice(0, 15), first.slice(-2), second, third]).toEqual([
    'a,sensor=x t="é',
    "é…",
    "b,sensor=x v=1 1",
    first,
  ]);
  expect(Buffer.byteLength(first)).toBeLessThanOrEqual(maxLineBytes + 3);
});
