import { spawn } from "node:child_process";
import { once } from "node:events";
import { symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openAedes } from "../../support/brokers.ts";
import { bundleEdgeAgent } from "../../support/edge-bundle.ts";
import { poll } from "../../support/poll.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { Received } from "./received.ts";
import { config, lines, openSensor } from "./support.ts";

/** The smallest program around the bundle: says where it listens, and ends when its parent is gone. */
const program = `
  import { EdgeAgentConfig, openEdgeAgent } from "./index.js";
  const log = { child: () => log, info() {}, warn() {}, error() {} };
  const ending = new AbortController();
  const settings = EdgeAgentConfig.parse(JSON.parse(process.argv[2]));
  const agent = await openEdgeAgent(settings, { signal: ending.signal, log });
  process.send(agent.inputs[0].address);
  process.once("disconnect", () => ending.abort());
`;

test("the bundle alone, beside lmdb, is a whole agent", async () => {
  using folder = tempFolder("edge");
  await bundleEdgeAgent(folder.path);
  await symlink(
    new URL("../../../node_modules", import.meta.url).pathname,
    join(folder.path, "node_modules"),
  );
  await writeFile(join(folder.path, "main.mjs"), program);
  await using broker = await openAedes();
  const received = new Received();
  broker.onMessage = received.take;
  const settings = config({ mqttPort: broker.port, data: join(folder.path, "data") });
  const child = spawn(process.execPath, [join(folder.path, "main.mjs"), JSON.stringify(settings)], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const [address] = (await once(child, "message")) as [string];
  using sensor = await openSensor(address);
  await sensor.send(lines(0, 1000));
  await poll(() => received.count === 1000);
  expect(received.lines()).toEqual(lines(0, 1000));
  child.disconnect();
  expect(await once(child, "exit")).toEqual([0, null]);
});
