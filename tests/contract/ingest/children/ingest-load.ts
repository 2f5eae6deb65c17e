import { flows, numbered, openCity, start } from "../support.ts";

/**
 * Takes numbered batches of one outbox as fast as they are acknowledged, from `first` on, and prints the number after each acknowledged
 * one, until it is killed. The reading numbered n is of n seconds after `startTime`. Some are sent twice, some hold readings of a sensor that nobody knows.
 */
const [folder, outbox, startTime, first] = process.argv.slice(2);
if (folder === undefined || outbox === undefined)
  throw new TypeError("ingest-load FOLDER OUTBOX START FIRST");
const city = await openCity({ folder, limits: { batch_readings: 200 } });
const session = city.session();
await session.birth(["tf-1"]);

const later = (Number(startTime) - start) / 1_000;
const perBatch = 20;
const window = 8;
let next = Number(first);

async function sendForEver(): Promise<never> {
  for (;;) {
    const from = next;
    next += perBatch;
    const body =
      flows("tf-1", later + from, later + from + perBatch - 1) +
      flows("unknown", later + from, later + from + 1);
    const batch = numbered(outbox!, from, perBatch, body);
    await Promise.all([session.send(batch), ...(from % 7 === 0 ? [session.send(batch)] : [])]);
    process.stdout.write(`${from + perBatch}\n`);
  }
}

await Promise.all(Array.from({ length: window }, () => sendForEver()));
