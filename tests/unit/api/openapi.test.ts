import pino from "pino";
import { Registry } from "prom-client";
import { expect, test } from "vitest";
import { buildServer } from "#api/server.ts";
import { memoryPlatform } from "./memory-platform.ts";

interface Operation {
  readonly summary?: string;
  readonly description?: string;
  readonly tags?: readonly string[];
  readonly parameters?: readonly { readonly schema?: object }[];
  readonly responses: Record<string, { readonly description?: string; readonly content?: object }>;
}

async function openApiDocument(): Promise<{ text: string; operations: [name: string, Operation][] }> {
  const context = { port: memoryPlatform(), metrics: new Registry(), version: "0.0.0" };
  const server = await buildServer(context, pino({ level: "silent" }));
  await server.ready();
  const document = server.swagger();
  await server.close();
  const paths = (document.paths ?? {}) as Record<string, Record<string, Operation>>;
  const operations = Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]): [string, Operation] => [`${method} ${path}`, operation]),
  );
  return { text: JSON.stringify(document), operations };
}

test("every address says in words and in schemas what it takes and gives", async () => {
  const { operations } = await openApiDocument();
  const lacking = operations
    .filter(([, { summary, description, tags, parameters = [], responses }]) => {
      const answers = Object.entries(responses);
      const told =
        answers.length > 0 &&
        answers.every(([status, { content, description }]) => description && (content || status === "204"));
      const typed = parameters.every((parameter) => parameter.schema);
      return !(summary && description && tags?.length && told && typed);
    })
    .map(([name]) => name);
  expect(lacking).toEqual([]);
  expect(operations.length).toBeGreaterThan(10);
});

test("every reference leads to a schema, and none stands there unused", async () => {
  const { text } = await openApiDocument();
  const { components } = JSON.parse(text) as { components: { schemas: Record<string, object> } };
  const references = [...text.matchAll(/"\$ref":"([^"]+)"/g)].map(([, target]) => target);
  const names = Object.keys(components.schemas).map((name) => `#/components/schemas/${name}`);
  expect(new Set(references)).toEqual(new Set(names));
});
