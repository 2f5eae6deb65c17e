import { z } from "zod";

/** Where an agent listens for lines. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** `HOST:PORT`, with brackets around an IPv6 host: `[::1]:7000`. */
export const AddressText = z
  .string()
  .regex(/^(?:\[[0-9a-fA-F:.%]+\]|[^\s:[\]]+):\d{1,5}$/, "HOST:PORT, such as 127.0.0.1:7001")
  .refine((text) => {
    const { port } = parseAddress(text);
    return port >= 1 && port <= 65_535;
  }, "the port is between 1 and 65535");

/** Takes what `AddressText` has accepted apart. */
export function parseAddress(text: string): Address {
  const colon = text.lastIndexOf(":");
  return { host: text.slice(0, colon).replace(/^\[(.*)\]$/, "$1"), port: Number(text.slice(colon + 1)) };
}

export function formatAddress({ host, port }: Address): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
