import { Command, Option } from "commander";
import { type Manifest, checkFiles, readManifest } from "./backup/manifest.ts";
import { restoreBackup } from "./backup/restore.ts";
import { jsonOption } from "./client.ts";
import { grouped, paint, printJson } from "./output.ts";
import { MarsadError } from "#runtime/errors.ts";

interface Options {
  readonly data?: string;
  readonly check: boolean;
  readonly json: boolean;
}

/** `marsad restore DIR --data NEW`, or `--check`. */
export function restoreCommand(): Command {
  return (
    new Command("restore")
      .description(
        "Makes a data folder of the backup in DIR. Every file is compared with the sum that the backup has of it. The new folder must be missing or empty.",
      )
      .argument("<dir>", 'the backup, made by "marsad backup"')
      // Not from MARSAD_DATA: nobody restores where the platform's own folder is without saying so.
      .addOption(new Option("--data <dir>", "the data folder to make"))
      .addOption(
        new Option("--check", "look whether the backup is whole, and restore nothing").default(false),
      )
      .addOption(jsonOption())
      .addHelpText(
        "after",
        "\n  marsad restore /mnt/backups/marsad-2026-11-27 --data /var/lib/marsad-platform",
      )
      .action(async (from: string, { data, check, json }: Options) => {
        if ((data === undefined) !== check)
          throw new MarsadError(
            "CONFIG_INVALID",
            "say either where to restore it, with --data DIR, or --check",
          );
        const manifest = data === undefined ? await checked(from) : await restoreBackup(from, data);
        const { files, ...rest } = manifest;
        if (json) printJson({ backup_folder: from, data: data ?? null, ...rest, files: files.length });
        else process.stdout.write(told(from, data, manifest));
      })
  );
}

async function checked(from: string): Promise<Manifest> {
  const manifest = await readManifest(from);
  await checkFiles(from, manifest);
  return manifest;
}

function told(from: string, data: string | undefined, { at, files, store, version }: Manifest): string {
  const what = `the backup of ${at} (Marsad ${version}, ${files.length} files${store.rows === null ? "" : `, ${grouped(store.rows)} readings`})`;
  if (data === undefined) return `${paint.strong(from)} is whole: ${what}.\n`;
  const influx =
    store.kind === "influxdb"
      ? `Its readings are in InfluxDB: there must be at least what it had at that time, see docs/backup.md.\n`
      : "";
  return (
    `${paint.strong(data)} is ${what}.\n${influx}` +
    `Start it with: marsad platform --data ${data}\n` +
    `What gateways sent after that time shows as missing in "marsad account", where they number their readings.\n`
  );
}
