import * as fc from "fast-check";
import { expect, test } from "vitest";
import { FilterTrie, filterMatches } from "#broker/topic-filter.ts";

// MQTT 3.1.1, 4.7.1 and 4.7.2, with the standard's own examples.
test.each([
  ["sport/tennis/player1/#", "sport/tennis/player1", true],
  ["sport/tennis/player1/#", "sport/tennis/player1/ranking", true],
  ["sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", true],
  ["sport/#", "sport", true],
  ["sport/#", "sports", false],
  ["#", "sport/tennis", true],
  ["#", "$SYS/monitor", false],
  ["+/monitor/Clients", "$SYS/monitor/Clients", false],
  ["$SYS/#", "$SYS/monitor/Clients", true],
  ["$SYS/monitor/+", "$SYS/monitor/Clients", true],
  ["sport/tennis/+", "sport/tennis/player1", true],
  ["sport/tennis/+", "sport/tennis/player1/ranking", false],
  ["sport/+", "sport", false],
  ["sport/+", "sport/", true],
  ["+/+", "/finance", true],
  ["/+", "/finance", true],
  ["+", "/finance", false],
  ["+/tennis/#", "sport/tennis/x/y", true],
  ["a/b", "a/b", true],
  ["a/b", "a/bc", false],
  ["a/b", "a", false],
  ["a", "a/b", false],
])("%s and %s: %s", (filter, topic, matches) => {
  expect(filterMatches(filter, topic)).toBe(matches);
  const trie = new FilterTrie<string>();
  trie.set(filter, "k", "found");
  expect(trie.match(topic)).toEqual(matches ? ["found"] : []);
});

const level = fc.constantFrom("a", "b", "", "$x");
const topic = fc.array(level, { minLength: 1, maxLength: 4 }).map((levels) => levels.join("/"));
const filter = fc
  .tuple(fc.array(fc.oneof(level, fc.constant("+")), { maxLength: 4 }), fc.boolean())
  .filter(([levels, rest]) => levels.length > 0 || rest)
  .map(([levels, rest]) => [...levels, ...(rest ? ["#"] : [])].join("/"));

test("the trie finds what matching each filter finds, also after some are gone", () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(filter, { maxLength: 8 }),
      fc.array(fc.nat(7)),
      topic,
      (filters, gone, name) => {
        const trie = new FilterTrie<string>();
        for (const each of filters) trie.set(each, "k", each);
        const left = new Set(filters);
        for (const i of gone) {
          const each = filters[i] ?? "never/there";
          trie.delete(each, "k");
          left.delete(each);
        }
        const expected = [...left].filter((each) => filterMatches(each, name));
        expect(trie.match(name).sort()).toEqual(expected.sort());
      },
    ),
  );
});

test("a key holds one value under a filter, several keys one each", () => {
  const trie = new FilterTrie<number>();
  trie.set("a/+", "x", 1);
  trie.set("a/+", "x", 2);
  trie.set("a/+", "y", 3);
  expect(trie.match("a/b")).toEqual([2, 3]);
  trie.delete("a/+", "x");
  expect(trie.match("a/b")).toEqual([3]);
});
