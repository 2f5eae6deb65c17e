/**
 * Commits groups of records until it is killed, removes every third of them, and trims all but the last 300 now and then.
 * Says `next` after each commit, and then the position below which every third is removed: both are promised.
 */
import { writeSync } from "node:fs";
import { openDurableQueue } from "#runtime/durable-queue.ts";
import { recordAt } from "../queue-records.ts";

const [path] = process.argv.slice(2) as [string];
const queue = openDurableQueue({ path, maxLiveBytes: 2 ** 28, maxFileBytes: 2 ** 28, tables: ["counts"] });
let removed = queue.first;
for (let group = 0; ; group++) {
  queue.commit((transaction) => {
    for (let count = 0; count < 10; count++) transaction.append(recordAt(queue.next + count));
  });
  const thirds = Array.from({ length: queue.next - removed }, (_, i) => removed + i).filter(
    (at) => at % 3 === 0,
  );
  queue.remove(thirds.map((at) => ({ from: at, to: at + 1 })));
  removed = queue.next;
  writeSync(1, `${queue.next} ${removed}\n`);
  if (group % 20 === 19) queue.trim(queue.next - 300);
}
