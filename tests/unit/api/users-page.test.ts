import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { mayAsk, Role, roles, rolesThatMay } from "#api/access/roles.ts";
import { passwordLength } from "#api/access/users.ts";
import { problemCodes } from "#api/problem.ts";

const page = readFileSync(new URL("../../../docs/users.md", import.meta.url), "utf8");

test("docs/users.md has each role with what it may and what it is for", () => {
  for (const role of Role.options) {
    const { may, words } = roles[role];
    expect(page).toContain(`| \`${role}\` | ${may.join(", ")} | ${words} |`);
  }
});

test("docs/users.md names codes and bounds that there are", () => {
  const named = Array.from(page.matchAll(/^\| \d{3} \| `([\w-]+)`/gm), ([, code]) => code);
  expect(named.length).toBeGreaterThan(3);
  expect(problemCodes).toEqual(expect.arrayContaining(named));
  expect(page).toContain(`A password has ${passwordLength.min} characters at least`);
});

test("every role may view, only admin may all, and neither operator nor analyst holds the other", () => {
  expect(Role.options.filter((role) => mayAsk(role, "viewer"))).toEqual(Role.options);
  expect(rolesThatMay("operator")).toEqual(["operator", "admin"]);
  expect(rolesThatMay("analyst")).toEqual(["analyst", "admin"]);
  expect(rolesThatMay("admin")).toEqual(["admin"]);
});
