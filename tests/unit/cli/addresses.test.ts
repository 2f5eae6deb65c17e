import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { chooseAddress } from "#cli/up/addresses.ts";
import { hasCode } from "#runtime/errors.ts";

async function takenAddress(): Promise<AsyncDisposable & { address: string }> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return { address: `127.0.0.1:${port}`, [Symbol.asyncDispose]: async () => void server.close() };
}

test("a usual address that is taken gives way to a free port of the same host", async () => {
  await using taken = await takenAddress();
  const chosen = await chooseAddress(undefined, taken.address);
  expect(chosen.moved).toBe(true);
  expect(chosen.address).toMatch(/^127\.0\.0\.1:\d+$/);
  expect(chosen.address).not.toBe(taken.address);
});

test("a wished-for address that is taken is an error", async () => {
  await using taken = await takenAddress();
  await expect(chooseAddress(taken.address, "127.0.0.1:0")).rejects.toSatisfy((error) =>
    hasCode(error, "ADDRESS_IN_USE"),
  );
});

test("port 0 becomes a port that stays the same", async () => {
  const { address, moved } = await chooseAddress("127.0.0.1:0", "127.0.0.1:1");
  expect(moved).toBe(false);
  expect(await chooseAddress(address, "127.0.0.1:1")).toEqual({ address, moved: false });
});

test.each(["here", "127.0.0.1", ":80", "127.0.0.1:99999", "http://127.0.0.1:80", "a b:1"])(
  "%j is no address",
  async (text) => {
    await expect(chooseAddress(text, "127.0.0.1:1")).rejects.toSatisfy((error) =>
      hasCode(error, "CONFIG_INVALID"),
    );
  },
);
