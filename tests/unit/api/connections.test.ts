import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { expect, test } from "vitest";
import { boundConnections } from "#api/connections.ts";
import { poll } from "../../support/poll.ts";

interface TestServer extends AsyncDisposable {
  /** Answers that the test owes. */
  readonly owed: ServerResponse[];
  open(bytes?: string): Promise<{ readonly socket: Socket; readonly text: () => string }>;
}

async function serve(max: number): Promise<TestServer> {
  const owed: ServerResponse[] = [];
  const server = createServer((request, response) => {
    request.resume();
    if (request.url === "/later") owed.push(response);
    else request.on("end", () => response.end("answered"));
  });
  boundConnections(server, max);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const sockets: Socket[] = [];
  return {
    owed,
    async open(bytes = "") {
      const socket = connect(port, "127.0.0.1");
      sockets.push(socket);
      let text = "";
      socket.on("data", (chunk) => (text += chunk.toString()));
      socket.on("error", () => {});
      await once(socket, "connect");
      socket.write(bytes);
      return { socket, text: () => text };
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

const get = (path = "/"): string => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`;

test("with one connection too many the oldest goes that has no whole request: silent, idle, in its head or in its body", async () => {
  await using server = await serve(4);
  const silent = await server.open();
  const idle = await server.open(get());
  await poll(() => idle.text().endsWith("answered"));
  const inHead = await server.open("GET / HTTP/1.1\r\nHost:");
  const inBody = await server.open("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{");
  const goes: readonly [unknown, Socket][] = [
    ["silent", silent.socket],
    // Idle since its answer, which came after the silent one's beginning.
    ["idle", idle.socket],
    ["inHead", inHead.socket],
    ["inBody", inBody.socket],
  ];
  const gone: unknown[] = [];
  for (const [name, socket] of goes) socket.on("close", () => gone.push(name));
  for (let asked = 1; asked <= 4; asked++) {
    const honest = await server.open(get());
    await poll(() => honest.text().endsWith("answered"));
    await poll(() => gone.length === asked);
  }
  expect(gone).toEqual(["silent", "idle", "inHead", "inBody"]);
});

test("who is being answered stays; when all are, the new one goes", async () => {
  await using server = await serve(2);
  const answered = [await server.open(get("/later")), await server.open(get("/later"))];
  await poll(() => server.owed.length === 2);
  const late = await server.open(get("/later"));
  await once(late.socket, "close");
  for (const response of server.owed) response.end("done");
  for (const { text } of answered) await poll(() => text().endsWith("done"));
  const next = await server.open(get());
  expect(await poll(() => next.text().endsWith("answered"))).toBe(true);
});
