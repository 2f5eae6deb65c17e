/** Tries to take the folder, says `locked` or the error's code and message, and holds it until it is killed. */
import { MarsadError } from "#runtime/errors.ts";
import { lockFolder } from "#runtime/data-lock.ts";

try {
  lockFolder(process.argv[2]!);
  process.stdout.write("locked\n");
  setInterval(() => undefined, 1000);
} catch (error) {
  process.stdout.write(error instanceof MarsadError ? `${error.code} ${error.message}\n` : String(error));
}
