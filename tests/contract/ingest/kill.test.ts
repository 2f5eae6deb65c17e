import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { expect, test } from "vitest";
import { tempFolder } from "../../support/temp-folder.ts";
import { openCity, start } from "./support.ts";

/** Lets a process of its own take batches until it has acknowledged so many, and kills it. @returns the numbers after acknowledged batches. */
async function loadAndKill(
  folder: string,
  outbox: string,
  first: number,
  batches: number,
): Promise<number[]> {
  const file = new URL("children/ingest-load.ts", import.meta.url).pathname;
  const child = spawn(process.execPath, [file, folder, outbox, String(start), String(first)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  const acknowledged: number[] = [];
  for await (const line of createInterface(child.stdout)) {
    acknowledged.push(Number(line));
    if (acknowledged.length === batches) child.kill("SIGKILL");
  }
  await exited;
  return acknowledged;
}

test("what was acknowledged before a kill -9 is stored once, and the ledger balances after each", async () => {
  using folder = tempFolder("ingest-kill");
  const outbox = randomUUID();
  const acknowledged: number[] = [];
  for (const batches of [1, 40, 250]) {
    acknowledged.push(...(await loadAndKill(folder.path, outbox, Math.max(0, ...acknowledged), batches)));
    await using city = await openCity({ folder: folder.path });
    const account = await city.settled();
    const { sent, stored, duplicate, on_its_way: onItsWay } = account;
    expect(sent - onItsWay.missing).toBe(stored + duplicate + onItsWay.waiting);
    expect(account).toMatchObject({ refused: 0, merged: 0 });

    const rows = await city.stored();
    expect(rows).toHaveLength(stored);
    const seconds = new Set(rows.map((row) => (Number(row.split(" ")[1]) - start) / 1_000));
    expect(seconds.size).toBe(stored);
    // 20 readings a batch, the last one of a sensor that nobody knows.
    const promised = acknowledged.flatMap((end) => Array.from({ length: 19 }, (_, i) => end - 20 + i));
    expect(promised.filter((second) => !seconds.has(second))).toEqual([]);
    expect(onItsWay.waiting).toBeGreaterThanOrEqual(acknowledged.length);
  }
}, 120_000);
