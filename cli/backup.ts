import { Command, Option } from "commander";
import packageJson from "../package.json" with { type: "json" };
import { type MadeBackup, makeBackup } from "./backup/make.ts";
import { jsonOption } from "./client.ts";
import { grouped, paint, printJson } from "./output.ts";

/** `marsad backup DIR`: on the data folder, also while the platform runs. */
export function backupCommand(): Command {
  return new Command("backup")
    .description(
      "Copies the data folder into the new folder DIR: journal, store, registry, identities, the city's catalogue. Works also while the platform " +
        "runs, which goes on taking and storing. The copy is opened and read before it is called a backup.",
    )
    .argument("<dir>", "a folder that does not exist yet, best on another disk")
    .addOption(
      new Option("--data <dir>", "the data folder of the platform").env("MARSAD_DATA").default("marsad-data"),
    )
    .addOption(jsonOption())
    .addHelpText("after", "\n  marsad backup /mnt/backups/marsad-$(date +%F) --data /var/lib/marsad-platform")
    .action(async (to: string, { data, json }: { data: string; json: boolean }) => {
      const begun = performance.now();
      const made = await makeBackup(data, to, packageJson.version);
      const seconds = (performance.now() - begun) / 1000;
      if (json) printJson({ ...answerOf(made, to), seconds });
      else process.stdout.write(told(made, { data, to, seconds }));
    });
}

function answerOf({ manifest, held_s }: MadeBackup, folder: string): object {
  const { files, ...rest } = manifest;
  return { folder, ...rest, files: files.length, bytes: bytesOf(files), held_s };
}

function told(
  { manifest, held_s }: MadeBackup,
  { data, to, seconds }: { data: string; to: string; seconds: number },
): string {
  const { files, journal, store } = manifest;
  const size = `${files.length} files, ${grouped(bytesOf(files) / 2 ** 20)} MiB`;
  const readings =
    store.rows === null
      ? "Readings are in InfluxDB: back that up too, after this, see docs/backup.md."
      : `${grouped(store.rows)} readings in the store, ${grouped(journal.next - (store.position ?? 0))} blocks in the journal behind it.`;
  return (
    `${paint.strong(to)} is a backup of ${data}: ${size}, in ${seconds.toFixed(1)} s (files held ${held_s.toFixed(1)} s).\n${readings}\n` +
    `Restore it with: marsad restore ${to} --data NEW\n`
  );
}

function bytesOf(files: MadeBackup["manifest"]["files"]): number {
  return files.reduce((sum, { bytes }) => sum + bytes, 0);
}
