import { setImmediate as turn } from "node:timers/promises";
import { expect, test } from "vitest";
import { takeRequest } from "#ingest/request-session.ts";
import type { Accept, IngestSession } from "#ingest/source.ts";

const gateway = { name: "gw", agency: "mobility" };

/** Takes what there is room for; its commits are the test's. */
function holdingIngest(): {
  accept: Accept;
  taken: string[];
  room: number;
  session: IngestSession | undefined;
} {
  const ingest = {
    taken: [] as string[],
    room: 1,
    session: undefined as IngestSession | undefined,
    accept: ((session, channel, payload) => {
      ingest.session = session;
      if (ingest.room === 0) return false;
      ingest.room -= 1;
      const text = Buffer.from(payload).toString();
      ingest.taken.push(`${channel} ${text}`);
      session.setAside?.({ reason: "future", detail: `of ${text}`, readings: 2 });
      return true;
    }) satisfies Accept,
  };
  return ingest;
}

test("pieces are offered in their order as there is room, and the end is when all are on disk", async () => {
  const ingest = holdingIngest();
  const bytes = new Uint8Array(1);
  function* pieces(): Generator<Uint8Array> {
    for (const letter of "abc") {
      bytes[0] = letter.charCodeAt(0); // the same memory each time
      yield bytes;
    }
  }
  let isDone = false;
  const done = takeRequest(ingest.accept, gateway, pieces(), new AbortController().signal).finally(() => {
    isDone = true;
  });
  await turn();
  await turn();
  expect(ingest.taken).toEqual(["lp a"]);
  ingest.session!.acknowledge(1);
  await turn();
  expect(ingest.taken).toEqual(["lp a"]);
  ingest.room = 2;
  ingest.session!.resume();
  await turn();
  await turn();
  await turn();
  expect(ingest.taken).toEqual(["lp a", "lp b", "lp c"]);
  ingest.session!.acknowledge(1);
  await turn();
  expect(isDone).toBe(false);
  ingest.session!.acknowledge(1);
  expect(await done).toEqual([{ reason: "future", detail: "of a", readings: 6 }]);
});

test("nothing to take is done at once; who waits for room or for the disk can be called off", async () => {
  const ingest = holdingIngest();
  const calm = new AbortController().signal;
  expect(await takeRequest(ingest.accept, gateway, [], calm)).toEqual([]);
  for (const pieces of [1, 2]) {
    ingest.room = 1;
    const impatient = new AbortController();
    const lines = Array.from({ length: pieces }, () => Buffer.from("x"));
    const done = takeRequest(ingest.accept, gateway, lines, impatient.signal);
    await turn();
    const reason = new Error("enough");
    impatient.abort(reason);
    await expect(done).rejects.toBe(reason);
    ingest.session!.resume();
    ingest.session!.acknowledge(1);
  }
  await expect(takeRequest(ingest.accept, gateway, [Buffer.from("x")], AbortSignal.abort())).rejects.toThrow(
    "abort",
  );
});
