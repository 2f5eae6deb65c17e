import * as fc from "fast-check";
import { expect, test } from "vitest";
import { prefixAt, prefixesOf, sameTags } from "#store/influxdb/tags.ts";

const series = { measurement: "water_flow", agency: "water", sensor: "wf-1" };
const textOf = (prefix: { bytes: Uint8Array }): string => Buffer.from(prefix.bytes).toString();

test("a series' lines begin with measurement and tags, in order of name, escaped", () => {
  const tags = { site: "Tower 2, north=1", municipality: "QA-DA", role: "dma_in", dma: "D 7" };
  const [prefix] = prefixesOf(series, [{ from: 0, tags }]);
  expect(textOf(prefix!)).toBe(
    "water_flow,agency=water,dma=D\\ 7,municipality=QA-DA,role=dma_in,sensor=wf-1,site=Tower\\ 2\\,\\ north\\=1 ",
  );
});

test("a gateway is no tag, and nobody overrides agency and sensor", () => {
  const tags = { gateway: "gw-1", agency: "other", sensor: "other" };
  const [prefix] = prefixesOf(series, [{ from: 0, tags }]);
  expect(textOf(prefix!)).toBe("water_flow,agency=water,sensor=wf-1 ");
  expect(textOf(prefixesOf(series, [])[0]!)).toBe("water_flow,agency=water,sensor=wf-1 ");
});

test("the version in force at an event's time counts, the first one also before it", () => {
  const versions = [
    { from: 100, tags: { site: "a" } },
    { from: 200, tags: { site: "b" } },
    { from: 300, tags: {} },
  ];
  const prefixes = prefixesOf(series, versions);
  const sites = [0, 100, 199, 200, 299, 300, 1e15].map((time) => prefixAt(prefixes, time).tags.site);
  expect(sites).toEqual(["a", "a", "a", "b", "b", undefined, undefined]);
});

test("any site makes a prefix that line protocol reads back as that site, but for backslashes at its end", () => {
  const site = fc.stringMatching(/^[^\p{C}]{1,20}$/u);
  fc.assert(
    fc.property(site, (text) => {
      const [prefix] = prefixesOf(series, [{ from: 0, tags: { site: text } }]);
      const line = textOf(prefix!);
      const wanted = text.replace(/\\+$/, "");
      expect(prefix!.tags.site ?? "").toBe(wanted);
      // As InfluxDB reads: up to the first blank that no backslash escapes.
      const read = /^(?:\\[,= ]|[^, =])*/u;
      const start = line.indexOf(",site=");
      expect(start === -1).toBe(wanted === "");
      const value = start === -1 ? "" : read.exec(line.slice(start + 6))![0];
      expect(value.replaceAll(/\\([,= ])/g, "$1")).toBe(wanted);
      expect(line.slice(start === -1 ? line.length - 1 : start + 6 + value.length)).toBe(" ");
    }),
    { numRuns: 500 },
  );
});

test("tag sets are the same when every tag is, an absent one like an empty one", () => {
  expect(sameTags({ agency: "a", site: "" }, { agency: "a" })).toBe(true);
  expect(sameTags({ agency: "a", site: "x" }, { agency: "a" })).toBe(false);
});
