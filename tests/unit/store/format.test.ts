import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { hasCode } from "#runtime/errors.ts";
import { readDataFormat, writeDataFormat } from "#store/format.ts";
import { tempFolder } from "../../support/temp-folder.ts";

const journal = "11111111-2222-4333-8444-555555555555";

test("a folder without format.json is new", async () => {
  using folder = tempFolder("format");
  expect(await readDataFormat(folder.path)).toBeUndefined();
});

test("what is written is read again", async () => {
  using folder = tempFolder("format");
  await writeDataFormat(folder.path, { journal, version: "0.1.0" });
  expect(await readDataFormat(folder.path)).toEqual({ format: 1, journal, version: "0.1.0" });
  expect(readFileSync(join(folder.path, "format.json"), "utf8")).toMatch(/^\{\n.*\n\}\n$/s);
});

test("a folder of a newer version is refused, with that version and what to do", async () => {
  using folder = tempFolder("format");
  const newer = { format: 2, version: "3.4.5", journal: { renamed: true } };
  writeFileSync(join(folder.path, "format.json"), JSON.stringify(newer));
  await expect(readDataFormat(folder.path)).rejects.toMatchObject({
    code: "STORE_FORMAT",
    message: expect.stringMatching(/was written by Marsad 3\.4\.5 in format 2.*use Marsad 3\.4\.5 or later/),
  });
});

test("a damaged file is refused with what is wrong in it", async () => {
  using folder = tempFolder("format");
  writeFileSync(
    join(folder.path, "format.json"),
    JSON.stringify({ format: 1, version: "0.1.0", journal: "x" }),
  );
  await expect(readDataFormat(folder.path)).rejects.toMatchObject({
    code: "STORE_FORMAT",
    message: expect.stringMatching(/damaged.*journal/s),
  });
});

test("a file that cannot be read is refused, not taken for a new folder", async () => {
  using folder = tempFolder("format");
  mkdirSync(join(folder.path, "format.json"));
  await expect(readDataFormat(folder.path)).rejects.toMatchObject({ code: "STORE_FORMAT" });
});

test("whatever stands in the file, the answer is a format or STORE_FORMAT", async () => {
  using folder = tempFolder("format");
  const anything = fc.oneof(
    fc.string(),
    fc.json(),
    fc.record({ format: fc.anything(), version: fc.anything(), journal: fc.anything() }).map((value) => {
      try {
        return JSON.stringify(value) ?? "";
      } catch {
        return "";
      }
    }),
  );
  await fc.assert(
    fc.asyncProperty(anything, async (text) => {
      writeFileSync(join(folder.path, "format.json"), text);
      const answer = await readDataFormat(folder.path).catch((error: unknown) => error);
      expect(hasCode(answer, "STORE_FORMAT") || (answer as { format?: unknown }).format === 1).toBe(true);
    }),
  );
});
