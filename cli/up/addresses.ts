import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { formatAddress, parseAddress } from "#runtime/address.ts";
import { MarsadError } from "#runtime/errors.ts";

export interface ChosenAddress {
  /** `HOST:PORT` with a port that was free a moment ago. */
  readonly address: string;
  /** The default's port was taken, so that another was taken in its place. */
  readonly moved: boolean;
}

/**
 * The address to listen on: `wanted` if the user said one (its port 0 is any free one), else `usual`, or a free port
 * beside it when that is taken. The port is fixed here, so that a program that starts again is found where it was.
 * @throws MarsadError `ADDRESS_IN_USE` when `wanted` is taken, `CONFIG_INVALID` when it is no address.
 */
export async function chooseAddress(wanted: string | undefined, usual: string): Promise<ChosenAddress> {
  const { host, port } = parseAddress(wanted ?? usual);
  const free = await freePort(host, port);
  if (free !== undefined) return { address: formatAddress({ host, port: free }), moved: false };
  if (wanted !== undefined)
    throw new MarsadError("ADDRESS_IN_USE", `The address ${wanted} is taken or not ours.`);
  return { address: formatAddress({ host, port: await anyFreePort(host) }), moved: true };
}

/** A port of `host` that was free a moment ago. */
export async function anyFreePort(host: string): Promise<number> {
  const port = await freePort(host, 0);
  if (port === undefined) throw new MarsadError("ADDRESS_IN_USE", `There is no free port on ${host}.`);
  return port;
}

/** Listens for a moment. @returns undefined when the port is taken or not ours. */
async function freePort(host: string, port: number): Promise<number | undefined> {
  const server = createServer();
  try {
    server.listen({ host, port, exclusive: true });
    await once(server, "listening");
    return (server.address() as AddressInfo).port;
  } catch {
    return undefined;
  } finally {
    server.close();
  }
}
