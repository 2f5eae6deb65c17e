import { expect, test } from "vitest";
import { Attempts, networkOf } from "#api/access/attempts.ts";

/** As many tries as are let through at this moment. */
function triesAt(attempts: Attempts, name: string, address: string): number {
  let tries = 0;
  while (tries < 1_000 && typeof attempts.begin(name, address) !== "number") tries++;
  return tries;
}

function succeedAt(attempts: Attempts, name: string, address: string): void {
  const tried = attempts.begin(name, address);
  if (typeof tried === "number") throw new Error(`has to wait ${tried} ms`);
  tried.succeed();
}

test("guessing one name, or from one address, goes on at a crawl", () => {
  let now = 0;
  const attempts = new Attempts(() => now);
  expect(triesAt(attempts, "alice", "10.0.0.1")).toBe(10);
  expect(attempts.begin("alice", "10.0.0.2")).toBeGreaterThan(0);
  // The same address, other names: what is left of its own allowance.
  let names = 0;
  while (typeof attempts.begin(`name-${names}`, "10.0.0.1") !== "number") names++;
  expect(names).toBe(10);

  const hour = 3_600_000;
  let guesses = 0;
  for (const end = now + hour; now < end; now += 100) {
    for (let address = 0; address < 5; address++) {
      if (typeof attempts.begin("alice", `10.0.1.${address}`) !== "number") guesses++;
    }
  }
  // One a second for the name, however many addresses guess.
  expect(guesses).toBeGreaterThan(3_000);
  expect(guesses).toBeLessThanOrEqual(3_601);
});

test("a try that was right costs nothing", () => {
  const attempts = new Attempts(() => 0);
  for (let round = 0; round < 100; round++) succeedAt(attempts, "alice", "10.0.0.1");
  expect(triesAt(attempts, "bob", "10.0.0.1")).toBe(10);
});

test("strangers do not take the tries of somebody who signed in from elsewhere before", () => {
  let now = 0;
  const attempts = new Attempts(() => now);
  succeedAt(attempts, "alice", "10.0.0.1");
  for (; now < 600_000; now += 500) {
    for (let stranger = 0; stranger < 20; stranger++) attempts.begin("alice", `10.9.0.${stranger}`);
  }
  triesAt(attempts, "alice", "10.9.1.1");
  expect(attempts.begin("alice", "10.0.0.2")).toBeTypeOf("number");
  succeedAt(attempts, "alice", "10.0.0.1");
});

test("nobody is shut out for ever: the wait after any storm is short", () => {
  let now = 0;
  const attempts = new Attempts(() => now);
  for (let stranger = 0; stranger < 10_000; stranger++)
    attempts.begin("alice", `10.9.${stranger >> 8}.${stranger & 255}`);
  const wait = attempts.begin("alice", "10.0.0.1");
  expect(wait).toBeTypeOf("number");
  expect(wait).toBeLessThanOrEqual(1_000);
  now += Number(wait);
  succeedAt(attempts, "alice", "10.0.0.1");
});

test("an IPv6 address counts as its network of 64 bits", () => {
  expect(networkOf("::ffff:10.0.0.1")).toBe("10.0.0.1");
  expect(networkOf("fe80::1%eth0")).toBe("fe80:0:0:0::/64");
  expect(networkOf("2001:db8:0:7::1")).toBe(networkOf("2001:0db8:0000:0007:ffff:1:2:3"));
  expect(networkOf("2001:db8:0:8::1")).not.toBe(networkOf("2001:db8:0:7::1"));
  expect(networkOf("::1")).toBe("0:0:0:0::/64");
  expect(networkOf("10.0.0.1:49152")).toBe("10.0.0.1");
  expect(networkOf("[2001:db8:0:7::1]:49152")).toBe(networkOf("2001:db8:0:7::1"));
});
