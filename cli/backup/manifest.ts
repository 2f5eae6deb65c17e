import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readFile, readdir, stat } from "node:fs/promises";
import { isAbsolute, join, normalize } from "node:path";
import { pipeline } from "node:stream/promises";
import { z } from "zod";
import { MarsadError } from "#runtime/errors.ts";
import { currentFormat } from "#store/format.ts";

export const manifestName = "backup.json";

const AnyManifest = z.looseObject({ backup: z.int().positive(), version: z.string() });

/** A path of the backup's own, below its folder. */
const innerPath = z
  .string()
  .min(1)
  .refine(
    (path) => !isAbsolute(path) && normalize(path) === path && !path.split("/").includes(".."),
    "a path below the backup",
  );

/** `backup.json`: what a backup is, and a sum of each of its files. */
export const Manifest = z.object({
  backup: z.literal(1),
  version: z.string(),
  /** When it was begun, ISO 8601. */
  at: z.iso.datetime(),
  format: z.int().positive(),
  journal: z.object({ uuid: z.uuid(), first: z.int(), next: z.int() }),
  /** `position`: in the journal, what the store has. `rows`: readings in the store. Null where the store is a server. */
  store: z.object({
    kind: z.enum(["duckdb", "influxdb"]),
    position: z.int().nullable(),
    rows: z.int().nullable(),
  }),
  files: z.array(z.object({ path: innerPath, bytes: z.int().nonnegative(), sha256: z.hash("sha256") })),
});
export type Manifest = z.infer<typeof Manifest>;

/**
 * Reads `FOLDER/backup.json`.
 * @throws MarsadError NOT_FOUND: there is none; BACKUP_DAMAGED; STORE_FORMAT: of a newer version
 */
export async function readManifest(folder: string): Promise<Manifest> {
  const path = join(folder, manifestName);
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    throw new MarsadError("NOT_FOUND", `${folder} is no backup: there is no ${path}`, { cause: error });
  });
  const document = parsed(text);
  const any = AnyManifest.safeParse(document);
  const format = any.success ? any.data["format"] : undefined;
  if (any.success && (any.data.backup > 1 || (typeof format === "number" && format > currentFormat))) {
    const message = `${folder} was made by Marsad ${any.data.version}, which is newer than this one: use that version or a later one`;
    throw new MarsadError("STORE_FORMAT", message);
  }
  const manifest = Manifest.safeParse(document);
  if (manifest.success) return manifest.data;
  throw new MarsadError("BACKUP_DAMAGED", `${path} is damaged: ${z.prettifyError(manifest.error)}`);
}

/** Sums of all files below `folder`, in order of their paths. */
export async function sumFiles(folder: string): Promise<Manifest["files"]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const sums: Manifest["files"] = [];
  for (const path of paths.sort())
    sums.push({ path: path.slice(folder.length + 1), ...(await sumFile(path)) });
  return sums;
}

async function sumFile(path: string): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path, { highWaterMark: 1024 * 1024 }), hash);
  return { bytes: (await stat(path)).size, sha256: hash.digest("hex") };
}

/** @throws MarsadError BACKUP_DAMAGED: a file of the manifest is missing in `folder`, or is another one. */
export async function checkFiles(folder: string, { files }: Manifest): Promise<void> {
  for (const { path, bytes, sha256 } of files) {
    const found = await sumFile(join(folder, path)).catch((error: unknown) => {
      throw new MarsadError("BACKUP_DAMAGED", `${join(folder, path)} is missing or cannot be read`, {
        cause: error,
      });
    });
    if (found.bytes === bytes && found.sha256 === sha256) continue;
    const message = `${join(folder, path)} is not as it was written (${found.bytes} bytes of ${bytes})`;
    throw new MarsadError("BACKUP_DAMAGED", message);
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
