import { expect, test } from "vitest";
import { openJournal } from "#ingest/journal/open.ts";
import { IngestLimits } from "#ingest/limits.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { blockOf, groupOf, ledger } from "./journal-support.ts";

test("behind a commit that was given up none goes in: what it says of the one before would be believed", async () => {
  using folder = tempFolder("journal");
  const limits = IngestLimits.parse({ journal_bytes: 10_000 });
  {
    await using resources = new AsyncDisposableStack();
    const { journal } = await openJournal(folder.path, limits);
    resources.use(journal);
    const kept = groupOf({ block: blockOf("kept"), ledgers: [ledger({ received: 1 })] });
    expect(await journal.commit(kept)).toBe(1);
    const commits = [
      groupOf({ block: blockOf("x".repeat(20_000)), ledgers: [ledger({ received: 2 })] }),
      groupOf({ block: blockOf("small"), ledgers: [ledger({ received: 3 })] }),
    ].map((group) => journal.commit(group).catch((error: { code: string }) => error.code));
    await journal.status();
    await resources.disposeAsync();
    expect(await Promise.all(commits)).toEqual(["QUEUE_UNWRITABLE", "QUEUE_UNWRITABLE"]);
  }
  const { journal, snapshot } = await openJournal(folder.path, limits);
  await journal[Symbol.asyncDispose]();
  expect(snapshot).toMatchObject({ next: 1, ledgers: [{ received: 1 }] });
});
