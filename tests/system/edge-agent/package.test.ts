import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, symlinkSync } from "node:fs";
import { mkdir, open, readFile, readdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { EdgeAgentConfig } from "#edge-agent/index.ts";
import { buildPackage } from "../../../deploy/edge/package.ts";
import { type Arch, MissingPart } from "../../../deploy/edge/parts.ts";
import packageJson from "../../../package.json" with { type: "json" };
import { startLines } from "../../support/line-load.ts";
import { admitGateway, dataFolder, startPlatform } from "../../support/platform.ts";
import { poll } from "../../support/poll.ts";
import { SteadyReadings } from "../../support/steady-readings.ts";
import { tempFolder } from "../../support/temp-folder.ts";

const run = promisify(execFile);
const MiB = 1024 * 1024;
const linesPerSecond = 5000;
/** In the ELF header: e_machine. */
const machines = { x64: 62, arm64: 183 } as const;

const resources = new AsyncDisposableStack();
let folder: string;
beforeAll(() => {
  folder = resources.use(tempFolder("package")).path;
});
afterAll(() => resources.disposeAsync());

const unpacked = new Map<Arch, Promise<string>>();

/** The package, built and unpacked in an empty folder; once for all tests. */
function unpack(arch: Arch): Promise<string> {
  let answer = unpacked.get(arch);
  if (answer === undefined) unpacked.set(arch, (answer = make(arch)));
  return answer;
}

async function make(arch: Arch): Promise<string> {
  const to = join(folder, arch);
  await mkdir(to);
  // What it weighs is measured below; compressing Node well takes long.
  const tarball = await buildPackage({ arch, outdir: folder, level: 1 });
  await run("tar", ["-xzf", tarball, "-C", to]);
  return join(to, `marsad-edge-${packageJson.version}`);
}

async function filesOf(root: string): Promise<string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

/** e_machine of every program and library in the folder, by path. */
async function machinesIn(root: string): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  for (const path of await filesOf(root)) {
    await using file = await open(path);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(20), 0, 20, 0);
    if (bytesRead === 20 && buffer.readUInt32BE(0) === 0x7f_45_4c_46)
      found.set(path.slice(root.length + 1), buffer.readUInt16LE(18));
  }
  return found;
}

describe.each(["x64", "arm64"] as const)("the package for %s", (arch) => {
  test("has Node, lmdb and serialport for that machine and for no other, their licences, and nothing of the platform", async (context) => {
    const root = await unpack(arch).catch((error: unknown) => {
      if (error instanceof MissingPart) return error;
      throw error;
    });
    if (root instanceof MissingPart) {
      context.skip(root.message);
      return;
    }
    const binaries = await machinesIn(root);
    expect(
      Array.from(binaries.keys(), (path) =>
        path
          .split("/")
          .at(-1)!
          .replace(/armv8\./, ""),
      ).sort(),
    ).toEqual(["@serialport+bindings-cpp.glibc.node", "node", "node.napi.glibc.node"]);
    expect(new Set(binaries.values())).toEqual(new Set([machines[arch]]));

    const files = (await filesOf(root)).map((path) => path.slice(root.length + 1));
    expect(files.filter((file) => /duckdb|fastify|aedes|argon2/i.test(file))).toEqual([]);
    const program = await readFile(join(root, "lib", "marsad-edge.mjs"), "utf8");
    expect(program).not.toMatch(/@duckdb|fastify|CREATE TABLE/);
    expect(files).toEqual(
      expect.arrayContaining([
        "LICENSE",
        "README.md",
        "licenses/node",
        "licenses/mqtt",
        "licenses/zod",
        "lib/node_modules/lmdb/LICENSE",
      ]),
    );
    let weight = 0;
    for (const file of files.filter((file) => file !== "bin/node"))
      weight += gzipSync(await readFile(join(root, file))).length;
    expect(weight).toBeLessThan(40 * MiB);
  });
});

describe("the package for this machine", () => {
  const here = process.arch === "x64" || process.arch === "arm64" ? process.arch : undefined;
  const unfit = here === undefined || process.platform !== "linux";

  test.skipIf(unfit)(
    "says its version, and refuses a wrong call, without a Node on the machine",
    async () => {
      const marsad = join(await unpack(here!), "bin", "marsad-edge");
      const { stdout } = await run(marsad, ["--version"], { env: { PATH: barePath() } });
      expect(stdout.trim()).toBe(packageJson.version);
      await expect(run(marsad, ["run"], { env: { PATH: barePath() } })).rejects.toMatchObject({
        code: 2,
        stderr: expect.stringContaining("--config"),
      });
      // Native code loads: lmdb at each start, serialport when a line is opened, which this machine does not have.
      const config = join(folder, "serial.yaml");
      const device = { unit: 3, sensor: "wf-1", map: "acme" };
      await writeFile(
        config,
        stringify({
          agency: "water",
          gateway: "pumps-1",
          place: "QA-DA",
          mqtt: "mqtt://127.0.0.1:1",
          password: "none",
          inputs: [{ type: "modbus", connect: "rtu:///dev/marsad-none", devices: [device] }],
          register_maps: {
            acme: { measurement: "water_flow", fields: { flow: { register: 1, type: "f32", unit: "L/s" } } },
          },
        }),
      );
      const checked = await run(marsad, ["check", "--config", config], { env: { PATH: barePath() } }).catch(
        (error: { stdout: string; stderr: string }) => error,
      );
      expect(`${checked.stdout}${checked.stderr}`).toMatch(
        /No such file or directory.*marsad-none|marsad-none.*No such file or directory/s,
      );
    },
  );

  test.skipIf(unfit)(
    `is an agent: ${linesPerSecond} lines/s reach a platform within 100 MiB of memory`,
    async () => {
      const marsad = join(await unpack(here!), "bin", "marsad-edge");
      const identity = { name: "corniche-1", agency: "mobility" };
      const password = await admitGateway(dataFolder(folder), identity);
      const readings = new SteadyReadings(identity.name, Date.now() - 3_600_000);
      await using platform = await startPlatform({ folder });
      const config = join(folder, "gateway.yaml");
      const settings = {
        agency: identity.agency,
        gateway: identity.name,
        place: "QA-DA",
        mqtt: `mqtt://127.0.0.1:${platform.mqttPort}`,
        password,
        data: join(folder, "outboxes"),
        inputs: [{ type: "lines", listen: "tcp://127.0.0.1:0" }],
        sensors: readings.sensors.map((id) => ({ id, place: "QA-DA" })),
        health_period_s: 86_400,
      };
      await writeFile(config, stringify(settings));
      const ready = join(folder, "edge.ready.json");
      const log = openSync(join(folder, "edge.log"), "a");
      const begun = performance.now();
      const agent = spawn(marsad, ["--config", config, "--ready-file", ready], {
        env: { PATH: barePath() },
        cwd: folder,
        stdio: ["ignore", log, log],
      });
      closeSync(log);
      const ended = once(agent, "exit");
      try {
        await poll(
          () => {
            if (agent.exitCode !== null) throw new Error(readFileSync(join(folder, "edge.log"), "utf8"));
            return existsSync(ready);
          },
          { interval: 5 },
        );
        const start_ms = performance.now() - begun;
        const { agents } = JSON.parse(await readFile(ready, "utf8")) as {
          agents: { inputs: { address: string }[] }[];
        };
        const idle = memoryOf(agent.pid!).now;
        const lines = startLines({
          readings,
          rate: linesPerSecond,
          input: () => agents[0]!.inputs[0]!.address,
        });
        await sleep(3000);
        await lines[Symbol.asyncDispose]();
        const account = await platform.settled(identity.name, ({ sent }) => sent >= lines.written);
        const { most } = memoryOf(agent.pid!);
        console.info(
          `marsad-edge: ready in ${Math.round(start_ms)} ms, ${idle} MiB idle, ${most} MiB at most after ${lines.written} lines`,
        );
        expect(account).toMatchObject({
          stored: lines.written,
          refused: 0,
          duplicate: 0,
          on_its_way: { missing: 0 },
        });
        expect(lines.written).toBeGreaterThan(2 * linesPerSecond);
        expect(most).toBeLessThanOrEqual(100);
      } finally {
        agent.kill("SIGTERM");
        expect(await ended).toEqual([0, null]);
      }
    },
  );

  test.skipIf(unfit)(
    "has a service that systemd understands, an installer that is a shell script, and a sample that the agent takes",
    async () => {
      const root = await unpack(here!);
      const sample = await readFile(join(root, "gateway.yaml"), "utf8");
      expect(EdgeAgentConfig.parse(parse(sample))).toMatchObject({ gateway: "corniche-1" });
      for (const script of ["install.sh", "bin/marsad-edge"]) {
        await run("sh", ["-n", join(root, script)]);
        expect((await stat(join(root, script))).mode & 0o111).toBe(0o111);
      }
      const unit = await readFile(join(root, "marsad-edge.service"), "utf8");
      expect(unit).toContain("ExecStart=/opt/marsad-edge/bin/marsad-edge --config /etc/marsad/gateway.yaml");
      const own = join(folder, "marsad-edge.service");
      await writeFile(own, unit.replaceAll("/opt/marsad-edge", root));
      const verified = await run("systemd-analyze", ["verify", own]).catch((error: NodeJS.ErrnoException) => {
        if (error.code === "ENOENT") return { stderr: "" }; // a machine without systemd
        throw error;
      });
      expect(verified.stderr).toBe("");
    },
  );
});

/** Of a process, in MiB: resident now, and at most so far. */
function memoryOf(pid: number): { now: number; most: number } {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const of = (name: string): number =>
    Math.round(Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1]) / 1024);
  return { now: of("VmRSS"), most: of("VmHWM") };
}

/** What the start script needs, and no Node. */
function barePath(): string {
  const path = join(folder, "bare");
  if (existsSync(path)) return path;
  mkdirSync(path);
  for (const tool of ["dirname", "readlink"]) {
    const real = ["/usr/bin", "/bin"].map((bin) => join(bin, tool)).find((file) => existsSync(file));
    if (real !== undefined) symlinkSync(real, join(path, tool));
  }
  return path;
}
