import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { gatewayConfig, setGatewayConfig } from "#broker/gateway-config.ts";
import { configJson } from "#cli/gateway-config.ts";
import { openRecordStore } from "#runtime/record-store.ts";
import { type Edge, edgeData, startEdge } from "../../support/edge.ts";
import { type Platform, admitGateway, startPlatform } from "../../support/platform.ts";
import { poll } from "../../support/poll.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { runMarsad } from "../cli/run-marsad.ts";
import { openSensor } from "./support.ts";

let platform: Platform;
const resources = new AsyncDisposableStack();
let gateways = 0;
const agency = "water";

beforeAll(async () => {
  const folder = resources.use(tempFolder("remote"));
  platform = resources.use(await startPlatform({ folder: folder.path }));
});
afterAll(() => resources.disposeAsync());

/** A gateway of the test's own, whose agent listens on one port. */
interface Gateway {
  readonly name: string;
  start(): Promise<Edge>;
  /** `marsad gateway config NAME …`; must succeed. */
  config(...args: string[]): Promise<string>;
  /** Keeps `settings` for it, as that command does. @returns their revision. */
  give(settings: object): Promise<string>;
  /** As `marsad gateway list --json` shows it. */
  listed(): Promise<{ revision: string | null; state: string; detail?: string } | null>;
  /** Waits until the list shows `state`. */
  becomes(state: "applied" | "refused"): Promise<{ revision: string | null; detail?: string }>;
  /** The address of its only input, by what its log says last. */
  input(edge: Edge): string;
}

async function newGateway(folder: string): Promise<Gateway> {
  const name = `pumps-${(gateways += 1)}`;
  const password = await admitGateway(platform.data, { name, agency });
  const data = ["--data", platform.data];
  const marsad = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await runMarsad([...args, ...data]);
    if (code !== 0) throw new Error(`marsad ${args.join(" ")}: ${code}\n${stderr}`);
    return stdout;
  };
  const config: Gateway["config"] = (...args) => marsad("gateway", "config", name, ...args);
  const listed: Gateway["listed"] = async () => {
    await using records = await openRecordStore(join(platform.data, "identities"));
    return configJson(gatewayConfig(records, name)) as Awaited<ReturnType<Gateway["listed"]>>;
  };
  return {
    name,
    start: () =>
      startEdge({
        folder,
        gateway: name,
        agency,
        password,
        mqttPort: platform.mqttPort,
        sensors: [`${name}.wt`],
      }),
    config,
    async give(settings) {
      await using records = await openRecordStore(join(platform.data, "identities"));
      return setGatewayConfig(records, name, settings as Record<string, unknown>);
    },
    listed,
    becomes: (state) =>
      poll(async () => {
        const shown = await listed();
        return shown?.state === state ? shown : undefined;
      }),
    input: (edge) => [...edge.log().matchAll(/"address":"([^"]+)"/g)].at(-1)![1]!,
  };
}

/** Sends water levels through an agent's input. */
async function sendLevels(
  { name }: Gateway,
  input: string,
  levels: readonly number[],
  from: number,
): Promise<void> {
  using sensor = await openSensor(input);
  await sensor.send(
    levels.map((level, index) => `water_tank,sensor=${name}.wt level=${level} ${from + 1000 * index}`),
  );
  await sensor.end();
}

test.concurrent("a configuration reaches the running agent, holds over its file without a restart, survives one, and goes again", async () => {
  using folder = tempFolder("remote");
  const gateway = await newGateway(folder.path);
  const now = Date.now() - 60_000;
  {
    await using edge = await gateway.start();
    expect(await gateway.listed()).toBeNull();
    const file = join(folder.path, "remote.yaml");
    const filters = [{ measurement: "water_tank", dead_band: { level: 0.1 }, max_silence_s: 300 }];
    await writeFile(file, stringify({ filters, batch: { max_age_ms: 20 } }));
    const { revision } = JSON.parse(await gateway.config("--file", file, "--json")) as { revision: string };
    expect(await gateway.becomes("applied")).toMatchObject({ revision });
    expect(await gateway.config("--show")).toContain("max_silence_s: 300");
    const { stdout } = await runMarsad(["gateway", "list", "--data", platform.data]);
    expect(stdout).toMatch(new RegExp(`^${gateway.name} +water +.+ ${revision}$`, "m"));
    // The same connection: the input was not touched.
    await sendLevels(gateway, edge.input, [2, 2.01, 2.02, 3], now);
    await platform.settled(gateway.name, ({ stored }) => stored === 3);

    // Again the same: nothing happens.
    await gateway.give({
      batch: { max_age_ms: 20 },
      filters: [{ dead_band: { level: 0.1 }, measurement: "water_tank", max_silence_s: 300 }],
    });
    expect(await gateway.listed()).toMatchObject({ revision, state: "applied" });
    expect(edge.log().match(/configuration is applied/g)).toHaveLength(1);
    const kept = await readFile(join(edgeData(folder.path), gateway.name, "config.json"), "utf8");
    expect(JSON.parse(kept)).toMatchObject({ revision });
    expect(await edge.end("SIGTERM")).toBe(0);
  }
  await using edge = await gateway.start();
  await sendLevels(gateway, edge.input, [2, 2.01, 2.02, 3], now + 10_000);
  await platform.settled(gateway.name, ({ stored }) => stored === 6);
  expect(edge.log().match(/configuration is applied/g)).toHaveLength(1);

  await gateway.config("--clear");
  await poll(async () => (await gateway.listed())?.revision === null || undefined);
  await gateway.becomes("applied");
  await sendLevels(gateway, edge.input, [2, 2.01, 2.02, 3], now + 20_000);
  const ledger = await platform.settled(gateway.name, ({ stored }) => stored === 10);
  expect(ledger).toMatchObject({ sent: 10, refused: 0, missing: [], balanced: true });
});

test.concurrent("a configuration with new sensors makes a birth, so that their readings need not wait", async () => {
  using folder = tempFolder("remote");
  const gateway = await newGateway(folder.path);
  await using edge = await gateway.start();
  await gateway.give({ sensors: [{ id: `${gateway.name}.wt-9`, place: "Al Dafna" }] });
  await gateway.becomes("applied");
  using sensor = await openSensor(edge.input);
  await sensor.send([`water_tank,sensor=${gateway.name}.wt-9 level=2 ${Date.now()}`]);
  expect(await platform.settled(gateway.name, ({ stored }) => stored === 1)).toMatchObject({
    on_its_way: { waiting: 0 },
  });
});

test.concurrent("a configuration that cannot be is refused whole, with its reason, and the former one holds", async () => {
  using folder = tempFolder("remote");
  const gateway = await newGateway(folder.path);
  await using edge = await gateway.start();
  const wrong = join(folder.path, "wrong.yaml");
  await writeFile(wrong, stringify({ mqtt: "mqtt://10.6.6.6:1883" }));
  const { code, stderr } = await runMarsad([
    "gateway",
    "config",
    gateway.name,
    "--file",
    wrong,
    "--data",
    platform.data,
  ]);
  expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining("mqtt: cannot be set") });
  expect(await gateway.listed()).toBeNull();

  // Right by itself, wrong with what the gateway's own file says: only the agent can tell.
  const revision = await gateway.give({ batch: { max_bytes: 4096 }, sensors: [] });
  expect(await gateway.becomes("refused")).toMatchObject({
    revision,
    detail: "batch.max_bytes: must be at least twice the longest max_line_bytes",
  });
  await sendLevels(gateway, edge.input, [2], Date.now());
  await platform.settled(gateway.name, ({ stored }) => stored === 1);
});

test.concurrent("inputs whose port is taken are rolled back, and those that stay are not touched", async () => {
  using folder = tempFolder("remote");
  const gateway = await newGateway(folder.path);
  await using edge = await gateway.start();
  const taken = createServer().listen(0, "127.0.0.1");
  await once(taken, "listening");
  const { port } = taken.address() as AddressInfo;
  await using _closing = { [Symbol.asyncDispose]: async () => void taken.close() };
  using sensor = await openSensor(edge.input);
  const lines = { type: "lines", listen: "tcp://127.0.0.1:0" };

  await gateway.give({ inputs: [lines, { type: "lines", listen: `tcp://127.0.0.1:${port}` }] });
  expect(await gateway.becomes("refused")).toMatchObject({
    detail: expect.stringContaining("cannot listen"),
  });
  await gateway.give({ inputs: [lines, { ...lines, max_line_bytes: 1024 }] });
  await gateway.becomes("applied");
  // Through it all the first input kept its sensor.
  await sensor.send([`water_tank,sensor=${gateway.name}.wt level=2 ${Date.now()}`]);
  await sendLevels(gateway, gateway.input(edge), [3], Date.now() + 1);
  await platform.settled(gateway.name, ({ stored }) => stored === 2);
});

test.concurrent("stored settings whose port is taken at the next start give way to the gateway's own file", async () => {
  using folder = tempFolder("remote");
  const gateway = await newGateway(folder.path);
  const taken = createServer().listen(0, "127.0.0.1");
  await once(taken, "listening");
  const { port } = taken.address() as AddressInfo;
  await using _closing = { [Symbol.asyncDispose]: async () => void taken.close() };
  const closed = once(taken, "close");
  taken.close();
  await closed;
  {
    await using edge = await gateway.start();
    await gateway.give({ inputs: [{ type: "lines", listen: `tcp://127.0.0.1:${port}` }] });
    await gateway.becomes("applied");
    expect(await edge.end("SIGTERM")).toBe(0);
  }
  const again = createServer().listen(port, "127.0.0.1");
  await once(again, "listening");
  await using edge = await gateway.start();
  await sendLevels(gateway, edge.input, [2], Date.now());
  await platform.settled(gateway.name, ({ stored }) => stored === 1);
  expect(await gateway.becomes("refused")).toMatchObject({
    detail: expect.stringContaining("cannot listen"),
  });
  again.close();
});

test.concurrent("SIGHUP makes the agent read its own file again; what needs a start is refused and named", async () => {
  using folder = tempFolder("remote");
  const gateway = await newGateway(folder.path);
  await using edge = await gateway.start();
  const file = join(folder.path, `${gateway.name}.yaml`);
  const settings = parse(await readFile(file, "utf8")) as object;
  const reload = async (changes: object, says: string): Promise<void> => {
    await writeFile(file, stringify({ ...settings, ...changes }));
    process.kill(edge.pid, "SIGHUP");
    await poll(() => edge.log().includes(says) || undefined);
  };
  await reload({ filters: [{ duplicates: true }] }, "configuration was read again");
  await reload({ mqtt: "mqtt://127.0.0.1:1" }, "mqtt: cannot change while the agent runs");
  await reload({ windows: 3 }, "there is no such key; did you mean window");
  const at = Date.now();
  for (let repeat = 0; repeat < 3; repeat += 1) await sendLevels(gateway, edge.input, [2], at);
  await sendLevels(gateway, edge.input, [3], at + 1);
  expect(await platform.settled(gateway.name, ({ stored }) => stored === 2)).toMatchObject({ sent: 2 });
});

test.concurrent("a platform that starts again sends configurations that were given meanwhile", async () => {
  using folder = tempFolder("remote");
  const data = tempFolder("remote-platform");
  using _data = data;
  const identity = { name: "pumps-far", agency };
  const first = await startPlatform({ folder: data.path });
  const password = await admitGateway(first.data, identity);
  await using edge = await startEdge({
    folder: folder.path,
    gateway: identity.name,
    agency,
    password,
    mqttPort: first.mqttPort,
    sensors: [],
  });
  await poll(() => edge.log().includes("Connected") || undefined);
  expect(await first.end("SIGTERM")).toBe(0);
  const file = join(folder.path, "remote.yaml");
  await writeFile(file, stringify({ window: 3 }));
  await runMarsad(["gateway", "config", identity.name, "--file", file, "--data", first.data]);
  await using _again = await startPlatform({
    folder: data.path,
    args: ["--mqtt", `127.0.0.1:${first.mqttPort}`],
  });
  await poll(() => edge.log().includes("configuration is applied") || undefined);
});
