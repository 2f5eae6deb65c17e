import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { generatedFiles, generatedFolders } from "./files.ts";

/** `npm run docs` runs this: the boards' JSON and Grafana's provisioning, written anew. */
const repository = join(import.meta.dirname, "..", "..");
const { printWidth } = JSON.parse(await readFile(join(repository, ".oxfmtrc.json"), "utf8")) as {
  printWidth: number;
};
for (const made of generatedFolders) await rm(join(repository, made), { recursive: true, force: true });
for (const [path, text] of await generatedFiles(printWidth)) {
  const file = join(repository, path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text);
}
