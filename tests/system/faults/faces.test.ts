import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { request } from "node:https";
import { connect as connectTcp, createServer, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { connect as connectTls } from "node:tls";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { defaultBrokerLimits as limits } from "#broker/limits.ts";
import { makeAuthority } from "../../support/certificates.ts";
import { reportFault } from "../../support/fault-report.ts";
import { floodDuring, merged, quantile, startFlood } from "../../support/flood/flood.ts";
import { floodVerdict } from "../../support/flood/verdict.ts";
import { anonymousMemory } from "../../support/memory.ts";
import { dataFolder } from "../../support/platform.ts";
import { poll } from "../../support/poll.ts";
import { startProgram } from "../../support/program.ts";
import { tempFolder } from "../../support/temp-folder.ts";

const MiB = 1024 * 1024;
const batch = 100;
const load = 10_000;
/** More than the HTTP server has room for, of each kind. */
const strangers = 300;
const httpConnections = 256;

test("half handshakes, idle and slow connections, endless bodies on MQTT and HTTP over TLS: bounded; gateways and who asks honestly are served", async ({
  annotate,
}) => {
  using folder = tempFolder("faces");
  const data = dataFolder(folder.path);
  const authority = await makeAuthority(folder.path);
  const { cert, key } = await authority.issue("platform");
  await using platform = await startProgram<{ mqtt: string; http: string }>({
    args: [
      "platform",
      `--data=${data}`,
      "--mqtt=127.0.0.1:0",
      "--http=127.0.0.1:0",
      `--tls-cert=${cert}`,
      `--tls-key=${key}`,
      "--log-level=warn",
    ],
    folder: folder.path,
    name: "platform",
  });
  const mqttPort = Number(platform.ready.mqtt.split(":").at(-1));
  const httpPort = Number(new URL(platform.ready.http).port);
  const ca = readFileSync(authority.file);
  await using flood = await startFlood({
    data,
    port: mqttPort,
    ca: authority.file,
    gateways: 2,
    sensors: 200,
    batch,
  });
  const before = await flood.offer(load, 1);
  const [memoryBefore, filesBefore] = [anonymousMemory(platform.pid), openFiles(platform.pid)];

  const sockets: Socket[] = [];
  const keep = (socket: Socket): Socket => {
    socket.on("error", () => {}); // "close" follows
    sockets.push(socket);
    return socket;
  };
  const tcp = (port: number, bytes?: Uint8Array): Socket => {
    const socket = keep(connectTcp(port, "127.0.0.1"));
    if (bytes) socket.write(bytes);
    return socket;
  };
  const http = (head: string): Socket => {
    const socket = keep(connectTls({ port: httpPort, host: "127.0.0.1", ca }));
    socket.write(head);
    return socket;
  };
  const hello = await clientHello();
  let mostFiles = 0;
  let tooLarge: string | undefined;
  const answers: number[] = [];
  const askHonestly = async (): Promise<void> => {
    const asked = performance.now();
    expect(await ask(httpPort, ca, "/readyz")).toMatchObject({ status: 200 });
    answers.push(performance.now() - asked);
    mostFiles = Math.max(mostFiles, openFiles(platform.pid));
  };
  const phases = await floodDuring(flood, load, async () => {
    // To the broker: nothing, and half a ClientHello.
    for (let i = 0; i < strangers; i++)
      tcp(mqttPort, i % 2 === 0 ? undefined : hello.subarray(0, hello.length / 2));
    // To HTTP: the same, handshakes and nothing more, half a head, half a body, a body without end.
    for (let i = 0; i < strangers; i++)
      tcp(httpPort, i % 2 === 0 ? undefined : hello.subarray(0, hello.length / 2));
    await askHonestly();
    const replay =
      "POST /api/v1/deadletters/replay HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
    for (let i = 0; i < strangers; i++) {
      if (i % 3 === 0) http("");
      else if (i % 3 === 1) http(`GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ${"x".repeat(i)}`);
      else http(`${replay}Content-Length: 1000\r\n\r\n{`);
      if (i % 20 === 0) await askHonestly();
    }
    for (let i = 0; i < 5; i++) {
      await askHonestly();
      await sleep(200);
    }
    const declared = http(`${replay}Content-Length: ${1024 * MiB}\r\n\r\n`);
    tooLarge = await firstLine(declared);
    const endless = http(`${replay}Transfer-Encoding: chunked\r\n\r\n`);
    const gone = once(endless, "close");
    const chunk = Buffer.concat([Buffer.from("10000\r\n"), Buffer.alloc(0x10000, 0x20), Buffer.from("\r\n")]);
    const pouring = setInterval(() => endless.writableLength < MiB && endless.write(chunk), 2);
    endless.resume();
    await gone;
    clearInterval(pouring);
    await askHonestly();
  }).finally(() => {
    for (const socket of sockets) socket.destroy();
  });
  const grown = anonymousMemory(platform.pid) - memoryBefore;
  await poll(() => openFiles(platform.pid) <= filesBefore + 16);
  const last = await flood.drain();
  await poll(async () => /"journal":0\b/.test((await ask(httpPort, ca, "/api/v1/totals")).text));
  expect(await platform.end("SIGTERM")).toBe(0);
  const verdict = await floodVerdict(data, flood, last);
  const [calm, meanwhile] = [before.latencies, merged(phases, "latencies")].map((all) => quantile(all, 0.5));
  await reportFault(annotate, {
    fault: "half handshakes, idle and slow connections, endless bodies on MQTT and HTTP over TLS",
    tried: sockets.length,
    sent: verdict.sent,
    acknowledged: verdict.acknowledged,
    lost: verdict.lost,
    twice: verdict.twice,
    measured: {
      "PUBACK p50 before, ms": round(calm!),
      "PUBACK p50 meanwhile, ms": round(meanwhile!),
      "longest PINGRESP meanwhile, ms": round(quantile(merged(phases, "pings"), 1)),
      "honest HTTP answer, longest, ms": round(Math.max(...answers)),
      "files open, most": mostFiles,
      "RssAnon more than before, MiB": Math.round(grown / MiB),
    },
  });
  expect(verdict).toMatchObject({ lost: 0, twice: 0, invented: 0, stored: verdict.sent });
  expect(last.cut).toEqual([]);
  expect(tooLarge).toBe("HTTP/1.1 413 Payload Too Large");
  expect(mostFiles).toBeLessThan(filesBefore + limits.connecting + httpConnections + 64);
  expect(meanwhile!).toBeLessThan(10 * Math.max(calm!, 10));
  expect(grown).toBeLessThan(160 * MiB);
});

/** The bytes with which a TLS client begins. */
async function clientHello(): Promise<Buffer> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  const client = connectTls({ port, host: "127.0.0.1" });
  client.on("error", () => {});
  const [accepted] = (await once(server, "connection")) as [Socket];
  const [bytes] = (await once(accepted, "data")) as [Buffer];
  accepted.destroy();
  client.destroy();
  server.close();
  return bytes;
}

/** On a connection of its own. */
async function ask(port: number, ca: Buffer, path: string): Promise<{ status?: number; text: string }> {
  const asked = request({ host: "127.0.0.1", port, path, ca, agent: false, timeout: 20_000 });
  asked.on("timeout", () => asked.destroy(new Error("no answer")));
  asked.end();
  const [answer] = (await once(asked, "response")) as [IncomingMessage];
  return { status: answer.statusCode!, text: await text(answer) };
}

async function firstLine(socket: Socket): Promise<string | undefined> {
  const [bytes] = (await once(socket, "data")) as [Buffer];
  return bytes.toString().split("\r\n")[0];
}

function openFiles(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
