import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { Committer } from "#ingest/committer.ts";
import { GatewayState } from "#ingest/gateway-state.ts";
import { Group } from "#ingest/group.ts";
import { InFlight } from "#ingest/in-flight.ts";
import type { JournalGroup } from "#ingest/journal/messages.ts";
import type { IngestSession } from "#ingest/source.ts";
import { builtinCatalogue } from "#telemetry/builtin-catalogue.ts";
import { decodeBlock } from "#telemetry/block.ts";

/** A journal whose commits end when the test says so. */
class HeldJournal {
  readonly commits: {
    readonly group: JournalGroup;
    readonly readings: number;
    readonly end: PromiseWithResolvers<number>;
  }[] = [];
  #next = 0;

  commit(group: JournalGroup): Promise<number> {
    const end = Promise.withResolvers<number>();
    const readings = group.block ? decodeBlock(group.block).readings : 0;
    this.commits.push({ group, readings, end });
    return end.promise;
  }

  async end(commit: number): Promise<void> {
    const { group, end } = this.commits[commit]!;
    if (group.block) this.#next += 1;
    end.resolve(this.#next);
    await turn();
    await turn();
  }
}

function setUp(groupBytes = 1_000) {
  const journal = new HeldJournal();
  const group = new Group(builtinCatalogue);
  const inFlight = new InFlight(0);
  const said: string[] = [];
  const committer = new Committer({
    journal,
    group,
    inFlight,
    groupBytes,
    gatewayName: (number) => `gw-${number}`,
    onCommitted: (next) => said.push(`committed to ${next}`),
    onFailure: (error) => said.push(`failed: ${(error as Error).message}`),
  });
  const gateway = new GatewayState({ name: "gw-0", agency: "water" }, 0);
  const session = (name: string): IngestSession => ({
    gateway: { name, agency: "water" },
    acknowledge: (count) => said.push(`${name} +${count}`),
    resume: () => said.push(`${name} resumes`),
  });
  /** As the intake takes a message of `rows` readings. */
  const take = (from: IngestSession, rows: number): void => {
    const table = group.tables[0]!;
    for (let i = 0; i < rows; i += 1) {
      table.nextRow();
      table.commitRow(gateway.number);
    }
    if (rows > 0) group.touch(gateway);
    group.acknowledgeAfter(from);
    committer.schedule();
  };
  return { journal, group, inFlight, committer, said, session, take };
}

describe("commits", () => {
  test("gather a turn's messages of all sessions; PUBACKs follow the commit, in order", async () => {
    const { journal, inFlight, said, session, take } = setUp();
    const [a, b] = [session("a"), session("b")];
    take(a, 1);
    take(a, 1);
    take(b, 1);
    take(a, 1);
    expect(journal.commits).toHaveLength(0);
    await turn();
    expect(journal.commits.map(({ readings }) => readings)).toEqual([4]);
    expect(inFlight.readings).toBe(4);
    expect(said).toEqual([]);
    await journal.end(0);
    expect(said).toEqual(["committed to 1", "a +2", "b +1", "a +1"]);
  });

  test("are one at a time, and two while there is much to commit; meanwhile the group grows", async () => {
    const { journal, take, session } = setUp();
    const a = session("a");
    for (let i = 0; i < 5; i += 1) {
      take(a, 1);
      await turn();
    }
    expect(journal.commits.map(({ readings }) => readings)).toEqual([1]);
    await journal.end(0);
    expect(journal.commits.map(({ readings }) => readings)).toEqual([1, 4]);
    for (let i = 0; i < 3; i += 1) {
      take(a, 50); // as much as a group may hold
      await turn();
    }
    expect(journal.commits.map(({ readings }) => readings)).toEqual([1, 4, 50]);
    await journal.end(1);
    expect(journal.commits.map(({ readings }) => readings)).toEqual([1, 4, 50, 100]);
  });

  test("what needs no commit is acknowledged behind what came before it", async () => {
    const { journal, said, session, take } = setUp();
    const a = session("a");
    take(a, 1);
    await turn();
    take(a, 0);
    await turn();
    await turn();
    expect(said).toEqual([]);
    await journal.end(0);
    expect(said).toEqual(["committed to 1", "a +1", "a +1"]);
    take(a, 0);
    await turn();
    await turn();
    expect(said.at(-1)).toBe("a +1");
    expect(journal.commits).toHaveLength(1);
  });

  test("a full group has no room until a commit ends, then those who waited are resumed", async () => {
    const { committer, journal, group, said, session, take } = setUp(1_000);
    const a = session("a");
    for (let i = 0; i < 3; i += 1) {
      expect(committer.hasRoom()).toBe(true);
      take(a, 50); // more than the bound
      committer.hasRoom(); // begins a commit at once, without waiting for the turn's end
    }
    expect(journal.commits).toHaveLength(2);
    expect(committer.hasRoom()).toBe(false);
    expect(group.readings).toBe(50);
    committer.stalled.add(a);
    await journal.end(0);
    expect(said).toEqual(["committed to 1", "a +1", "a resumes"]);
    expect(committer.hasRoom()).toBe(true);
  });

  test("whoever waits for what is in the group does not wait for what comes after it", async () => {
    const { committer, journal, session, take } = setUp();
    const a = session("a");
    take(a, 1);
    let settled = false;
    void committer.settled().then(() => (settled = true));
    await turn();
    take(a, 1);
    await turn();
    take(a, 1); // the group is never empty
    await journal.end(0);
    expect(settled).toBe(true);
    expect(journal.commits).toHaveLength(2);
    await expect(Promise.race([committer.settled(), turn("not yet")])).resolves.toBe("not yet");
  });

  test("a replay gets into a group that sessions keep full", async () => {
    const { committer, journal, session, take } = setUp(1_000);
    const a = session("a");
    for (let i = 0; i < 3; i += 1) {
      take(a, 50);
      committer.hasRoom();
    }
    expect(committer.hasRoom()).toBe(false);
    take(a, 50);
    let room = false;
    void committer.room().then(() => (room = true));
    await turn();
    expect(room).toBe(false);
    await journal.end(0);
    expect(room).toBe(true);
  });

  test("a lost journal is told, and nothing is acknowledged", async () => {
    const { committer, journal, said, session, take } = setUp();
    take(session("a"), 1);
    await turn();
    journal.commits[0]!.end.reject(new Error("gone"));
    await committer.settled();
    expect(said).toEqual(["failed: gone"]);
  });
});

describe("a group", () => {
  test("carries what goes along once, and series that no reading has used yet wait for one", () => {
    const { group } = setUp();
    const entry = { series: 0, agency: "a", measurement: "m", sensor: "s" };
    const storeBase = [{ gateway: "gw-0", stored: 1, merged: 0, duplicate: 0 }];
    group.adopt([entry], storeBase);
    group.addSeries({ ...entry, series: 1 });
    expect(group.isEmpty).toBe(true);
    const gateway = new GatewayState({ name: "gw-0", agency: "water" }, 0);
    group.touch(gateway);
    const { content, counts } = group.take(String);
    expect(content).toMatchObject({
      storeBase,
      series: [{ series: 0 }, { series: 1 }],
      ledgers: [{ gateway: "gw-0" }],
    });
    expect(decodeBlock(content!.block!).newSeries).toEqual([{ ...entry, series: 1 }]);
    expect(counts).toEqual([]);
    group.touch(gateway);
    expect(group.take(String).content).toMatchObject({ storeBase: undefined, series: [], block: undefined });
  });

  test("counts payloads and acknowledgements, too: none of them is without a bound", () => {
    const { group, session } = setUp();
    const sessions = [session("a"), session("b")];
    for (let i = 0; i < 1_000; i += 1) group.acknowledgeAfter(sessions[i % 2]!);
    const acknowledgements = group.bytes;
    expect(acknowledgements).toBeGreaterThan(10_000);
    const payload = {
      gateway: "gw-0",
      agency: "a",
      channel: "lp",
      readings: 1,
      at: 0,
      bytes: new Uint8Array(),
    } as const;
    for (let i = 0; i < 100; i += 1) {
      group.addWaiting(payload);
      group.addDeadLetter({ ...payload, reason: "syntax", detail: "" });
    }
    expect(group.bytes - acknowledgements).toBeGreaterThan(50_000);
    group.take(String);
    expect(group.bytes).toBe(0);
  });
});
