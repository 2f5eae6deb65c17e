import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe, expect, test } from "vitest";
import { connectGateway } from "../../support/mqtt-gateway.ts";
import { admitGateway, dataFolder, startPlatform } from "../../support/platform.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { runMarsad } from "../cli/run-marsad.ts";
import { flowLine } from "./support.ts";

const anywhere = ["--mqtt", "127.0.0.1:0", "--http", "127.0.0.1:0"];
const identity = { name: "corniche-1", agency: "mobility" };

describe.concurrent("wrong configuration refuses to start, says the key, and ends with exit code 2", () => {
  test.each<[string, string, RegExp]>([
    [
      "an unknown key",
      "mqtt: 127.0.0.1:0\nmax_aeg_days: 400\n",
      /platform\.yaml:2: max_aeg_days: there is no such key/,
    ],
    ["a value of the wrong kind", "batch_readings: many\n", /platform\.yaml:1: batch_readings/],
    ["no YAML", "mqtt: [127.0.0.1\n", /platform\.yaml/],
    ["a list", "- mqtt\n", /platform\.yaml.* keys/],
    [
      "a listener that anybody could reach",
      "mqtt: 0.0.0.0:1883\n",
      /0\.0\.0\.0 can be reached from other machines/,
    ],
  ])("platform: a file with %s", async (_what, yaml, says) => {
    using folder = tempFolder("start");
    const file = join(folder.path, "platform.yaml");
    await writeFile(file, yaml);
    const args = ["platform", "--data", dataFolder(folder.path), "--http", "127.0.0.1:0", "--config", file];
    const { code, stderr } = await runMarsad(args);
    expect(stderr).toMatch(says);
    expect(code).toBe(2);
  });

  test("platform: a flag that does not exist", async () => {
    const { code, stderr } = await runMarsad(["platform", "--max-aeg-days", "400"]);
    expect(stderr).toMatch(/--max-aeg-days/);
    expect(code).toBe(2);
  });

  test("platform: an environment variable with no number", async () => {
    using folder = tempFolder("start");
    const { code, stderr } = await runMarsad(["platform", "--data", dataFolder(folder.path), ...anywhere], {
      MARSAD_MAX_AGE_DAYS: "long",
    });
    expect(stderr).toMatch(/MARSAD_MAX_AGE_DAYS/);
    expect(code).toBe(2);
  });

  test("platform: a catalogue file with an unknown key", async () => {
    using folder = tempFolder("start");
    const catalogue = join(dataFolder(folder.path), "catalogue.d");
    await mkdir(catalogue, { recursive: true });
    await writeFile(join(catalogue, "parking.yaml"), "measurements: []\nmeasurments: []\n");
    const { code, stderr } = await runMarsad(["platform", "--data", dataFolder(folder.path), ...anywhere]);
    expect(stderr).toMatch(/parking\.yaml.*measurments/);
    expect(code).toBe(2);
  });

  test("edge: an unknown key", async () => {
    using folder = tempFolder("start");
    const file = join(folder.path, "agent.yaml");
    await writeFile(file, "agency: mobility\ngateway: corniche-1\npasword: x\n");
    const { code, stderr } = await runMarsad(["edge", "--config", file, "--data", folder.path]);
    expect(stderr).toMatch(/agent\.yaml:3: pasword: there is no such key/);
    expect(code).toBe(2);
  });
});

describe("a folder that is in use", () => {
  test("a store file locked by another process: the start says whose, and nothing is lost", async () => {
    using folder = tempFolder("start");
    const data = dataFolder(folder.path);
    const password = await admitGateway(data, identity);
    const now = Date.now();
    {
      await using platform = await startPlatform({ folder: folder.path });
      await using gateway = await connectGateway({ identity, password, port: platform.mqttPort });
      await gateway.birth(["tf-1"]);
      await gateway.send(flowLine("tf-1", 11, now - 1000));
      await gateway.send(flowLine("tf-1", 12, now));
      // At once: what is acknowledged may still be in the journal alone.
      await platform.end("SIGKILL");
    }
    {
      await using holder = await holdOpen(join(data, "store", "marsad.duckdb"));
      const { code, stderr } = await runMarsad(["platform", "--data", data, ...anywhere]);
      expect(stderr).toMatch(new RegExp(`marsad\\.duckdb is open in process ${holder.pid}; stop that first`));
      expect(code).toBe(1);
    }
    await using platform = await startPlatform({ folder: folder.path });
    expect(await platform.settled(identity.name)).toMatchObject({ sent: 2, stored: 2, refused: 0 });
    expect((await platform.readings("traffic_flow", "tf-1")).map(({ vehicles }) => vehicles)).toEqual([
      11, 12,
    ]);
  });

  test("a second platform on the same folder is told which process has it", async () => {
    using folder = tempFolder("start");
    await using platform = await startPlatform({ folder: folder.path });
    const { code, stderr } = await runMarsad(["platform", "--data", platform.data, ...anywhere]);
    expect(stderr).toMatch(new RegExp(`is used by process ${platform.pid}`));
    expect(code).toBe(1);
    expect(await platform.health()).toMatchObject({ ready: true });
  });
});

/** A process of its own that has the database file open until disposed. */
async function holdOpen(file: string): Promise<AsyncDisposable & { readonly pid: number }> {
  const script = `
    const { DuckDBInstance } = await import("@duckdb/node-api");
    globalThis.instance = await DuckDBInstance.create(process.argv[1]);
    console.log("open");
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", script, file], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  await Promise.race([
    once(createInterface(child.stdout), "line"),
    exited.then(() => Promise.reject(new Error("the holder ended"))),
  ]);
  return {
    pid: child.pid ?? 0,
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGKILL");
      await exited;
    },
  };
}
