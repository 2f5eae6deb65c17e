import type { GatewayIdentity } from "#telemetry/names.ts";
import type { Connection } from "./connection.ts";

/** The connections there are, by what they are up to and by gateway. */
export class GatewayConnections {
  readonly #limits: { connections: number; connecting: number; connectionsPerGateway: number };
  readonly #all = new Set<Connection>();
  /** Without a whole CONNECT, the oldest first. */
  readonly #silent = new Set<Connection>();
  /** Whose CONNECT is being answered, the oldest first. */
  readonly #deciding = new Set<Connection>();
  #willTrim = false;
  /** Those whose credentials were right. */
  readonly #byGateway = new Map<string, Set<Connection>>();

  constructor(limits: { connections: number; connecting: number; connectionsPerGateway: number }) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#all.size;
  }

  [Symbol.iterator](): Iterator<Connection> {
    return this.#all.values();
  }

  /** All of one gateway. */
  of(gatewayName: string): Iterable<Connection> {
    return this.#byGateway.get(gatewayName) ?? [];
  }

  /**
   * Takes a new one in; with too many, it or the one that has waited longest is refused: first of those that have not said who they are,
   * so that a storm of silent strangers does not push out a gateway that is being let in.
   */
  add(connection: Connection): void {
    this.#all.add(connection);
    this.#silent.add(connection);
    if (this.#all.size > this.#limits.connections) connection.refuse("connections");
    else if (this.#excess > 0 && !this.#willTrim) {
      this.#willTrim = true;
      afterReading(() => this.#trim());
    }
  }

  /** Its CONNECT is there. */
  deciding(connection: Connection): void {
    if (this.#silent.delete(connection)) this.#deciding.add(connection);
  }

  /** May this connection be one of the gateway's? One with the same client id is about to make room. */
  admit(connection: Connection, gateway: GatewayIdentity, clientId: string): boolean {
    const others = this.#byGateway.get(gateway.name) ?? new Set();
    const staying = [...others].filter((other) => other.clientId !== clientId);
    if (staying.length >= this.#limits.connectionsPerGateway) return false;
    this.#byGateway.set(gateway.name, others.add(connection));
    return true;
  }

  /** The connection was accepted. */
  opened(connection: Connection): void {
    this.#deciding.delete(connection);
    // aedes has closed the former connection with this client id, unless it lost sight of it in the midst of closing.
    for (const other of this.of(connection.gateway?.name ?? "")) {
      if (other !== connection && other.clientId === connection.clientId) other.hangUp();
    }
  }

  /** The connection is gone. @returns whether it had been accepted. */
  closed(connection: Connection): boolean {
    this.#all.delete(connection);
    const name = connection.gateway?.name ?? "";
    const others = this.#byGateway.get(name);
    others?.delete(connection);
    if (others?.size === 0) this.#byGateway.delete(name);
    return !this.#silent.delete(connection) && !this.#deciding.delete(connection);
  }

  /** Is there a connection with this `<gateway>/<its own>` client id? */
  has(clientId: string): boolean {
    const gatewayName = clientId.slice(0, clientId.indexOf("/"));
    return [...this.of(gatewayName)].some((connection) => connection.clientId === clientId);
  }

  get #excess(): number {
    return this.#silent.size + this.#deciding.size - this.#limits.connecting;
  }

  #trim(): void {
    this.#willTrim = false;
    let excess = this.#excess;
    for (const oldest of [...this.#silent, ...this.#deciding]) {
      if (excess-- <= 0) break;
      // One that is about to end is still among them.
      if (!oldest.ended) oldest.refuse("connecting");
    }
  }
}

/** Runs `work` when what new connections have sent has been read: many are accepted in one turn, and read in the next. */
export function afterReading(work: () => void): void {
  setImmediate(() => setImmediate(work));
}
