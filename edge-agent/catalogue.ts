import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { readConfigFile } from "#runtime/config-file.ts";
import { MarsadError } from "#runtime/errors.ts";
import { builtinCatalogue } from "#telemetry/builtin-catalogue.ts";
import { type Catalogue, mergeCatalogue } from "#telemetry/catalogue.ts";

/**
 * The built-in catalogue, with the city's own measurements from `folder/*.yaml` if there is one.
 * @throws MarsadError CONFIG_INVALID, naming file and key
 */
export async function loadCatalogue(folder: string | undefined): Promise<Catalogue> {
  if (folder === undefined) return builtinCatalogue;
  const files = await yamlFiles(folder);
  const documents = await Promise.all(
    files.map(async (file) => ({ file, document: (await readConfigFile(join(folder, file))).values })),
  );
  const merged = mergeCatalogue(builtinCatalogue, documents);
  if (!merged.ok) throw new MarsadError("CONFIG_INVALID", merged.problems.join("\n"));
  return merged.catalogue;
}

async function yamlFiles(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).filter((file) => /\.ya?ml$/.test(file)).sort();
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new MarsadError("CONFIG_INVALID", `catalogue: ${folder} cannot be read: ${why}`, { cause });
  }
}
