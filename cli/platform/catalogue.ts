import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseDocument } from "yaml";
import { MarsadError } from "#runtime/errors.ts";
import { builtinCatalogue } from "#telemetry/builtin-catalogue.ts";
import { type Catalogue, mergeCatalogue } from "#telemetry/catalogue.ts";

/**
 * The built-in catalogue with the city's own measurements from `FOLDER/*.yaml`, in order of their names.
 * @throws MarsadError CONFIG_INVALID, naming file and key.
 */
export async function loadCatalogue(folder: string): Promise<Catalogue> {
  if (!existsSync(folder)) return builtinCatalogue;
  const files = (await readdir(folder)).filter((file) => /\.ya?ml$/.test(file)).sort();
  const documents = await Promise.all(
    files.map(async (file) => ({
      file,
      document: parseYaml(file, await readFile(join(folder, file), "utf8")),
    })),
  );
  const merged = mergeCatalogue(builtinCatalogue, documents);
  if (!merged.ok) throw new MarsadError("CONFIG_INVALID", merged.problems.join("\n"));
  return merged.catalogue;
}

function parseYaml(file: string, text: string): unknown {
  const document = parseDocument(text);
  const [error] = document.errors;
  if (error) throw new MarsadError("CONFIG_INVALID", `${file}: ${error.message}`, { cause: error });
  return document.toJS() as unknown;
}
