import * as fc from "fast-check";
import { expect, test } from "vitest";
import { InfluxqlError } from "#store/influxql/errors.ts";
import { compileRegex } from "#store/influxql/regex/index.ts";
import { parseRegex } from "#store/influxql/regex/parse.ts";
import { Program } from "#store/influxql/regex/program.ts";

test.each([
  ["^tf-0(1|2)$", "tf-01 tf-02", "tf-03 xtf-01"],
  ["(?i)TF", "tf Tf", "t"],
  ["^(?i)T|^x(f|(?-i)g)$", "t Xg xF Tz", "XG"],
  ["(a(?i)b|c)D", "aBD CD", "cd Abd"],
  ["^a(?s).(?-s).$", "a\nb", "ab\n"],
  ["^(?:(?s).)$", "\n", "ab"],
  ["a.c", "abc a\rc", "a\nc"],
  ["[[:digit:]_]+$", "x1 _", "x"],
  ["\\Qa.b\\E+", "a.bb", "axb"],
  ["\\x41|\\pL\\d", "A é7", "77"],
  ["a{,2}", "a{,2}", "aa"],
  ["a{2}", "aa", "a"],
  ["\\Aa\\z", "a", "ab"],
  ["(?P<x>a)\\-[\\w-]", "a-b a--", "ab"],
  ["]}", "]}", "]"],
  ["", "anything", ""],
])("the regular expression %s", (source, matching, others) => {
  for (const regex of [compileRegex(source), new Program(parseRegex(source))]) {
    for (const text of matching.split(" ")) expect([text, regex.test(text)]).toEqual([text, true]);
    for (const text of others.split(" ").filter((text) => text !== ""))
      expect([text, regex.test(text)]).toEqual([text, false]);
  }
});

test.each(["(", ")", "a**", "(?=a)", "(?<!a)b", "(a)\\1", "[a", "\\", "a{1001}", "\\y", "[[:nope:]]", "*"])(
  "%s is no regular expression",
  (source) => {
    expect(() => compileRegex(source)).toThrow(InfluxqlError);
  },
);

test("both ways of following an expression agree", () => {
  const atom = fc.constantFrom("a", "b", ".", "[ab]", "[^a]", "\\w", "\\b", "^", "$", "(?i:A)");
  const regex = fc.letrec<{ regex: string }>((tie) => ({
    regex: fc.oneof(
      { depthSize: "small" },
      atom,
      fc.array(tie("regex"), { maxLength: 3 }).map((parts) => parts.join("")),
      fc.array(tie("regex"), { minLength: 2, maxLength: 3 }).map((parts) => `(${parts.join("|")})`),
      fc
        .tuple(tie("regex"), fc.constantFrom("*", "+", "?", "{2}", "{1,3}"))
        .map(([part, repeat]) => `(${part})${repeat}`),
    ),
  })).regex;
  fc.assert(
    fc.property(
      regex,
      fc.array(fc.constantFrom("a", "b", "c", "A", "\n", "é"), { maxLength: 8 }),
      (source, parts) => {
        const text = parts.join("");
        expect(new Program(parseRegex(source)).test(text)).toBe(
          new RegExp(source.replaceAll(".", "[^\n]"), "u").test(text),
        );
      },
    ),
    { numRuns: 2000 },
  );
});

test("no expression takes longer than its text is long", () => {
  const text = "a".repeat(5_000);
  for (const source of [
    "(a+)+$b",
    "(a|aa)*c",
    "(a|a)*b$",
    "a*a*a*a*a*a*b",
    "^(([a-z])+.)+[A-Z]([a-z])+$",
    "(.*)(.*)(.*)x",
  ])
    expect(compileRegex(source).test(text)).toBe(false);
  expect(() => compileRegex("((a{100}){100}){100}")).toThrow("expression too large");
  expect(() => compileRegex("(".repeat(5_000))).toThrow("nests too deeply");
});

test("a list of ten thousand names is one that JavaScript follows fast", () => {
  const names = Array.from({ length: 10_000 }, (_, index) => `sensor\\.${index}`);
  const regex = compileRegex(`^(${names.join("|")})$`);
  expect(regex).toBeInstanceOf(RegExp);
  expect([regex.test("sensor.9999"), regex.test("sensor.10000")]).toEqual([true, false]);
});
