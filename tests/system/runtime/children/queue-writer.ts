/**
 * Commits groups of records until it is killed, or `groups` are done, and trims all but the last 100 now and then. Says
 * `next` after each commit: what was said is promised. A record's bytes follow from its position (`recordAt`).
 */
import { writeSync } from "node:fs";
import { openDurableQueue } from "#runtime/durable-queue.ts";
import { recordAt } from "../queue-records.ts";

const [path, groups] = process.argv.slice(2) as [string, string];
const queue = openDurableQueue({ path, maxLiveBytes: 2 ** 28, maxFileBytes: 2 ** 28, tables: ["counts"] });
for (let group = 0; group < Number(groups); group++) {
  queue.commit((transaction) => {
    for (let count = 0; count < 1 + (queue.next % 20); count++)
      transaction.append(recordAt(queue.next + count));
    transaction.table("counts").put("next", Buffer.from(String(queue.next + 1 + (queue.next % 20))));
  });
  writeSync(1, `${queue.next}\n`);
  if (group % 10 === 9) queue.trim(queue.next - 100);
}
queue[Symbol.dispose]();
