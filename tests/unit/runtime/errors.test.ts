import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { MarsadError, errorCodes, hasCode } from "#runtime/errors.ts";

test("docs/errors.md explains every code, and no other", async () => {
  const text = await readFile(new URL("../../../docs/errors.md", import.meta.url), "utf8");
  const explained = Array.from(text.matchAll(/^\| `([A-Z_]+)` \|/gm), ([, code]) => code);
  expect(explained).toEqual(Object.keys(errorCodes));
});

test("a code is told by shape, so that errors of another realm count", () => {
  const error = new MarsadError("QUEUE_FULL", "no more room", { cause: new Error("why") });
  expect([hasCode(error, "QUEUE_FULL"), hasCode(error, "STORE_FULL")]).toEqual([true, false]);
  expect(hasCode(Object.assign(new Error("no more room"), { code: "QUEUE_FULL" }), "QUEUE_FULL")).toBe(true);
  expect([hasCode({ code: "QUEUE_FULL" }, "QUEUE_FULL"), hasCode(undefined, "QUEUE_FULL")]).toEqual([
    false,
    false,
  ]);
  expect(error.cause).toEqual(new Error("why"));
});
