import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Duplex } from "node:stream";
import { generate, writeToStream } from "mqtt-packet";
import { expect, test } from "vitest";

// What broker/ knows of its libraries' inside, and what to look at again when one of these fails.

test("aedes is the version that was read", () => {
  // - `preConnect` may change the packet: `clientId` and `keepalive` are read after it (lib/handlers/connect.js).
  // - A client's `conn` is the stream given to `handle`; `closed` is set before its will is authorised (lib/client.js).
  // - "connackSent" comes before any later packet is handled, "unsubscribe" for every UNSUBSCRIBE.
  // - The methods of the persistence that are called, with aedes' client as first argument (broker/session-store.ts).
  // - The texts of errors that become reasons (broker/refusals.ts).
  // - A message overtaken by a later one is dropped as its duplicate (broker/publish-queue.ts).
  const folder = new URL(".", import.meta.resolve("aedes"));
  const { version } = JSON.parse(readFileSync(fileURLToPath(new URL("package.json", folder)), "utf8")) as {
    version: string;
  };
  expect(version).toBe("1.2.0");
});

test("mqtt-packet writes a packet in many pieces, but corked: the stream gets whole packets", async () => {
  const writes: Buffer[] = [];
  const stream = new Duplex({
    read: () => {},
    writev: (chunks, done) => {
      writes.push(Buffer.concat(chunks.map(({ chunk }) => chunk as Buffer)));
      done();
    },
  });
  const packets = [1, 2].map((messageId) => ({
    cmd: "publish" as const,
    topic: "a/b",
    payload: "payload",
    qos: 1 as const,
    messageId,
    retain: false,
    dup: false,
  }));
  for (const packet of packets) {
    writeToStream(packet, stream);
    await new Promise(setImmediate);
  }
  expect(writes).toEqual(packets.map((packet) => generate(packet)));
});
