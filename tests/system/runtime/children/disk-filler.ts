/** Fills its disk with commits of several sizes, trims, and fills it again, `rounds` times. Says `done`. */
import { hasCode } from "#runtime/errors.ts";
import { openDurableQueue } from "#runtime/durable-queue.ts";
import { recordAt } from "../queue-records.ts";

const [path, rounds] = process.argv.slice(2) as [string, string];
using queue = openDurableQueue({ path, maxLiveBytes: 2 ** 28, maxFileBytes: 2 ** 28, tables: ["counts"] });
for (let round = 0; round < Number(rounds); round++) {
  for (const count of [40, 7, 1]) {
    for (let full = false; !full;) full = !appended(count);
  }
  queue.trim(queue.next - 3);
}
process.stdout.write("done\n");

function appended(count: number): boolean {
  try {
    queue.commit((transaction) => {
      for (let index = 0; index < count; index++) transaction.append(recordAt(queue.next + index));
      transaction.table("counts").put(["round", queue.next % 200], new Uint8Array(100));
    });
    return true;
  } catch (error) {
    if (hasCode(error, "QUEUE_UNWRITABLE")) return false;
    throw error;
  }
}
