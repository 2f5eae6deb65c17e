import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { stringify } from "yaml";
import { openOutboxFile } from "#edge-agent/outbox-file.ts";
import { openAedes } from "../../support/brokers.ts";
import { poll } from "../../support/poll.ts";
import { type Program, startProgram } from "../../support/program.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { Received } from "./received.ts";
import { lines, openSensor } from "./support.ts";

interface Ready {
  readonly agents: readonly {
    readonly gateway: string;
    readonly inputs: readonly { type: string; address: string }[];
  }[];
}

async function writeConfig(
  folder: string,
  gateway: string,
  mqttPort: number,
  more: object = {},
): Promise<string> {
  const file = join(folder, `${gateway}.yaml`);
  const settings = {
    agency: "mobility",
    gateway,
    place: "QA-DA",
    mqtt: `mqtt://127.0.0.1:${mqttPort}`,
    password: "secret",
    inputs: [{ type: "lines", listen: "tcp://127.0.0.1:0" }],
    batch: { max_bytes: 8192, max_age_ms: 20 },
    reconnect: { min_ms: 20, max_ms: 200 },
    ...more,
  };
  await writeFile(file, stringify(settings));
  return file;
}

function startEdge(folder: string, configs: readonly string[], name = "edge"): Promise<Program<Ready>> {
  const args = ["edge", ...configs.flatMap((file) => ["--config", file]), "--data", join(folder, "data")];
  return startProgram<Ready>({ args, folder, name });
}

/** The number that the next reading gets, as the disk has it while no agent runs. */
function nextNumberOnDisk(folder: string): number {
  const path = join(folder, "data", "corniche-1", "outbox");
  using outbox = openOutboxFile({ path, maxLiveBytes: 2 ** 30, maxFileBytes: 2 ** 30 });
  return outbox.state.nextNumber;
}

test("what the outbox has survives kill -9 while readings come and go, and no number is given twice", async () => {
  using folder = tempFolder("edge");
  await using broker = await openAedes();
  const received = new Received();
  broker.onMessage = received.take;
  const config = await writeConfig(folder.path, "corniche-1", broker.port);
  let next = 0;
  for (let round = 0; round < 4; round += 1) {
    await using edge = await startEdge(folder.path, [config]);
    using sensor = await openSensor(edge.ready.agents[0]!.inputs[0]!.address);
    const away = round === 2; // a kill with a backlog, too
    if (away) await broker.stop();
    const before = received.count;
    const until = performance.now() + 700;
    for (; performance.now() < until || received.count === before; next += 200) {
      if (away && performance.now() > until) break;
      await sensor.send(lines(next, next + 200));
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await edge.end("SIGKILL");
    if (away) await broker.start();
  }
  const committed = nextNumberOnDisk(folder.path);
  await using _edge = await startEdge(folder.path, [config]);
  await poll(() => received.count === committed);
  expect(received.contradictions).toEqual([]);
  expect(received.contiguous).toBe(true);
  expect(received.outboxes).toBe(1);
  const arrived = received.lines();
  const sent = new Map(lines(0, next).map((line, index) => [line, index]));
  const indices = arrived.map((line) => sent.get(line) ?? -1);
  expect(indices).toEqual(indices.toSorted((one, other) => one - other));
  expect(indices[0]).toBe(0);
  expect(new Set(indices).size).toBe(committed);
});

test("one process runs the agents of several gateways, tells its parent their counts, and ends in order", async () => {
  using folder = tempFolder("edge");
  await using broker = await openAedes();
  const received = new Received();
  broker.onMessage = received.take;
  const configs = [
    await writeConfig(folder.path, "corniche-1", broker.port),
    await writeConfig(folder.path, "corniche-2", 1),
  ];
  await using edge = await startEdge(folder.path, configs);
  expect(edge.ready.agents.map(({ gateway }) => gateway)).toEqual(["corniche-1", "corniche-2"]);
  for (const { inputs } of edge.ready.agents) {
    using sensor = await openSensor(inputs[0]!.address);
    await sensor.send(lines(0, 1000));
    await sensor.end();
  }
  await poll(() => received.count === 1000);
  expect(await edge.end("SIGTERM")).toBe(0);
  expect(nextNumberOnDisk(folder.path)).toBe(1000);
  expect(edge.log()).not.toContain('"level":50');
});

test("a parent is told the agents' counts, and takes its programs with it", async () => {
  using folder = tempFolder("edge");
  const config = await writeConfig(folder.path, "corniche-1", 1);
  const entry = new URL("../../../marsad.ts", import.meta.url).pathname;
  const child = spawn(process.execPath, [entry, "edge", "--config", config, "--data", folder.path], {
    stdio: ["ignore", "ignore", "ignore", "ipc"],
  });
  const [told] = (await once(child, "message")) as [unknown];
  expect(told).toMatchObject({
    agents: [{ gateway: "corniche-1", received: 0, backlog: 0, connected: false }],
  });
  child.disconnect();
  const [code] = (await once(child, "exit")) as [number];
  expect(code).toBe(0);
});

test.each([
  { wrong: { windows: 8 }, says: "windows" },
  { wrong: { inputs: [{ type: "lines", listen: "7001" }] }, says: "tcp://HOST:PORT" },
  { wrong: { batch: { max_bytes: 1024 } }, says: "batch.max_bytes" },
  { wrong: { place: "Atlantis" }, says: "Atlantis" },
  { wrong: { password_file: "/nowhere" }, says: "password_file" },
])("a wrong configuration ends with code 2 and names what is wrong: $says", async ({ wrong, says }) => {
  using folder = tempFolder("edge");
  const config = await writeConfig(folder.path, "corniche-1", 1, wrong);
  const entry = new URL("../../../marsad.ts", import.meta.url).pathname;
  const child = spawn(process.execPath, [entry, "edge", "--config", config, "--data", folder.path], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  let errors = "";
  child.stderr.on("data", (text: Buffer) => (errors += text.toString()));
  const [code] = (await once(child, "close")) as [number];
  expect(code).toBe(2);
  expect(errors).toContain(says);
});
