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
  /** Half-open from now on, for good: every connection there is stays open, and what comes on it, in either direction, is gone. */
  swallow(): void;
  /** While true, connections stay open and nothing comes through them, in neither direction. */
  silent: boolean;
  /** While true, new connections are closed at once. */
  closed: boolean;
  /** Milliseconds that each byte takes, in each direction. */
  delay: number;
  /** Bytes in a second, in each direction and for each connection. */
  rate: number;
}

/** Sees one connection's bytes: up as they come from the client, down as they are given to it. */
export interface Observer {
  up(chunk: Buffer): void;
  down(chunk: Buffer): void;
}

export interface TcpProxyOptions {
  /** Asked for each connection. */
  readonly observe?: () => Observer;
}

/** Bytes on their way beyond which nothing more is read. */
const ON_THE_WAY = 256 * 1024;

/** Opens a proxy on a free port. @param serverPort  Asked at each connection: a server may come back elsewhere. */
export async function openTcpProxy(
  serverPort: number | (() => number),
  { observe }: TcpProxyOptions = {},
): Promise<TcpProxy> {
  const pairs = new Set<readonly [client: Socket, server: Socket]>();
  const swallowed = new WeakSet<Socket>();
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
    const observer = observe?.();
    client.on("data", (chunk: Buffer) => observer?.up(chunk));
    void forward(client, server, ({ length }) => (bytes.up += length));
    void forward(server, client, (chunk) => {
      bytes.down += chunk.length;
      observer?.down(chunk);
    });
  });

  async function forward(from: Socket, to: Socket, count: (chunk: Buffer) => void): Promise<void> {
    let onTheWay = 0;
    let last = Promise.resolve();
    from.on("data", (chunk: Buffer) => {
      if (swallowed.has(from)) return;
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
        if (swallowed.has(from)) {
          from.resume();
          return;
        }
        // Reset meanwhile: "close" follows, and what is behind is dropped.
        const goesOn = to.write(chunk);
        count(chunk);
        if (!goesOn) await Promise.race([once(to, "drain"), once(to, "close")]).catch(() => undefined);
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
    swallow: () => pairs.forEach((pair) => pair.forEach((socket) => swallowed.add(socket))),
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
