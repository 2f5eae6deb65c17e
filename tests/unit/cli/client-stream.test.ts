import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { openClient } from "#cli/client.ts";

const server = createServer((request, response) => {
  const { authorization } = request.headers;
  if (authorization === undefined || authorization === "Bearer right") {
    response.writeHead(200).write('{"results":[]}\n');
    setTimeout(() => response.destroy(), 20);
  } else {
    response.writeHead(401).end('{"error":"authorization failed: The token\'s time is over."}');
  }
});
let url: string;

beforeAll(async () => {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  vi.unstubAllEnvs();
  server.closeAllConnections();
  server.close();
});

test("an answer that breaks off, even where a line ends, says that it is not all", async () => {
  const body = await openClient(url).stream("/query", new URLSearchParams({ q: "x" }));
  await expect(text(body)).rejects.toMatchObject({
    code: "UNREACHABLE",
    message: expect.stringMatching(/broke off .* is not all/),
  });
});

test("credentials that are no longer taken are told why", async () => {
  vi.stubEnv("MARSAD_TOKEN", "old");
  await expect(openClient(url).stream("/query", new URLSearchParams({ q: "x" }))).rejects.toMatchObject({
    code: "UNAUTHORIZED",
    message: expect.stringMatching(/^The token's time is over\. /),
  });
});
