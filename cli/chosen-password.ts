import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import type { Command } from "commander";
import { Option } from "commander";
import { makePassword } from "#api/access/users.ts";
import { MarsadError } from "#runtime/errors.ts";

export interface PasswordOptions {
  readonly passwordFile?: string;
  readonly generate?: boolean;
}

/** Longest password that is read, in bytes. */
const maxBytes = 4096;

/** The ways a password comes: never in the arguments, which everybody on the machine can read. */
export function withPasswordOptions(command: Command): Command {
  return command
    .addOption(
      new Option("--password-file <file>", "read the password from a file, whose first line it is").conflicts(
        "generate",
      ),
    )
    .addOption(new Option("--generate", "make a password and print it, this once"))
    .addHelpText(
      "after",
      "\nWithout these it is asked for on the terminal, or read from standard input when that is none.",
    );
}

/**
 * The password that somebody chose, and whether it was made here.
 * @throws MarsadError CONFIG_INVALID: there is none, or two that differ.
 */
export async function chosenPassword({
  passwordFile,
  generate = false,
}: PasswordOptions): Promise<{ password: string; made: boolean }> {
  if (generate) return { password: makePassword(), made: true };
  if (passwordFile !== undefined) return { password: await fromFile(passwordFile), made: false };
  const password = process.stdin.isTTY ? await fromTerminal() : firstLine(await fromStandardInput());
  if (password === "") {
    throw new MarsadError(
      "CONFIG_INVALID",
      "there is no password: write it on standard input, name a file with --password-file, or say --generate",
    );
  }
  return { password, made: false };
}

async function fromFile(path: string): Promise<string> {
  try {
    return firstLine(await readFile(path, "utf8"));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new MarsadError("CONFIG_INVALID", `--password-file ${path} cannot be read: ${why}`, {
      cause: error,
    });
  }
}

async function fromStandardInput(): Promise<string> {
  let text = "";
  for await (const piece of process.stdin.setEncoding("utf8")) {
    text += String(piece);
    if (text.length > maxBytes) break;
  }
  return text;
}

async function fromTerminal(): Promise<string> {
  const first = await ask("Password: ");
  if (first === (await ask("Again: "))) return first;
  throw new MarsadError("CONFIG_INVALID", "the two passwords differ; nothing was changed");
}

/** What is typed is not shown. */
async function ask(question: string): Promise<string> {
  const silent = new Writable({ write: (_piece, _encoding, done) => done() });
  using terminal = createInterface({ input: process.stdin, output: silent, terminal: true });
  const interrupted = new AbortController();
  terminal.once("SIGINT", () => interrupted.abort());
  process.stderr.write(question);
  try {
    return await terminal.question("", { signal: interrupted.signal });
  } catch (error) {
    if (!interrupted.signal.aborted) throw error;
    throw new MarsadError("CONFIG_INVALID", "no password was given; nothing was changed", { cause: error });
  } finally {
    process.stderr.write("\n");
  }
}

function firstLine(text: string): string {
  return text.split(/\r?\n/, 1)[0]!;
}
