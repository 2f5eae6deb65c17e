import { once } from "node:events";
import { connect as connectTcp } from "node:net";
import { connect as connectTls } from "node:tls";
import { afterAll, describe, expect, test } from "vitest";
import { readServerIdentity } from "#runtime/tls.ts";
import { type Certificate, makeAuthority } from "../../support/certificates.ts";
import { poll } from "../../support/poll.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { answersPing, corniche, openTestBroker, reading, type TestBroker } from "./support.ts";

const folder = tempFolder("tls");
afterAll(() => folder[Symbol.dispose]());
const authority = await makeAuthority(folder.path);
const { ca } = authority;
const first = await authority.issue("first");
const optionsOf = async (files: Certificate) => (await readServerIdentity(files)).options;
const tls = await optionsOf(first);

/** The name in the certificate that a new connection is shown. */
async function shown(port: number): Promise<string> {
  const socket = connectTls({ port, host: "127.0.0.1", ca });
  await once(socket, "secureConnect");
  const { subject } = socket.getPeerCertificate();
  socket.destroy();
  return String(subject.CN);
}

/** Waits until so many connections were refused for the reason. */
async function refusedBecause(gateways: TestBroker, reason: string, count: number): Promise<boolean> {
  return await poll(async () => (await gateways.metric("refused_connections_total", { reason })) === count);
}

test("readings over TLS are held, paused and resumed as over TCP: every one comes once and in order, and gets its PUBACK", async () => {
  await using gateways = await openTestBroker({ tls, ca, limits: { inFlightBytes: 200_000 } });
  const client = await gateways.rawConnected(corniche);
  const count = 3000;
  const padding = "#".repeat(8_000);
  gateways.take = () => false;
  client.send(...Array.from({ length: count }, (_, i) => reading(corniche, i + 1, `${i} ${padding}`)));
  await poll(() => gateways.offered.length > 0);
  await poll(async () => (await gateways.metric("paused_sessions")) === 1);
  // The broker reads no more than it may hold: what the kernel does not hold is still with the client.
  await poll(() => client.socket.writableLength > 0);
  expect(client.received).toEqual([]);

  const taken: string[] = [];
  const session = gateways.offered[0]!.session;
  gateways.take = (_session, _channel, payload) => {
    taken.push(Buffer.from(payload).toString().split(" ", 1)[0]!);
    setImmediate(() => session.acknowledge(1));
    return true;
  };
  session.resume();
  await poll(() => client.received.filter(({ cmd }) => cmd === "puback").length === count);
  expect(taken).toEqual(Array.from({ length: count }, (_, i) => String(i)));
  const ids = client.received.map((packet) => ("messageId" in packet ? packet.messageId : undefined));
  expect(ids).toEqual(Array.from({ length: count }, (_, i) => i + 1));
  expect(await answersPing(client)).toBe(true);
});

test("a new certificate is shown to new connections; those that are there live on", async () => {
  await using gateways = await openTestBroker({ tls, ca });
  const old = await gateways.rawConnected(corniche, { clientId: "old" });
  expect(await shown(gateways.port)).toBe("first");
  gateways.broker.setTls(await optionsOf(await authority.issue("second")));
  expect(await shown(gateways.port)).toBe("second");
  const young = await gateways.rawConnected(corniche, { clientId: "young" });
  expect(await answersPing(old)).toBe(true);
  expect(await answersPing(young)).toBe(true);
});

describe("no handshake holds anything for ever", () => {
  test("a silent one is cut, and so is one that stops in the middle", async () => {
    await using gateways = await openTestBroker({ tls, ca, limits: { connectTimeout_ms: 200 } });
    const silent = connectTcp(gateways.port, "127.0.0.1");
    const begun = connectTcp(gateways.port, "127.0.0.1");
    begun.write(Buffer.from("1603010200010001fc0303", "hex"));
    const closed = [silent, begun].map((socket) => once(socket.on("error", () => {}).resume(), "close"));
    await Promise.all(closed);
    expect(await refusedBecause(gateways, "tls", 2)).toBe(true);
  });

  test("a client that finished it and says nothing is cut", async () => {
    await using gateways = await openTestBroker({ tls, ca, limits: { connectTimeout_ms: 200 } });
    const quiet = await gateways.raw();
    await quiet.closed;
    expect(await refusedBecause(gateways, "connect-timeout", 1)).toBe(true);
  });

  test("beyond the bound the oldest one goes, and gateways still come in", async () => {
    await using gateways = await openTestBroker({ tls, ca, limits: { connecting: 10 } });
    const sockets = Array.from({ length: 30 }, () =>
      connectTcp(gateways.port, "127.0.0.1")
        .on("error", () => {})
        .resume(),
    );
    await poll(() => sockets.filter(({ destroyed }) => destroyed).length >= 20);
    const client = await gateways.rawConnected(corniche);
    expect(await answersPing(client)).toBe(true);
    for (const socket of sockets) socket.destroy();
  });

  test("closing the broker does not wait for them", async () => {
    const gateways = await openTestBroker({ tls, ca, limits: { connectTimeout_ms: 600_000 } });
    const silent = connectTcp(gateways.port, "127.0.0.1")
      .on("error", () => {})
      .resume();
    await once(silent, "connect");
    const closed = once(silent, "close");
    await gateways[Symbol.asyncDispose]();
    await closed;
    expect(silent.destroyed).toBe(true);
  });
});

test("what is no TLS, or an old one, is refused, and others do not notice", async () => {
  await using gateways = await openTestBroker({ tls, ca });
  const client = await gateways.rawConnected(corniche);
  const plain = connectTcp(gateways.port, "127.0.0.1")
    .on("error", () => {})
    .resume();
  plain.write(Buffer.from("101400044d5154540402003c00087465737465722d31", "hex"));
  await once(plain, "close");
  const old = connectTls({
    port: gateways.port,
    host: "127.0.0.1",
    ca,
    minVersion: "TLSv1",
    maxVersion: "TLSv1.1",
    ciphers: "DEFAULT:@SECLEVEL=0",
  });
  const [error] = (await once(old, "error")) as [Error];
  expect(error.message).toMatch(/protocol version|unsupported protocol/i);
  expect(await refusedBecause(gateways, "tls", 2)).toBe(true);
  expect(gateways.logged.some(({ reason }) => reason === "tls")).toBe(true);
  expect(await answersPing(client)).toBe(true);
});
