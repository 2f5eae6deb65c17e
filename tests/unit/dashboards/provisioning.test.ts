import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { alertGroups } from "#dashboards/grafana/alerts.ts";
import { boards } from "#dashboards/grafana/files.ts";
import { provisioningFiles } from "#dashboards/grafana/provisioning.ts";
import { refusal } from "../../support/influxql-refusal.ts";

const repository = join(import.meta.dirname, "..", "..", "..");
const deploy = join(repository, "deploy");
const rules = alertGroups.flatMap(({ rules }) => rules);

interface Compose {
  readonly services: Readonly<
    Record<
      string,
      {
        readonly image: string;
        readonly environment?: Readonly<Record<string, string>>;
        readonly entrypoint?: readonly string[];
        readonly volumes?: readonly string[];
        readonly ports?: readonly string[];
        readonly build?: { readonly context: string; readonly dockerfile: string };
      }
    >
  >;
  readonly volumes: Readonly<Record<string, unknown>>;
}

async function compose(name: string): Promise<Compose> {
  return parse(await readFile(join(deploy, name), "utf8"), { merge: true }) as Compose;
}

describe("alert rules", () => {
  test.each(rules)(
    "$uid asks a question that only reads, bounds its time, and has nothing for Grafana to fill in",
    (rule) => {
      expect(refusal(rule.influxql)).toBeUndefined();
      expect(rule.influxql).toMatch(/WHERE time > now\(\) - \d+[md] /);
      for (const text of [rule.influxql, ...Object.values(rule.about), ...Object.values(rule.title)])
        expect(text).not.toContain("$");
    },
  );

  test("their uids are their own, and each leads to a panel that there is", () => {
    expect(new Set(rules.map(({ uid }) => uid)).size).toBe(rules.length);
    for (const { board, panel } of rules)
      expect(boards.find(({ name }) => name === board)?.panels.map(({ id }) => id)).toContain(panel);
  });

  test("as files they ask the data source that is provisioned, and end in the step that decides", () => {
    const file = provisioningFiles().get("alerting/rules.yaml") as {
      groups: {
        rules: { condition: string; data: { refId: string; datasourceUid: string; model: object }[] }[];
      }[];
    };
    const sources = provisioningFiles().get("datasources/marsad.yaml") as { datasources: { uid: string }[] };
    const known = new Set([...sources.datasources.map(({ uid }) => uid), "__expr__"]);
    for (const { condition, data } of file.groups.flatMap((group) => group.rules)) {
      expect(data.at(-1)!.refId).toBe(condition);
      for (const [i, { datasourceUid, model }] of data.entries()) {
        expect(known).toContain(datasourceUid);
        expect(model).toMatchObject(i === 0 ? { rawQuery: true } : { expression: data[i - 1]!.refId });
      }
    }
  });

  test("whoever is told is a contact point", () => {
    const points = provisioningFiles().get("alerting/contact-points.yaml") as {
      contactPoints: { name: string }[];
    };
    const policies = provisioningFiles().get("alerting/policies.yaml") as {
      policies: { receiver: string; routes: { receiver: string }[] }[];
    };
    const names = points.contactPoints.map(({ name }) => name);
    for (const { receiver, routes } of policies.policies)
      for (const each of [receiver, ...routes.map((route) => route.receiver)]) expect(names).toContain(each);
  });
});

describe.each(["compose.yaml", "compose.embedded.yaml"])("deploy/%s", (name) => {
  test("gives Grafana all that its provisioning takes from the environment", async () => {
    const { grafana } = (await compose(name)).services;
    const exported = [...grafana!.entrypoint!.join(" ").matchAll(/export (\w+)=/g)].map(([, name]) => name!);
    const given = new Set([...Object.keys(grafana!.environment!), ...exported]);
    const taken = JSON.stringify([...provisioningFiles().values()]).matchAll(/\$(\w+)/g);
    for (const [, variable] of taken) expect(given).toContain(variable);
  });

  test("mounts what there is, and the boards where the provisioning looks for them", async () => {
    const { services, volumes } = await compose(name);
    const mounts = Object.values(services)
      .flatMap((service) => service.volumes ?? [])
      .map((mount) => mount.split(":"));
    const missing = mounts
      .map(([source]) => source!)
      .filter((source) => !(source.startsWith(".") ? existsSync(join(deploy, source)) : source in volumes));
    expect(missing).toEqual([]);
    const { providers } = provisioningFiles().get("dashboards/marsad.yaml") as {
      providers: { options: { path: string } }[];
    };
    const target = services["grafana"]!.volumes!.map((mount) => mount.split(":")).find(
      ([source]) => source === "../dashboards/grafana/json",
    )![1];
    for (const { options } of providers) expect(dirname(options.path)).toBe(target);
  });

  test("has no secret in it: each is asked for", async () => {
    const text = await readFile(join(deploy, name), "utf8");
    const secrets = [...text.matchAll(/\w*(?:PASSWORD|TOKEN)\w*: (.*)/g)].map(([, value]) => value!);
    expect(secrets.length).toBeGreaterThan(0);
    for (const value of secrets) expect(value).toMatch(/^\$\{\w+:\?set \w+\}$/);
  });

  test("publishes on this machine's loopback only, and takes no image that changes by itself", async () => {
    for (const { ports = [], image } of Object.values((await compose(name)).services)) {
      for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:/);
      expect(image).toMatch(/:(?:\d+\.\d+|local)/);
    }
  });
});

test("the image's Dockerfile copies what there is, and all that the platform is made of", async () => {
  const lines = (await readFile(join(deploy, "Dockerfile"), "utf8")).split("\n");
  const copied = lines
    .filter((line) => line.startsWith("COPY "))
    .flatMap((line) => line.split(" ").slice(1, -1));
  expect(copied.filter((path) => !existsSync(join(repository, path)))).toEqual([]);
  const { imports } = JSON.parse(await readFile(join(repository, "package.json"), "utf8")) as {
    imports: Record<string, string>;
  };
  for (const folder of Object.values(imports).map((path) => path.split("/")[1]!))
    expect(copied).toContain(folder);
});
