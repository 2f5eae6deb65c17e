import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type TopicPattern, parseTopicPattern } from "#edge-agent/inputs/mqtt/topic-pattern.ts";

function pattern(text: string): TopicPattern {
  const parsed = parseTopicPattern(text);
  if (!parsed.ok) throw new Error(parsed.problem);
  return parsed.pattern;
}

test("named levels are found in a topic, and asked of the broker as +", () => {
  const phase = pattern("shellies/{device}/emeter/{phase}/power");
  expect(phase.filter).toBe("shellies/+/emeter/+/power");
  expect(phase.match("shellies/shellyem3-9A/emeter/2/power")).toEqual(
    new Map([
      ["device", "shellyem3-9A"],
      ["phase", "2"],
    ]),
  );
  for (const other of ["shellies/a/emeter/2", "shellies/a/emeter/2/power/x", "shellies/a/relay/2/power"])
    expect(phase.match(other)).toBeUndefined();
});

test("a # stands for any number of levels, also none, and no wildcard for the broker's own topics", () => {
  const all = pattern("plant/#");
  expect(all.match("plant")).toEqual(new Map());
  expect(all.match("plant/a/b")).toEqual(new Map());
  expect(all.match("plants/a")).toBeUndefined();
  expect(pattern("{any}/broker/uptime").match("$SYS/broker/uptime")).toBeUndefined();
  expect(pattern("#").match("$SYS/broker/uptime")).toBeUndefined();
});

describe("what is no filter is refused:", () => {
  test.each(["", "a/#/b", "a#", "a+/b", "{a}{b}", "x{a}", "{A}", "{a}/{a}", "a\0b"])("%j", (text) => {
    expect(parseTopicPattern(text).ok).toBe(false);
  });
});

test("a topic made from a pattern is found by it again", () => {
  const word = fc.stringMatching(/^[A-Za-z0-9_.:-]{1,8}$/);
  const levels = fc.array(fc.record({ named: fc.boolean(), word }), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(levels, (parts) => {
      const text = parts.map(({ named, word }, at) => (named ? `{level${at}}` : word)).join("/");
      const topic = parts.map(({ word }) => word).join("/");
      const wanted = parts.flatMap(({ named, word }, at) => (named ? [[`level${at}`, word] as const] : []));
      expect(pattern(text).match(topic)).toEqual(new Map(wanted));
    }),
  );
});

test("no text makes the parser or the matcher throw", () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (text, topic) => {
      const parsed = parseTopicPattern(text);
      const matched = parsed.ok ? parsed.pattern.match(topic) : undefined;
      expect(matched === undefined || matched instanceof Map).toBe(true);
    }),
  );
});
