import { MarsadError } from "./errors.ts";

export interface Address {
  readonly host: string;
  readonly port: number;
}

/**
 * `HOST:PORT`, with an IPv6 host in brackets.
 * @throws MarsadError CONFIG_INVALID
 */
export function parseAddress(text: string): Address {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:[\]]+)):(\d{1,5})$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host === undefined || port > 65_535) {
    throw new MarsadError("CONFIG_INVALID", `"${text}" is no address: HOST:PORT, such as 127.0.0.1:1883`);
  }
  return { host, port };
}

export function formatAddress({ host, port }: Address): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Can only this machine reach it? */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(?:\.\d{1,3}){3}$/.test(host);
}
