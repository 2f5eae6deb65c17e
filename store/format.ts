import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { MarsadError } from "#runtime/errors.ts";
import { writeFileAtomically } from "#runtime/write-file.ts";

/** The layout of a data folder that this version reads and writes. */
export const currentFormat = 1;

/** What every version's `format.json` has, so that an older one can say which version to use. */
const AnyFormat = z.object({
  format: z.int().positive(),
  version: z.string().meta({ description: "The Marsad that wrote it." }),
});

/** `format.json` of a data folder. */
export const DataFormat = AnyFormat.extend({
  format: z.literal(currentFormat),
  journal: z.uuid().meta({ description: "The journal whose positions the store knows." }),
});
export type DataFormat = z.infer<typeof DataFormat>;

/**
 * Reads `FOLDER/format.json`; undefined for a folder that has none yet.
 * @throws MarsadError STORE_FORMAT: written by a newer version, or no data folder of Marsad's.
 */
export async function readDataFormat(folder: string): Promise<DataFormat | undefined> {
  const path = join(folder, "format.json");
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
  if (format > currentFormat) {
    throw new MarsadError(
      "STORE_FORMAT",
      `${folder} was written by Marsad ${version} in format ${format}, this one reads up to ${currentFormat}: ` +
        `use Marsad ${version} or later, or another --data folder`,
    );
  }
  const current = DataFormat.safeParse(parsedOrText(text));
  if (current.success) return current.data;
  throw new MarsadError("STORE_FORMAT", `${path} is damaged: ${z.prettifyError(current.error)}`, {
    cause: current.error,
  });
}

/** Writes `FOLDER/format.json`. */
export async function writeDataFormat(folder: string, format: Omit<DataFormat, "format">): Promise<void> {
  const document: DataFormat = { format: currentFormat, ...format };
  await writeFileAtomically(join(folder, "format.json"), `${JSON.stringify(document, null, 2)}\n`);
}

/** What is no JSON fails every schema as the text it is. */
function parsedOrText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
