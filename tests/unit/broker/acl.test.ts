import { expect, test } from "vitest";
import { authorizeGateway, isReserved } from "#broker/acl.ts";

const gateway = { name: "corniche-1", agency: "mobility" };

test.each([
  ["publish", "marsad/mobility/corniche-1/status", true],
  ["publish", "marsad/mobility/corniche-1/down/nack", false],
  ["publish", "marsad/mobility/corniche-10/status", false],
  ["publish", "marsad/water/corniche-1/status", false],
  ["will", "marsad/mobility/corniche-1/status", true],
  // A will goes through aedes, which acknowledges nothing to anyone: no way for a reading.
  ["will", "marsad/mobility/corniche-1/up/lp", false],
  ["subscribe", "marsad/mobility/corniche-1/down/#", true],
  ["subscribe", "marsad/mobility/corniche-1/down/config", true],
  ["subscribe", "marsad/mobility/+/down/#", false],
  ["subscribe", "marsad/mobility/corniche-1/#", false],
  ["subscribe", "#", false],
] as const)("%s %s: %s", (action, topic, allowed) => {
  expect(authorizeGateway(gateway, action, topic)).toBe(allowed);
});

test("$SYS and all below it is reserved", () => {
  expect(["$SYS", "$SYS/#", "$SYS/a/new/clients"].every(isReserved)).toBe(true);
  expect(["$SYSTEM", "a/$SYS", "marsad/x"].some(isReserved)).toBe(false);
});
