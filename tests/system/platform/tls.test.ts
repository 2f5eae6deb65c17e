import { execFile } from "node:child_process";
import { once } from "node:events";
import { appendFile, copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { Agent, get } from "node:https";
import { connect as connectTcp } from "node:net";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { text } from "node:stream/consumers";
import { promisify } from "node:util";
import { afterAll, describe, expect, test } from "vitest";
import { type Certificate, makeAuthority } from "../../support/certificates.ts";
import { startEdge } from "../../support/edge.ts";
import { connectGateway } from "../../support/mqtt-gateway.ts";
import { addPerson, admitGateway, dataFolder, type Platform } from "../../support/platform.ts";
import { poll } from "../../support/poll.ts";
import { type Program, startProgram } from "../../support/program.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { runMarsad } from "../cli/run-marsad.ts";
import { flowLine } from "./support.ts";

const shared = tempFolder("tls");
afterAll(() => shared[Symbol.dispose]());
const authority = await makeAuthority(shared.path);
const { ca } = authority;
const first = await authority.issue("first");
const second = await authority.issue("second");
const expired = await authority.issue("expired", { isExpired: true });
const identity = { name: "corniche-1", agency: "mobility" };

interface TlsPlatform extends Program<Platform["ready"]> {
  readonly data: string;
  readonly mqttPort: number;
  readonly httpPort: number;
  /** Puts these files where the platform reads its own. */
  install(files: Certificate): Promise<void>;
  /** Sends SIGHUP and waits until the log says so. */
  reload(said: RegExp): Promise<void>;
  account(): Promise<{ stored: number; refused: number; balanced: boolean }>;
}

/** A platform with TLS on free ports. */
async function startTlsPlatform(
  folder: string,
  { certificate = first, args = [] }: { certificate?: Certificate; args?: string[] } = {},
): Promise<TlsPlatform> {
  const files = { cert: join(folder, "platform.pem"), key: join(folder, "platform.key") };
  const install = async ({ cert, key }: Certificate): Promise<void> => {
    await copyFile(cert, files.cert);
    await copyFile(key, files.key);
  };
  await install(certificate);
  const data = dataFolder(folder);
  const program = await startProgram<Platform["ready"]>({
    args: [
      "platform",
      "--data",
      data,
      "--mqtt",
      "127.0.0.1:0",
      "--http",
      "127.0.0.1:0",
      "--tls-cert",
      files.cert,
      "--tls-key",
      files.key,
      ...args,
    ],
    folder,
    name: "platform",
  });
  const httpPort = Number(new URL(program.ready.http).port);
  return {
    ...program,
    data,
    mqttPort: Number(program.ready.mqtt.split(":").at(-1)),
    httpPort,
    install,
    async reload(said) {
      const before = program.log().length;
      process.kill(program.pid, "SIGHUP");
      await poll(() => said.test(program.log().slice(before)));
    },
    account: async () => {
      const body = await text((await ask(httpPort, `/api/v1/gateways/${identity.name}`)).response);
      return JSON.parse(body) as { stored: number; refused: number; balanced: boolean };
    },
  };
}

/** GET over HTTPS, and the connection that it came over. */
async function ask(
  port: number,
  path: string,
  options: { agent?: Agent; host?: string; auth?: string | undefined } = {},
) {
  const request = get({ port, host: "127.0.0.1", path, ca, ...options });
  const [response] = (await once(request, "response")) as [IncomingMessage];
  return { request, response, socket: response.socket as TLSSocket };
}

/** The name in the certificate that a new connection is shown. */
async function shown(port: number): Promise<string> {
  const socket = connectTls({ port, host: "127.0.0.1", ca });
  await once(socket, "secureConnect");
  const { subject } = socket.getPeerCertificate();
  socket.destroy();
  return String(subject.CN);
}

test("at SIGHUP a new certificate is shown to new connections; a session with readings in flight and a kept HTTP connection live on", async () => {
  using folder = tempFolder("tls");
  await using platform = await startTlsPlatform(folder.path);
  expect(platform.ready.http).toMatch(/^https:/);
  const password = await admitGateway(platform.data, identity);
  await using gateway = await connectGateway({
    identity,
    password,
    port: platform.mqttPort,
    client: { protocol: "mqtts", ca },
  });
  let ended = false;
  gateway.client.on("close", () => (ended = true));
  await gateway.birth(["tf-1"]);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const before = await ask(platform.httpPort, "/readyz", { agent });
  before.response.resume();
  expect([await shown(platform.mqttPort), await shown(platform.httpPort)]).toEqual(["first", "first"]);

  // Readings without a pause, from before the reload until after it.
  const sent: Promise<void>[] = [];
  const start = Date.now();
  const sending = setInterval(() => {
    const at = sent.length;
    sent.push(gateway.send(flowLine("tf-1", at % 100, start - 1_000_000 + at)));
  }, 1);
  await poll(() => sent.length > 50);
  await platform.install(second);
  await platform.reload(/The certificate was read again/);
  expect([await shown(platform.mqttPort), await shown(platform.httpPort)]).toEqual(["second", "second"]);
  const reloadedAt = sent.length;
  await poll(() => sent.length > reloadedAt + 50);
  clearInterval(sending);
  await Promise.all(sent);
  expect(ended).toBe(false);

  const after = await ask(platform.httpPort, "/readyz", { agent });
  after.response.resume();
  expect(after.request.reusedSocket).toBe(true);
  expect(after.socket.getPeerCertificate().subject.CN).toBe("first");
  agent.destroy();
  await poll(async () => (await platform.account()).stored === sent.length);
  expect(await platform.account()).toMatchObject({ refused: 0, balanced: true });
});

test("files that cannot be shown are told in the log, and the former certificate stays", async () => {
  using folder = tempFolder("tls");
  await using platform = await startTlsPlatform(folder.path);
  const notTaken = /The certificate was not taken/;
  const broken = join(folder.path, "broken.pem");
  await writeFile(broken, "-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n");
  for (const [files, why] of [
    [{ cert: broken, key: first.key }, /holds no certificate in PEM form/],
    [{ cert: second.cert, key: broken }, /holds no private key in PEM form/],
    [{ cert: second.cert, key: first.key }, /is not that of the certificate/],
    [expired, /the certificate expired on/],
  ] as const) {
    await platform.install(files);
    await platform.reload(notTaken);
    expect(platform.log()).toMatch(why);
    expect([await shown(platform.mqttPort), await shown(platform.httpPort)]).toEqual(["first", "first"]);
  }
  await platform.install(second);
  await platform.reload(/The certificate was read again/);
  expect(await shown(platform.mqttPort)).toBe("second");
});

test("at SIGHUP new measurements of catalogue.d are taken at once, and changed ones wait for a restart", async () => {
  using folder = tempFolder("tls");
  await using platform = await startTlsPlatform(folder.path);
  const password = await admitGateway(platform.data, identity);
  await using gateway = await connectGateway({
    identity,
    password,
    port: platform.mqttPort,
    client: { protocol: "mqtts", ca },
  });
  await gateway.birth(["pk-07", "tf-1"]);
  const parking = `parking,sensor=pk-07 occupied=3,entries_total=90314,gate_open=true ${Date.now()}`;
  await gateway.send(parking);
  await gateway.refusal("unknown-measurement");
  expect(await platform.account()).toMatchObject({ refused: 1 });

  const catalogue = join(platform.data, "catalogue.d");
  const file = join(catalogue, "parking.yaml");
  await mkdir(catalogue, { recursive: true });
  await copyFile(join(import.meta.dirname, "../../../catalogue.d/parking.yaml.example"), file);
  await platform.reload(/The catalogue has new measurements/);
  await gateway.send(`${parking}\n${flowLine("tf-1", 5, Date.now())}\n`);
  await poll(async () => (await platform.account()).stored === 2);
  const { response } = await ask(platform.httpPort, "/api/v1/readings?measurement=parking");
  expect(JSON.parse(await text(response))).toMatchObject({ readings: [{ sensor: "pk-07", occupied: 3 }] });
  const args = ["deadletters", "replay", "--all", "--http", platform.ready.http, "--ca", authority.file];
  const replayed = await runMarsad([...args, "--json"]);
  expect(replayed.stderr).toBe("");
  expect(JSON.parse(replayed.stdout)).toMatchObject({ tried: 1, accepted: 1 });

  const original = await readFile(file, "utf8");
  await writeFile(file, original.replace(/period_s: \d+/, "period_s: 7"));
  await platform.reload(/Changed and removed measurements hold as they were/);
  await appendFile(file, "nonsense: true\n");
  await platform.reload(/catalogue.d was not taken/);
  await gateway.send(parking.replace("occupied=3", "occupied=4"));
  await poll(async () => (await platform.account()).stored >= 3);
});

test("an agent with mqtts:// and the authority in ca_file brings its readings", async () => {
  using folder = tempFolder("tls");
  await using platform = await startTlsPlatform(folder.path);
  const password = await admitGateway(platform.data, identity);
  await using edge = await startEdge({
    folder: folder.path,
    gateway: identity.name,
    agency: identity.agency,
    password,
    mqttPort: platform.mqttPort,
    sensors: ["tf-1"],
    settings: { mqtt: `mqtts://localhost:${platform.mqttPort}`, tls: { ca_file: authority.file } },
  });
  const [host, port] = edge.input.replace("tcp://", "").split(":");
  const sensor = connectTcp({ host: host!, port: Number(port) });
  sensor.end(`${flowLine("tf-1", 31, Date.now())}\n`);
  await poll(async () => (await platform.account()).stored === 1);
  expect(await platform.account()).toMatchObject({ refused: 0, balanced: true });
});

test("the commands ask over https with --ca, and say in words what is wrong without it", async () => {
  using folder = tempFolder("tls");
  await using platform = await startTlsPlatform(folder.path);
  const { http } = platform.ready;
  const good = await runMarsad(["status", "--http", http, "--ca", authority.file]);
  expect(good).toMatchObject({ code: 0, stderr: "" });
  const byName = await runMarsad(["account", "--http", http.replace("127.0.0.1", "localhost")], {
    MARSAD_CA: authority.file,
  });
  expect(byName).toMatchObject({ code: 0, stderr: "" });
  const unknown = await runMarsad(["status", "--http", http]);
  expect(unknown.code).toBe(1);
  expect(unknown.stderr).toMatch(/from an authority that is not known here.*--ca FILE/);
  const missing = await runMarsad(["status", "--http", http, "--ca", join(folder.path, "no.pem")]);
  expect(missing).toMatchObject({ code: 2, stderr: expect.stringMatching(/--ca .*no\.pem/) });
});

describe("off loopback", () => {
  const loopback = "127.0.0.1:0";
  const open = "0.0.0.0:0";

  test("without TLS and without --behind-proxy it refuses to start", async () => {
    using folder = tempFolder("tls");
    const data = dataFolder(folder.path);
    const ended = await runMarsad(["platform", "--data", data, "--mqtt", loopback, "--http", open]);
    expect(ended.stderr).toMatch(/0\.0\.0\.0 can be reached from other machines and nothing encrypts/);
    expect(ended.code).toBe(2);
  });

  test.for([
    ["https", ["--tls-cert", "platform.pem", "--tls-key", "platform.key"]],
    ["http", ["--behind-proxy"]],
  ] as const)(
    "it starts with %s, with the certificate that docs/tls.md makes: %j",
    async ([scheme, args]) => {
      using folder = tempFolder("tls");
      const page = await readFile(join(import.meta.dirname, "../../../docs/tls.md"), "utf8");
      const commands = /^```sh\n(.*?)^```$/ms.exec(page)?.[1] ?? "false";
      await promisify(execFile)("sh", ["-ec", commands], { cwd: folder.path });
      await using platform = await startProgram<Platform["ready"]>({
        args: ["platform", "--data", dataFolder(folder.path), "--mqtt", open, "--http", open, ...args],
        folder: folder.path,
        name: "platform",
      });
      expect(platform.ready.mqtt).toMatch(/^0\.0\.0\.0:\d+$/);
      expect(platform.ready.http).toMatch(new RegExp(`^${scheme}://0\\.0\\.0\\.0:\\d+$`));
      const own = platform.ready.http.replace("0.0.0.0", "127.0.0.1");
      const asked = await runMarsad(["status", "--http", own, "--ca", join(folder.path, "ca.pem")]);
      expect(asked).toMatchObject({ code: 0, stderr: "" });
    },
  );

  /** An address of this machine that is not loopback: asking it from here leaves no machine. */
  const outside = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .find(({ family, internal }) => family === "IPv4" && !internal)?.address;

  test.skipIf(outside === undefined)(
    "HTTP answers another machine with a client's certificate, and from the first user on with a password; without either nobody",
    async () => {
      using folder = tempFolder("tls");
      const server = await authority.issue("server", { names: `IP:127.0.0.1,IP:${outside}` });
      const clients = await makeAuthority(folder.path, "clients");
      const client = await clients.issue("operator");
      const stranger = await authority.issue("stranger");
      await using platform = await startTlsPlatform(folder.path, {
        certificate: server,
        args: ["--http", open, "--tls-client-ca", clients.file],
      });
      const answer = async (
        host: string,
        { files, auth, path = "/metrics" }: { files?: Certificate; auth?: string; path?: string } = {},
      ): Promise<{ status: number | undefined; said: string }> => {
        const own = files && { cert: await readFile(files.cert), key: await readFile(files.key) };
        const agent = new Agent({ ca, ...own });
        const { response } = await ask(platform.httpPort, path, { host, agent, auth });
        return { status: response.statusCode, said: await text(response) };
      };
      const auth = "alice:correct horse battery";
      expect(await answer("127.0.0.1")).toMatchObject({ status: 200 });
      for (const way of [{}, { files: stranger }, { auth }]) {
        const { status, said } = await answer(outside!, way);
        expect({ status, said }).toMatchObject({
          status: 403,
          said: expect.stringContaining("marsad user add"),
        });
      }
      expect(await answer(outside!, { files: client })).toMatchObject({ status: 200 });
      // Supervisors need to know no more than whether it works.
      expect(await answer(outside!, { path: "/readyz" })).toMatchObject({ status: 200 });

      await addPerson(platform.data, "alice", "viewer", "correct horse battery");
      for (const host of ["127.0.0.1", outside!]) {
        expect(await answer(host)).toMatchObject({ status: 401 });
        expect(await answer(host, { files: stranger })).toMatchObject({ status: 401 });
        expect(await answer(host, { auth })).toMatchObject({ status: 200 });
        expect(await answer(host, { auth: `${auth}!` })).toMatchObject({ status: 401 });
        expect(await answer(host, { files: client })).toMatchObject({ status: 200 });
        expect(await answer(host, { files: client, auth: `${auth}!` })).toMatchObject({ status: 401 });
      }
    },
  );
});
