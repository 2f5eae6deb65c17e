import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { generatedPages } from "../../../docs/generate.ts";

const docs = join(import.meta.dirname, "..", "..", "..", "docs");
const pages = await generatedPages();

test.each([...pages])("docs/%s is what the code says (else: npm run docs)", async (path, text) => {
  expect(await readFile(join(docs, path), "utf8")).toBe(text);
});

test("docs/messages holds no page that the code no longer makes", async () => {
  const made = [...pages.keys()].filter((path) => path.startsWith("messages/"));
  const there = await readdir(join(docs, "messages"));
  expect(new Set(there.map((name) => `messages/${name}`))).toEqual(new Set(made));
});
