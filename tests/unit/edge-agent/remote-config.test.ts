import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import pino from "pino";
import { describe, expect, test } from "vitest";
import { EdgeAgentConfig } from "#edge-agent/config.ts";
import { ConfigKeeper } from "#edge-agent/config-keeper.ts";
import { mergeRemote, remoteProblem } from "#edge-agent/remote-config.ts";
import { readStoredConfig } from "#edge-agent/stored-config.ts";
import { tempFolder } from "../../support/temp-folder.ts";

const own = EdgeAgentConfig.parse({
  agency: "mobility",
  gateway: "corniche-1",
  place: "QA-DA",
  mqtt: "mqtt://10.0.0.5:1883",
  password: "secret",
  inputs: [{ type: "lines", listen: "tcp://127.0.0.1:7001" }],
  batch: { max_age_ms: 100 },
});

describe("what the platform says", () => {
  test("stands for whole keys of the gateway's own file, and the rest is the file's", () => {
    const merged = mergeRemote(own, {
      batch: { max_bytes: 8192 },
      sensors: [{ id: "tf-1", place: "الدوحة" }],
    });
    expect(merged).toMatchObject({
      ok: true,
      config: {
        gateway: "corniche-1",
        inputs: own.inputs,
        batch: { max_bytes: 8192, max_age_ms: 250 },
        sensors: [{ id: "tf-1", place: "QA-DA" }],
      },
    });
    expect(mergeRemote(own, null)).toEqual({ ok: true, config: own });
    expect(mergeRemote(own, {})).toEqual({ ok: true, config: own });
  });

  test.each([
    [{ mqtt: "mqtt://10.6.6.6:1883" }, /^mqtt: cannot be set by the platform; it can set inputs, /],
    [{ gateway: "other" }, /^gateway: /],
    [{ password: "x" }, /^password: /],
    [{ data: "/" }, /^data: /],
    [{ outbox: { max_live_bytes: 1 } }, /^outbox: /],
    [{ windows: 4 }, /^windows: /],
    [{ window: 0 }, /^window: /],
    [{ batch: { max_byte: 1 } }, /^batch: .*max_byte/],
    [{ inputs: [{ type: "lines", listen: "7001" }] }, /^inputs\[0\]\.listen: tcp:\/\/HOST:PORT/],
    [{ filters: [{ dead_band: { level: 1 } }] }, /^filters\[0\]\.max_silence_s: dead_band and max_silence_s/],
    [
      {
        inputs: [
          { type: "mqtt", connect: "mqtt://10.6.6.6:1883", username: "a", password_file: "/etc/shadow" },
        ],
      },
      /^inputs\[0\]\.password_file: passwords and files are the gateway's own/,
    ],
  ])("is refused whole when part of it cannot be, with key and reason: %j", (remote, problem) => {
    expect(remoteProblem(remote)).toMatch(problem);
    expect(mergeRemote(own, remote)).toMatchObject({ ok: false, problem: expect.stringMatching(problem) });
  });

  test("is refused when it contradicts what the file says", () => {
    const remote = { batch: { max_bytes: 4096 } };
    expect(remoteProblem(remote)).toBeUndefined();
    expect(mergeRemote(own, remote)).toMatchObject({
      ok: false,
      problem: "batch.max_bytes: must be at least twice the longest max_line_bytes",
    });
  });
});

async function openKeeper(folder: string, fails: (config: EdgeAgentConfig) => boolean = () => false) {
  const applied: EdgeAgentConfig[] = [];
  const reports: unknown[] = [];
  const keeper = new ConfigKeeper({
    folder,
    own,
    stored: await readStoredConfig(folder),
    apply: async (config) => {
      if (fails(config)) throw new Error("cannot listen on tcp 127.0.0.1:7002");
      applied.push(config);
    },
    onReport: () => reports.push(keeper.report),
    log: pino({ level: "silent" }),
  });
  return { keeper, applied, reports };
}
const revision = (digit: string): string => digit.repeat(12);

describe("a keeper of configurations", () => {
  test("applies each revision once, keeps it for the next start, and goes back to the file", async () => {
    using folder = tempFolder("keeper");
    const { keeper, applied, reports } = await openKeeper(folder.path);
    const message = { marsad: 1 as const, revision: revision("a"), config: { window: 4 } };
    await Promise.all([keeper.receive(message), keeper.receive(message)]);
    expect(applied.map(({ window }) => window)).toEqual([4]);
    expect(reports).toEqual([{ revision: revision("a"), result: "applied" }]);

    const next = await openKeeper(folder.path);
    expect(next.keeper.report).toEqual({ revision: revision("a"), result: "applied" });
    await next.keeper.receive(message);
    expect(next.applied).toEqual([]);
    await next.keeper.receive({ marsad: 1, revision: revision("0"), config: null });
    expect(next.applied).toEqual([own]);
    expect(await readStoredConfig(folder.path)).toBeUndefined();
  });

  test("changes nothing for what is wrong or cannot be opened, and says why", async () => {
    using folder = tempFolder("keeper");
    const { keeper, applied, reports } = await openKeeper(folder.path, ({ window }) => window === 5);
    await keeper.receive({ marsad: 1, revision: revision("a"), config: { window: 4 } });
    await keeper.receive({ marsad: 1, revision: revision("b"), config: { window: 5 } });
    await keeper.receive({ marsad: 1, revision: revision("c"), config: { window: 400 } });
    expect(applied).toHaveLength(1);
    expect(reports.slice(1)).toEqual([
      { revision: revision("b"), result: "refused", detail: "cannot listen on tcp 127.0.0.1:7002" },
      { revision: revision("c"), result: "refused", detail: expect.stringMatching(/^window: /) },
    ]);
    expect(await readStoredConfig(folder.path)).toEqual({ revision: revision("a"), config: { window: 4 } });
  });

  test("reads the gateway's own file again below what the platform said, and refuses what needs a start", async () => {
    using folder = tempFolder("keeper");
    const { keeper, applied } = await openKeeper(folder.path);
    await keeper.receive({ marsad: 1, revision: revision("a"), config: { window: 4 } });
    await keeper.reload({ ...own, window: 9, health_period_s: 5 });
    expect(applied.at(-1)).toMatchObject({ window: 4, health_period_s: 5 });
    await expect(keeper.reload({ ...own, mqtt: "mqtt://10.0.0.6:1883" })).rejects.toMatchObject({
      code: "CONFIG_INVALID",
      message: "mqtt: cannot change while the agent runs; start it again",
    });
    await keeper[Symbol.asyncDispose]();
    await keeper.receive({ marsad: 1, revision: revision("b"), config: { window: 5 } });
    expect(applied).toHaveLength(2);
  });

  test("finds a file that is none of ours unreadable", async () => {
    using folder = tempFolder("keeper");
    await writeFile(join(folder.path, "config.json"), '{"revision":1}');
    await expect(readStoredConfig(folder.path)).rejects.toThrow(/revision/);
    expect(await readFile(join(folder.path, "config.json"), "utf8")).toContain("revision");
  });
});
