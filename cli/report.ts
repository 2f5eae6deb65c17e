import { type Command, CommanderError } from "commander";
import { hasCode, MarsadError } from "#runtime/errors.ts";

const exitCodes = { done: 0, failed: 1, wrongUsage: 2 };

/** Runs the command line of a program; says on stderr what went wrong, and ends with its exit code. */
export async function runProgram(
  program: Command | Promise<Command>,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<void> {
  /** A reader that has seen enough (`marsad … | head`) is no failure. */
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(exitCodes.done);
    throw error;
  });
  try {
    const command = await program;
    reportUsage(command);
    await command.parseAsync(args, { from: "user" });
  } catch (error) {
    process.exit(report(error, env["MARSAD_LOG_LEVEL"]));
  }
}

/** Wrong usage ends in one line on stderr and an exception, not in `process.exit`; subcommands inherit neither. */
function reportUsage(command: Command): void {
  command.exitOverride().configureOutput({
    outputError: (text, write) => write(text.replace(/^error: /, "marsad: ").replaceAll(/\n(?=\()/g, " ")),
  });
  for (const subcommand of command.commands) reportUsage(subcommand);
}

/** @returns The exit code. */
function report(error: unknown, logLevel: string | undefined): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.done : exitCodes.wrongUsage;
  const foreseen = error instanceof MarsadError;
  const explicit = logLevel === "debug" || logLevel === "trace";
  if (foreseen) console.error(`marsad: ${error.message}`);
  if (!foreseen || explicit) console.error(error);
  return hasCode(error, "CONFIG_INVALID") ? exitCodes.wrongUsage : exitCodes.failed;
}
