import { Argument, Command } from "commander";
import { Role } from "#api/access/roles.ts";
import { addUser, listUsers, removeUser, setPassword, setRole } from "#api/access/users.ts";
import { accountNameArgument, noteOfFirst, noteOfLast, roleHelp, roleOption } from "./accounts-output.ts";
import { chosenPassword, type PasswordOptions, withPasswordOptions } from "./chosen-password.ts";
import {
  identitiesCommand,
  type IdentitiesOptions,
  openExistingIdentities,
  openIdentities,
} from "./identities-folder.ts";
import { isoTime, paint, printJson, shortTime } from "./output.ts";
import { formatTable } from "./table.ts";

/** `marsad user …`: the people who may use the HTTP API; on the data folder, also while the platform runs. */
export function userCommand(): Command {
  return new Command("user")
    .description(
      "Say which people may use the HTTP API, and what they may do. Works on the data folder, also while the platform runs: the change holds at once. " +
        "As long as there is neither a user nor a token, HTTP is open to this machine and closed to others.",
    )
    .addCommand(addCommand())
    .addCommand(listCommand())
    .addCommand(removeCommand())
    .addCommand(passwordCommand())
    .addCommand(roleCommand());
}

function addCommand(): Command {
  return withPasswordOptions(identitiesCommand("add", "Let somebody in."))
    .addArgument(nameArgument())
    .addOption(roleOption())
    .addHelpText("after", `${roleHelp()}\n\n  marsad user add alice --role admin`)
    .action(async (name: string, options: IdentitiesOptions & PasswordOptions & { role: Role }) => {
      const { data, json, role } = options;
      const { password, made } = await chosenPassword(options);
      await using identities = await openIdentities(data);
      await addUser(identities, { name, role }, password);
      if (json) printJson({ name, role, ...(made && { password }) });
      else {
        const note = made ? `\n  password  ${paint.strong(password)}   (kept nowhere; note it now)\n\n` : "";
        process.stdout.write(
          `${paint.strong(name)} may use the platform as ${role}.\n${note}${noteOfFirst(identities)}`,
        );
      }
    });
}

function listCommand(): Command {
  return identitiesCommand("list", "Show who may use the HTTP API.").action(
    async ({ data, json }: IdentitiesOptions) => {
      await using identities = await openExistingIdentities(data, "users");
      const users = listUsers(identities);
      if (json) {
        const shown = users.map((user) => ({
          ...user,
          created: isoTime(user.created),
          changed: isoTime(user.changed),
        }));
        printJson({ users: shown });
      } else if (users.length === 0) {
        process.stdout.write("There are no users yet. Add one: marsad user add NAME --role admin\n");
      } else {
        process.stdout.write(
          formatTable(
            [
              { title: "USER", value: ({ name }) => name },
              { title: "ROLE", value: ({ role }) => role },
              { title: "ADDED", value: ({ created }) => shortTime(created) },
              { title: "PASSWORD SET", value: ({ changed }) => shortTime(changed) },
            ],
            users,
          ),
        );
      }
    },
  );
}

function removeCommand(): Command {
  return identitiesCommand("remove", "Let somebody in no longer.")
    .addArgument(nameArgument())
    .action(async (name: string, { data, json }: IdentitiesOptions) => {
      await using identities = await openExistingIdentities(data, "users");
      removeUser(identities, name);
      if (json) printJson({ name, removed: true });
      else process.stdout.write(`${name} may no longer use the platform.\n${noteOfLast(identities)}`);
    });
}

function passwordCommand(): Command {
  return withPasswordOptions(identitiesCommand("password", "Give somebody another password."))
    .addArgument(nameArgument())
    .action(async (name: string, options: IdentitiesOptions & PasswordOptions) => {
      await using identities = await openExistingIdentities(options.data, "users");
      const { password, made } = await chosenPassword(options);
      await setPassword(identities, name, password);
      if (options.json) printJson({ name, ...(made && { password }) });
      else {
        const note = made ? `\n  password  ${paint.strong(password)}   (kept nowhere; note it now)\n` : "";
        process.stdout.write(`${name} has another password.\n${note}`);
      }
    });
}

function roleCommand(): Command {
  return identitiesCommand("role", "Give somebody another role.")
    .addArgument(nameArgument())
    .addArgument(new Argument("<role>", "what the user may do").choices(Role.options))
    .addHelpText("after", roleHelp())
    .action(async (name: string, role: Role, { data, json }: IdentitiesOptions) => {
      await using identities = await openExistingIdentities(data, "users");
      setRole(identities, name, role);
      if (json) printJson({ name, role });
      else process.stdout.write(`${name} is ${role} now.\n`);
    });
}

function nameArgument(): Argument {
  return accountNameArgument("the user's name");
}
