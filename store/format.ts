import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { MarsadError } from "#runtime/errors.ts";
import { writeFileAtomically } from "#runtime/write-file.ts";

/** The layout of a data folder that this version reads and writes. */
export const currentFormat = 2;

/** What every version's `format.json` has, so that an older one can say which version to use. */
export const AnyFormat = z.looseObject({
  format: z.int().positive(),
  version: z.string().meta({ description: "The Marsad that wrote it." }),
});
export type AnyFormat = z.infer<typeof AnyFormat>;

/** `format.json` of a data folder. */
export const DataFormat = z.object({
  ...AnyFormat.shape,
  format: z.literal(currentFormat),
  journal: z.uuid().meta({ description: "The journal whose positions the store knows." }),
  store: z.enum(["duckdb", "influxdb"]).meta({ description: "Where its readings are kept." }),
});
export type DataFormat = z.infer<typeof DataFormat>;

const fileName = "format.json";

/**
 * Reads `FOLDER/format.json` of any format that this version knows; undefined for a folder that has none yet.
 * @throws MarsadError STORE_FORMAT: written by a newer version, or no data folder of Marsad's.
 */
export async function readAnyFormat(folder: string): Promise<AnyFormat | undefined> {
  const path = join(folder, fileName);
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw new MarsadError("STORE_FORMAT", `${path} cannot be read`, { cause: error });
  }
  const found = AnyFormat.safeParse(parsedOrText(text));
  if (!found.success) {
    throw new MarsadError("STORE_FORMAT", `${path} is not Marsad's; is ${folder} the right folder?`, {
      cause: found.error,
    });
  }
  const { format, version } = found.data;
  if (format <= currentFormat) return found.data;
  throw new MarsadError(
    "STORE_FORMAT",
    `${folder} was written by Marsad ${version} in format ${format}, this one reads up to ${currentFormat}: ` +
      `use Marsad ${version} or later, or another --data folder`,
  );
}

/**
 * Reads `FOLDER/format.json`; undefined for a folder that has none yet. One of an older format is migrated first.
 * @throws MarsadError STORE_FORMAT, as `readAnyFormat`; or it is damaged.
 */
export async function readDataFormat(folder: string): Promise<DataFormat | undefined> {
  const found = await readAnyFormat(folder);
  if (found === undefined) return undefined;
  const current = DataFormat.safeParse(found);
  if (current.success) return current.data;
  throw damaged(folder, current.error);
}

/** Writes `FOLDER/format.json`. */
export async function writeDataFormat(folder: string, format: Omit<DataFormat, "format">): Promise<void> {
  const document: DataFormat = { format: currentFormat, ...format };
  await writeFileAtomically(join(folder, fileName), `${JSON.stringify(document, null, 2)}\n`);
}

/**
 * What a journal has given up is in the store that it was given to: no folder changes its kind of store.
 * @throws MarsadError STORE_FORMAT
 */
export function expectStore(
  folder: string,
  format: DataFormat | undefined,
  store: DataFormat["store"],
): void {
  if (format === undefined || format.store === store) return;
  throw new MarsadError(
    "STORE_FORMAT",
    `${folder} keeps its readings in ${format.store}, not in ${store}: start it with --store ${format.store}, or give another --data folder`,
  );
}

export function damaged(folder: string, error: z.ZodError): MarsadError {
  const message = `${join(folder, fileName)} is damaged: ${z.prettifyError(error)}`;
  return new MarsadError("STORE_FORMAT", message, { cause: error });
}

/** What is no JSON fails every schema as the text it is. */
function parsedOrText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
