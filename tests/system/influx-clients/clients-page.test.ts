import { execFile } from "node:child_process";
import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { builtinCatalogue } from "#telemetry/builtin-catalogue.ts";
import { requireDebian, whySkipped } from "../../support/debian.ts";
import { type Platform, startPlatform } from "../../support/platform.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { cleanEnvironment } from "../cli/run-marsad.ts";

const run = promisify(execFile);
const root = join(import.meta.dirname, "../../..");
const page = await readFile(join(root, "docs/clients.md"), "utf8");

const examples = (language: string): string[] =>
  Array.from(
    page.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, "gms")),
    ([, example = ""]) => example,
  );

/** Runs the page's examples where its addresses are the platform's. */
async function openExamples(
  folder: string,
  platform: Platform,
): Promise<Record<"sh" | "js", (text: string) => Promise<string>>> {
  const port = new URL(platform.ready.http).port;
  const npx = join(folder, "bin/npx");
  await mkdir(dirname(npx));
  await writeFile(npx, `#!/bin/sh\nshift\nexec '${process.execPath}' '${join(root, "marsad.ts")}' "$@"\n`, {
    mode: 0o755,
  });
  await symlink(join(root, "node_modules"), join(folder, "node_modules"));
  const env = cleanEnvironment({
    MARSAD_DATA: platform.data,
    PATH: [dirname(npx), dirname(process.execPath), process.env["PATH"]].join(":"),
  });
  const exec = async (command: string, args: readonly string[]): Promise<string> => {
    const { stdout, stderr } = await run(command, args, { cwd: folder, env });
    expect(stderr).toBe("");
    return stdout;
  };
  const here = (text: string): string => text.replaceAll("8080", port);
  return {
    sh: async (script) => {
      const said = await exec("sh", ["-c", `set -eu\n${here(script)}\necho; echo "PASSWORD=\${PASSWORD-}"`]);
      const [, output = "", password = ""] = /^(.*)\nPASSWORD=(.*)\n$/s.exec(said) ?? [];
      env["PASSWORD"] = password;
      return output;
    },
    js: async (program) => {
      const file = join(folder, "example.mjs");
      await writeFile(file, here(program));
      return await exec(process.execPath, [file]);
    },
  };
}

test("the examples of docs/clients.md do what the page says", async ({ skip }) => {
  for (const needed of ["influxdb-client", "curl"]) skip(!(await requireDebian(needed)), whySkipped(needed));
  using folder = tempFolder("clients");
  await using platform = await startPlatform({ folder: folder.path });
  const { sh, js } = await openExamples(folder.path, platform);
  const [setUp = "", curlWrites = "", curlReads = "", influx = ""] = examples("sh");
  const [v2 = "", v1 = ""] = examples("js");

  await sh(setUp);
  expect((await sh(curlWrites)).trim()).toBe("");
  expect(await js(v2)).toBe("");
  await platform.settled("corniche-1", ({ stored }) => stored === 3);
  const [last, keys, means] = (await sh(curlReads)).trim().split(/\n(?=name|\{)/);
  expect(JSON.parse(last!)).toMatchObject({ results: [{ series: [{ columns: ["time", "last"] }] }] });
  expect(keys).toMatch(/^name,tags,fieldKey,fieldType\n/);
  expect(JSON.parse(means!)).toMatchObject({ results: [{ series: [{ columns: ["time", "mean"] }] }] });
  const [measurements, rows] = (await sh(influx)).split(/\n(?=name,)/);
  expect(measurements).toMatch(/^name: measurements\nname\n----\n/);
  expect(rows).toMatch(/^name,time,vehicles,speed_avg\ntraffic_flow,20\S+Z,33,\n/);
  expect(await js(v1)).toMatch(/max: 3[34]/);
  await platform.settled("corniche-1", ({ stored, refused }) => stored === 4 && refused === 0);
});

test("the Telegraf configuration is TOML, and what it lets through is taken", async ({ skip }) => {
  skip(!(await requireDebian("python3")), whySkipped("python3"));
  const [toml = ""] = examples("toml");
  const script = "import json, sys, tomllib; print(json.dumps(tomllib.loads(sys.argv[1])))";
  const { stdout } = await run("python3", ["-c", script, toml]);
  const { outputs, processors } = JSON.parse(stdout) as {
    outputs: { influxdb: [{ namepass: string[]; taginclude: string[]; skip_database_creation: boolean }] };
    processors: { rename: [{ replace: { dest: string }[] }]; converter: object[] };
  };
  const [output] = outputs.influxdb;
  const { measurements } = builtinCatalogue;
  const known = measurements.flatMap(({ name, fields }) => [name, ...fields.map((field) => field.name)]);
  expect(measurements.map(({ name }) => name)).toEqual(expect.arrayContaining(output.namepass));
  expect(output).toMatchObject({ taginclude: ["sensor"], skip_database_creation: true });
  const renamed = processors.rename[0].replace.map(({ dest }) => dest);
  expect([...known, "sensor"]).toEqual(expect.arrayContaining(renamed));
});
