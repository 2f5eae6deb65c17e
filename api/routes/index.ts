import { z } from "zod";
import { answers, type ApiContext, type ApiServer } from "../context.ts";

const Index = z.object({
  name: z.literal("marsad"),
  version: z.string(),
  addresses: z.record(z.string(), z.string()).meta({ description: "Path -> what is there." }),
});

/** The front page and the OpenAPI document: both made of the routes themselves. */
export function indexRoutes(server: ApiServer, { version }: ApiContext): void {
  server.get(
    "/",
    {
      config: { access: "open" },
      schema: {
        tags: ["index"],
        summary: "What is here",
        description: "The addresses of this API with a line on each.",
        response: answers("The addresses.", Index),
      },
    },
    () => {
      const addresses: Record<string, string> = {};
      for (const [path, item] of Object.entries(server.swagger().paths ?? {})) {
        for (const [method, operation] of Object.entries(item ?? {})) {
          const { summary } = operation as { summary?: string };
          addresses[method === "get" ? path : `${method.toUpperCase()} ${path}`] = summary ?? "";
        }
      }
      return { name: "marsad" as const, version, addresses };
    },
  );

  server.get(
    "/openapi.json",
    {
      config: { access: "open" },
      schema: {
        tags: ["index"],
        summary: "This API as OpenAPI 3.1",
        description: "The machine-readable description of every address, made from the code's own schemas.",
        response: answers("An OpenAPI 3.1 document.", z.record(z.string(), z.unknown())),
      },
    },
    () => ({ ...server.swagger() }),
  );
}
