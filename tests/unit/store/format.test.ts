import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { hasCode } from "#runtime/errors.ts";
import { expectStore, readDataFormat, writeDataFormat } from "#store/format.ts";
import { migrateDataFolder } from "#store/migrate.ts";
import { tempFolder } from "../../support/temp-folder.ts";

const journal = "11111111-2222-4333-8444-555555555555";

test("a folder without format.json is new", async () => {
  using folder = tempFolder("format");
  expect(await readDataFormat(folder.path)).toBeUndefined();
});

test("what is written is read again", async () => {
  using folder = tempFolder("format");
  const written = { journal, version: "0.1.0", store: "duckdb" } as const;
  await writeDataFormat(folder.path, written);
  expect(await readDataFormat(folder.path)).toEqual({ format: 2, ...written });
  expect(await migrateDataFolder(folder.path)).toBeUndefined();
  expect(await readDataFormat(folder.path)).toEqual({ format: 2, ...written });
  expect(readFileSync(join(folder.path, "format.json"), "utf8")).toMatch(/^\{\n.*\n\}\n$/s);
});

test("a folder of a newer version is refused, with that version and what to do", async () => {
  using folder = tempFolder("format");
  const newer = { format: 3, version: "3.4.5", journal: { renamed: true } };
  writeFileSync(join(folder.path, "format.json"), JSON.stringify(newer));
  const refusal = {
    code: "STORE_FORMAT",
    message: expect.stringMatching(/was written by Marsad 3\.4\.5 in format 3.*use Marsad 3\.4\.5 or later/),
  };
  await expect(readDataFormat(folder.path)).rejects.toMatchObject(refusal);
  await expect(migrateDataFolder(folder.path)).rejects.toMatchObject(refusal);
  expect(JSON.parse(readFileSync(join(folder.path, "format.json"), "utf8"))).toEqual(newer);
});

test("a damaged file is refused with what is wrong in it", async () => {
  using folder = tempFolder("format");
  writeFileSync(
    join(folder.path, "format.json"),
    JSON.stringify({ format: 2, version: "0.1.0", journal: "x", store: "duckdb" }),
  );
  await expect(readDataFormat(folder.path)).rejects.toMatchObject({
    code: "STORE_FORMAT",
    message: expect.stringMatching(/damaged.*journal/s),
  });
});

test("a folder of format 1 is migrated to one that keeps its readings in DuckDB, and what it was is kept", async () => {
  using folder = tempFolder("format");
  const file = join(folder.path, "format.json");
  const before = `${JSON.stringify({ format: 1, version: "0.1.0", journal }, null, 2)}\n`;
  writeFileSync(file, before);
  expect(await migrateDataFolder(folder.path)).toBe(1);
  const format = await readDataFormat(folder.path);
  expect(format).toEqual({ format: 2, version: "0.1.0", journal, store: "duckdb" });
  expect(readFileSync(join(folder.path, "format-1.bak", "format.json"), "utf8")).toBe(before);
  expect(await migrateDataFolder(folder.path)).toBeUndefined();
  expectStore(folder.path, format, "duckdb");
});

test("a migration that was cut off before its last step is done again", async () => {
  using folder = tempFolder("format");
  const file = join(folder.path, "format.json");
  const before = JSON.stringify({ format: 1, version: "0.1.0", journal });
  writeFileSync(file, before);
  mkdirSync(join(folder.path, "format-1.bak"));
  writeFileSync(join(folder.path, "format-1.bak", "format.json"), before);
  expect(await migrateDataFolder(folder.path)).toBe(1);
  expect(await readDataFormat(folder.path)).toMatchObject({ format: 2, journal });
  expect(readFileSync(join(folder.path, "format-1.bak", "format.json"), "utf8")).toBe(before);
});

test("a damaged file of format 1 is refused and left as it is", async () => {
  using folder = tempFolder("format");
  const before = JSON.stringify({ format: 1, version: "0.1.0", journal: "x" });
  writeFileSync(join(folder.path, "format.json"), before);
  await expect(migrateDataFolder(folder.path)).rejects.toMatchObject({ code: "STORE_FORMAT" });
  expect(readFileSync(join(folder.path, "format.json"), "utf8")).toBe(before);
});

test("a folder is opened with the store that its journal gave its readings to, and with no other", async () => {
  using folder = tempFolder("format");
  expectStore(folder.path, undefined, "influxdb");
  await writeDataFormat(folder.path, { journal, version: "0.1.0", store: "influxdb" });
  const format = await readDataFormat(folder.path);
  expectStore(folder.path, format, "influxdb");
  expect(() => expectStore(folder.path, format, "duckdb")).toThrow(
    expect.objectContaining({ code: "STORE_FORMAT", message: expect.stringContaining("--store influxdb") }),
  );
});

test("a file that cannot be read is refused, not taken for a new folder", async () => {
  using folder = tempFolder("format");
  mkdirSync(join(folder.path, "format.json"));
  await expect(readDataFormat(folder.path)).rejects.toMatchObject({ code: "STORE_FORMAT" });
});

test("whatever stands in the file, the answer is a format or STORE_FORMAT", async () => {
  using folder = tempFolder("format");
  const formats = fc.oneof(fc.constantFrom(1, 2, 3), fc.anything());
  const anything = fc.oneof(
    fc.string(),
    fc.json(),
    fc.record({ format: formats, version: fc.anything(), journal: fc.anything() }).map((value) => {
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
      const answer = await migrateDataFolder(folder.path)
        .then(() => readDataFormat(folder.path))
        .catch((error: unknown) => error);
      expect(hasCode(answer, "STORE_FORMAT") || (answer as { format?: unknown }).format === 2).toBe(true);
    }),
  );
});
