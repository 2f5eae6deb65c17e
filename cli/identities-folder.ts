import { stat } from "node:fs/promises";
import { join } from "node:path";
import { Command, Option } from "commander";
import { MarsadError } from "#runtime/errors.ts";
import { type RecordStore, openRecordStore } from "#runtime/record-store.ts";
import { jsonOption } from "./client.ts";

/** What the commands on the identities folder are told, all of them. */
export interface IdentitiesOptions {
  readonly data: string;
  readonly json: boolean;
}

/** A command on the data folder's identities, with the options that all of them have. */
export function identitiesCommand(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .addOption(
      new Option("--data <dir>", "the data folder of the platform").env("MARSAD_DATA").default("marsad-data"),
    )
    .addOption(jsonOption());
}

/** The identities of a data folder, which is made if need be; a platform may have it open. */
export async function openIdentities(data: string): Promise<RecordStore> {
  return await openRecordStore(join(data, "identities"));
}

/**
 * The same of a folder that must be there.
 * @param what  `gateways`, to say what is missing
 * @throws MarsadError NOT_FOUND: nothing was ever added there.
 */
export async function openExistingIdentities(data: string, what: string): Promise<RecordStore> {
  const isFolder = await stat(join(data, "identities")).then(
    (entry) => entry.isDirectory(),
    () => false,
  );
  if (isFolder) return await openIdentities(data);
  throw new MarsadError(
    "NOT_FOUND",
    `there are no ${what} in ${data}; say where the data folder is with --data or MARSAD_DATA`,
  );
}
