import { MarsadError } from "#runtime/errors.ts";

/** Wrong options: exit code 2. */
export function usage(message: string): MarsadError {
  return new MarsadError("CONFIG_INVALID", message);
}
