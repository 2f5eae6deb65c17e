import { readFileSync } from "node:fs";
import { isLoopback } from "#runtime/address.ts";
import { MarsadError } from "#runtime/errors.ts";

/**
 * The header that says who asks the platform at `base`: a user with the environment's password, or the environment's token; none when there is neither.
 * @throws MarsadError `CONFIG_INVALID` for a user without a password, a file that cannot be read, and a secret that would go over the network in the clear.
 */
export function authorizationFor(
  base: URL,
  user: string | undefined,
  env: NodeJS.ProcessEnv,
): { readonly authorization?: string } {
  const authorization = authorizationOf(user, env);
  if (authorization === undefined) return {};
  expectPrivate(base);
  return { authorization };
}

function authorizationOf(user: string | undefined, env: NodeJS.ProcessEnv): string | undefined {
  if (user !== undefined) {
    const password = secretOf("MARSAD_PASSWORD", env);
    if (password === undefined) {
      throw new MarsadError(
        "CONFIG_INVALID",
        `--user ${user} has no password: give it in MARSAD_PASSWORD, or name a file that holds it in MARSAD_PASSWORD_FILE.`,
      );
    }
    return `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
  }
  const token = secretOf("MARSAD_TOKEN", env);
  return token && `Bearer ${token}`;
}

/** What a variable holds, or the file that `…_FILE` names. */
function secretOf(name: string, env: NodeJS.ProcessEnv): string | undefined {
  const text = env[name];
  if (text !== undefined && text !== "") return text;
  const path = env[`${name}_FILE`];
  if (path === undefined || path === "") return undefined;
  try {
    return readFileSync(path, "utf8").split(/\r?\n/, 1)[0]!;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new MarsadError("CONFIG_INVALID", `${name}_FILE: ${path} cannot be read: ${why}`, { cause: error });
  }
}

function expectPrivate(base: URL): void {
  const host = base.hostname.replace(/^\[(.*)\]$/, "$1");
  if (base.protocol === "https:" || isLoopback(host)) return;
  throw new MarsadError(
    "CONFIG_INVALID",
    `Credentials are not sent to ${base.origin} in the clear: write https:// (docs/tls.md).`,
  );
}
