/**
 * Commits records while single writes of its disk fail, then says as JSON how many commits were refused, whether all that
 * was acknowledged is there (before and after reopening), and what is there beside it.
 */
import { hasCode } from "#runtime/errors.ts";
import { type DurableQueue, openDurableQueue } from "#runtime/durable-queue.ts";
import { recordAt } from "../queue-records.ts";

const path = process.argv[2]!;
const open = (): DurableQueue => openDurableQueue({ path, maxLiveBytes: 2 ** 28, maxFileBytes: 2 ** 28 });
const whole = (queue: DurableQueue): boolean =>
  queue.read(0, Infinity).every(({ position, record }, index) => {
    return position === index && Buffer.compare(record, recordAt(position)) === 0;
  });

let refused = 0;
let queue = open();
let acknowledged = queue.next;
for (let commit = 0; commit < 40; commit++) {
  try {
    queue.commit((transaction) => {
      for (let count = 0; count < 3; count++) transaction.append(recordAt(queue.next + count));
    });
    acknowledged = queue.next;
  } catch (error) {
    if (!hasCode(error, "QUEUE_UNWRITABLE")) throw error;
    refused++;
  }
}
const live = { whole: whole(queue), extra: queue.next - acknowledged };
queue[Symbol.dispose]();
queue = open();
const reopened = { whole: whole(queue), extra: queue.next - acknowledged };
queue[Symbol.dispose]();
process.stdout.write(`${JSON.stringify({ refused, live, reopened })}\n`);
