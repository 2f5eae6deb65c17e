import * as fc from "fast-check";
import { expect, test } from "vitest";
import { formatAddress, isLoopback, parseAddress } from "#runtime/address.ts";
import { MarsadError } from "#runtime/errors.ts";

test("HOST:PORT is read, IPv6 in brackets, port 0 for any free one", () => {
  expect(parseAddress("127.0.0.1:1883")).toEqual({ host: "127.0.0.1", port: 1883 });
  expect(parseAddress("broker.city.example:0")).toEqual({ host: "broker.city.example", port: 0 });
  expect(parseAddress("[::1]:65535")).toEqual({ host: "::1", port: 65_535 });
});

test.for([
  "",
  "1883",
  ":1883",
  "localhost",
  "localhost:",
  "localhost:x",
  "a:65536",
  "a:-1",
  "::1:1883",
  "[::1]",
  "a b:1",
  "a:1 ",
])("%j is refused as CONFIG_INVALID, with an example of what would do", (text) => {
  expect(() => parseAddress(text)).toThrow(expect.objectContaining({ code: "CONFIG_INVALID" }));
  expect(() => parseAddress(text)).toThrow("127.0.0.1:1883");
});

test("what is formatted is read back", () => {
  const host = fc.oneof(fc.ipV4(), fc.ipV6(), fc.domain());
  fc.assert(
    fc.property(host, fc.nat(65_535), (host, port) => {
      expect(parseAddress(formatAddress({ host, port }))).toEqual({ host, port });
    }),
  );
});

test("any text is an address or refused", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      try {
        const { host, port } = parseAddress(text);
        expect([host.length > 0, port >= 0 && port <= 65_535]).toEqual([true, true]);
      } catch (error) {
        if (!(error instanceof MarsadError)) throw error;
      }
    }),
  );
});

test("loopback is 127.0.0.0/8, ::1 and localhost, and nothing that could be reached from outside", () => {
  expect(["127.0.0.1", "127.255.3.4", "::1", "localhost"].filter((host) => !isLoopback(host))).toEqual([]);
  expect(
    [
      "0.0.0.0",
      "::",
      "10.0.0.1",
      "127.0.0.1.evil.example",
      "127.evil",
      "localhost.evil",
      "1127.0.0.1",
      "",
    ].filter(isLoopback),
  ).toEqual([]);
});
