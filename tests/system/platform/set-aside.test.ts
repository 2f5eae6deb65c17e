import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { connectGateway } from "../../support/mqtt-gateway.ts";
import { admitGateway, dataFolder, startPlatform } from "../../support/platform.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { flowLine, sharePlatform } from "./support.ts";

const identity = { name: "corniche-1", agency: "mobility" };
const base = Date.now() - 3_600_000;

describe.concurrent("what was acknowledged and not stored", () => {
  test("waiting readings and dead letters survive a kill -9, and so does their ledger", async () => {
    using folder = tempFolder("aside");
    const password = await admitGateway(dataFolder(folder.path), identity);
    const unknown = Array.from({ length: 50 }, (_, i) => `${flowLine("late", i, base + i)}\n`).join("");
    const bad = `traffic_flow,sensor=late bicycles=1 ${base}`;
    {
      await using platform = await startPlatform({ folder: folder.path });
      await using gateway = await connectGateway({ identity, password, port: platform.mqttPort });
      await gateway.send(unknown);
      await gateway.send(`trafic_flow,sensor=late vehicles=1 ${base}`);
      await platform.end("SIGKILL");
    }
    await using platform = await startPlatform({ folder: folder.path });
    expect(await platform.settled(identity.name)).toMatchObject({
      sent: 51,
      stored: 0,
      refused_by_reason: { "unknown-measurement": 1 },
      on_its_way: { waiting: 50 },
    });
    expect(await platform.deadLetters()).toMatchObject([{ reason: "unknown-measurement", kept: true }]);

    await using gateway = await connectGateway({ identity, password, port: platform.mqttPort });
    await gateway.send(bad);
    await gateway.birth(["late"]);
    const account = await platform.settled(identity.name, ({ on_its_way }) => on_its_way.waiting === 0);
    expect(account).toMatchObject({ sent: 52, stored: 50, refused: 2, duplicate: 0 });
    expect(await platform.readings("traffic_flow", "late")).toHaveLength(50);
  });

  test("dead letters keep to their bound: the oldest bytes go, what they were stays", async () => {
    const bound = 20_000;
    await using shared = await sharePlatform(["--dead-letter-bytes-per-gateway", String(bound)]);
    const { platform } = shared;
    await using gateway = await shared.newGateway();
    const perMessage = 20;
    for (let message = 0; message < 40; message += 1) {
      const line = (i: number): string =>
        `trafic_flow,sensor=${gateway.name}.a vehicles=${i} ${base + message * perMessage + i}`;
      await gateway.send(Array.from({ length: perMessage }, (_, i) => line(i)).join("\n"));
    }
    const letters = await platform.deadLetters(gateway.name);
    expect(letters).toHaveLength(40);
    const kept = letters.filter((letter) => letter.kept);
    const bytes = kept.reduce((sum, letter) => sum + letter.bytes, 0);
    expect(bytes).toBeLessThanOrEqual(bound);
    expect(bytes).toBeGreaterThan(bound - 3 * letters[0]!.bytes);
    expect(letters.slice(0, kept.length)).toEqual(kept); // newest first
    for (const letter of letters)
      expect(letter).toMatchObject({ readings: perMessage, sha256: expect.stringMatching(/^[0-9a-f]{16}$/) });
    expect((await platform.deadLetter(letters.at(-1)!.id)).payload).toBeNull();
    expect((await platform.deadLetter(letters[0]!.id)).payload?.text).toContain(
      `vehicles=0 ${base + 39 * perMessage}`,
    );
    expect(await platform.settled(gateway.name)).toMatchObject({ sent: 800, stored: 0, refused: 800 });
  });

  test("a gateway is told once a second, with the count of all and the first of them explained", async () => {
    await using shared = await sharePlatform();
    await using gateway = await shared.newGateway();
    for (let message = 0; message < 20; message += 1) {
      await gateway.send(
        Array.from({ length: 50 }, (_, i) => `nothing,sensor=x v=${message * 50 + i} ${base}\n`).join(""),
      );
    }
    await sleep(2500);
    expect(gateway.nacks.length).toBeLessThanOrEqual(4);
    expect(gateway.nacks.reduce((sum, { count }) => sum + count, 0)).toBe(1000);
    for (const { rejections } of gateway.nacks) expect(rejections.length).toBeLessThanOrEqual(20);
  });
});
