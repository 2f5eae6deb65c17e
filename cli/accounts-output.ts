import { Argument, InvalidArgumentError, Option } from "commander";
import { listTokens } from "#api/access/tokens.ts";
import { Role, roles } from "#api/access/roles.ts";
import { AccountName, listUsers } from "#api/access/users.ts";
import type { RecordReader } from "#runtime/record-store.ts";

/** Of a user or a token. */
export function accountNameArgument(description: string): Argument {
  return new Argument("<name>", description).argParser((text) => {
    const parsed = AccountName.safeParse(text);
    if (parsed.success) return parsed.data;
    throw new InvalidArgumentError(`Use ${parsed.error.issues.map(({ message }) => message).join("; ")}.`);
  });
}

export function roleOption(): Option {
  return new Option("--role <role>", "what it may do").choices(Role.options).makeOptionMandatory();
}

/** For help texts. */
export function roleHelp(): string {
  const lines = Role.options.map((role) => `  ${role.padEnd(9)} ${roles[role].words}`);
  return `\nRoles:\n${lines.join("\n")}`;
}

/** What the first user or token changes. */
export function noteOfFirst(records: RecordReader): string {
  return countAccounts(records) === 1
    ? "From now on HTTP asks everybody who they are, on this machine too.\n"
    : "";
}

/** What the removal of the last one changes. */
export function noteOfLast(records: RecordReader): string {
  return countAccounts(records) === 0
    ? "There is nobody left: from now on HTTP asks nobody on this machine who they are, and answers other machines only with a client certificate.\n"
    : "";
}

function countAccounts(records: RecordReader): number {
  return listUsers(records).length + listTokens(records).length;
}
