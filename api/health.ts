import type { Caller } from "./access/accounts.ts";
import { mayAsk } from "./access/roles.ts";
import type { PartHealth, PlatformPort } from "./ports.ts";

/** Which parts work; what ails one, which names files and machines, only for those who may view. */
export function healthFor(
  caller: Caller | undefined,
  port: PlatformPort,
): { ready: boolean; parts: readonly PartHealth[] } {
  const health = port.health();
  if (caller !== undefined && mayAsk(caller.role, "viewer")) return health;
  return { ...health, parts: health.parts.map(({ name, ok }) => ({ name, ok })) };
}
