/** Adds one to a counter `times` times, each in a transaction of its own; says how far it is on stdout. */
import { openRecordStore } from "#runtime/record-store.ts";

const [path, name, times] = process.argv.slice(2) as [string, string, string];
await using store = await openRecordStore(path);
process.stdout.write("ready\n");
for (let count = 1; count <= Number(times); count++) {
  store.transaction((records) => {
    records.put("counters", "shared", Number(records.get("counters", "shared") ?? 0) + 1);
    records.put("counters", name, count);
  });
  process.stdout.write(`${count}\n`);
}
