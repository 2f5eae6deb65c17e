import { once } from "node:events";
import { type AddressInfo, type Socket, connect, createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** A link that a test can make bad: between a client, which connects to `port`, and a server on loopback. */
export interface TcpProxy extends AsyncDisposable {
  readonly port: number;
  /** Connections made so far. */
  readonly connections: number;
  /** Bytes brought to the server and to the client so far. */
  readonly bytes: { readonly up: number; readonly down: number };
  /** Breaks every connection there is now, at once; new ones may be made. */
  cut(): void;
  /** While true, connections stay open and nothing comes through them, in neither direction. */
  silent: boolean;
  /** While true, new connections are closed at once. */
  closed: boolean;
  /** Milliseconds that each byte takes, in each direction. */
  delay: number;
  /** Bytes in a second, in each direction and for each connection. */
  rate: number;
}

/** Bytes on their way beyond which nothing more is read. */
const ON_THE_WAY = 256 * 1024;

/** Opens a proxy on a free port. @param serverPort  Asked at each connection: a server may come back elsewhere. */
export async function openTcpProxy(serverPort: number | (() => number)): Promise<TcpProxy> {
  const pairs = new Set<readonly [client: Socket, server: Socket]>();
  const bytes = { up: 0, down: 0 };
  let connections = 0;
  const listener = createServer((client) => {
    if (proxy.closed) {
      client.destroy();
      return;
    }
    connections += 1;
    const server = connect(typeof serverPort === "number" ? serverPort : serverPort(), "127.0.0.1");
    const pair = [client, server] as const;
    pairs.add(pair);
    for (const socket of pair) {
      socket.setNoDelay(true);
      socket.on("error", () => {});
      socket.on("close", (broken) => {
        // After an orderly end the other side is ended behind the last byte, in `forward`.
        if (broken) pair.forEach((other) => other.destroy());
        if (pair.every((other) => other.destroyed)) pairs.delete(pair);
      });
    }
    void forward(client, server, (length) => (bytes.up += length));
    void forward(server, client, (length) => (bytes.down += length));
  });

  async function forward(from: Socket, to: Socket, count: (length: number) => void): Promise<void> {
    let onTheWay = 0;
    let last = Promise.resolve();
    from.on("data", (chunk: Buffer) => {
      onTheWay += chunk.length;
      if (onTheWay > ON_THE_WAY) from.pause();
      const due = performance.now() + proxy.delay;
      const before = last;
      last = (async () => {
        await before;
        await sleep(Math.max(0, due - performance.now()));
        while (proxy.silent && !to.destroyed) await sleep(10);
        if (Number.isFinite(proxy.rate)) await sleep((1000 * chunk.length) / proxy.rate);
        if (to.destroyed) return;
        // Reset meanwhile: "close" follows, and what is behind is dropped.
        if (!to.write(chunk))
          await Promise.race([once(to, "drain"), once(to, "close")]).catch(() => undefined);
        count(chunk.length);
        onTheWay -= chunk.length;
        if (onTheWay <= ON_THE_WAY) from.resume();
      })();
    });
    from.on("close", () => void last.then(() => to.destroySoon()));
  }

  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  const proxy: TcpProxy = {
    port: (listener.address() as AddressInfo).port,
    get connections() {
      return connections;
    },
    bytes,
    cut: () => pairs.forEach((pair) => pair.forEach((socket) => socket.resetAndDestroy())),
    silent: false,
    closed: false,
    delay: 0,
    rate: Infinity,
    async [Symbol.asyncDispose](): Promise<void> {
      if (!listener.listening) return;
      const gone = once(listener, "close");
      listener.close();
      proxy.cut();
      await gone;
    },
  };
  return proxy;
}
