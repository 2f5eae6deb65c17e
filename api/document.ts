import { pino } from "pino";
import { Registry } from "prom-client";
import type { PlatformPort } from "./ports.ts";
import { buildServer } from "./server.ts";

/** The OpenAPI document without a platform: it is made of the routes' schemas, and no handler runs. */
export async function openApiDocument(version: string): Promise<object> {
  const port = {} as PlatformPort;
  const server = await buildServer({ port, metrics: new Registry(), version }, pino({ level: "silent" }));
  try {
    await server.ready();
    return server.swagger();
  } finally {
    await server.close();
  }
}
