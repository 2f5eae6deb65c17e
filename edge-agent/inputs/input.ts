/** Where readings come from: a place where sensors deliver them, or one that is asked. */
export interface Input extends AsyncDisposable {
  readonly type: "tcp" | "udp" | "modbus" | "mqtt";
  /** HOST:PORT it listens on; of those that connect, where to. */
  readonly address: string;
  /** The target is no longer full: senders that were made to wait may go on. */
  resume(): void;
  readonly counts: InputCounts;
}

export interface InputCounts {
  /** Lines left out: cut short by the sender's end. */
  readonly rejectedLines: number;
  /** Lines of datagrams that came while the spool was full: UDP cannot wait. */
  readonly droppedLines: number;
  /** Of devices that are asked. */
  readonly polling?: PollingCounts;
}

export interface PollingCounts {
  /** Times that a device was asked, and gave what it has. */
  readonly reads: number;
  /** Times that it did not. */
  readonly failures: number;
  /** Devices that did not when they were asked last. */
  readonly silent: number;
}

/** Where inputs put their lines. */
export interface InputTarget {
  /** No more lines now: senders that can wait must; `Input.resume` is called when there is room again. */
  readonly full: boolean;
  /** Lines were taken by the intake: the open batch may have to be committed in time. */
  taken(): void;
  /** Resolves when all lines taken until now are on disk; to false if the agent ends before. */
  committed(): Promise<boolean>;
}

/** A listen address as in `tcp://127.0.0.1:7001`, `udp://[::]:7001`. */
export interface ListenAddress {
  readonly protocol: "tcp" | "udp";
  readonly host: string;
  readonly port: number;
}

const form = /^(tcp|udp):\/\/(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9.-]+)):(\d{1,5})$/;

/** undefined if `text` is no listen address. */
export function parseListenAddress(text: string): ListenAddress | undefined {
  const match = form.exec(text);
  const [, protocol, bracketed, host = bracketed, port] = match ?? [];
  if (protocol === undefined || host === undefined || Number(port) > 65_535) return undefined;
  return { protocol: protocol as ListenAddress["protocol"], host, port: Number(port) };
}

export function formatAddress({
  address,
  port,
}: {
  readonly address: string;
  readonly port: number;
}): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}
