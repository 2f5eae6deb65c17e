import type { FastifyDynamicSwaggerOptions } from "@fastify/swagger";
import { securitySchemes } from "./access/route-access.ts";
import { jsonSchemaTransform, jsonSchemaTransformObject } from "fastify-type-provider-zod";

/** The OpenAPI 3.1 document is made of the routes' zod schemas. */
export function openApiOptions(version: string): FastifyDynamicSwaggerOptions {
  return {
    openapi: {
      openapi: "3.1.0",
      info: {
        title: "Marsad",
        description:
          "A city's readings, and what became of each. Times are UTC; errors are RFC 9457 problems.",
        version,
        license: { name: "Apache-2.0", identifier: "Apache-2.0" },
      },
      // The plugin's types are of OpenAPI 3.0, which has no mutualTLS.
      components: { securitySchemes: securitySchemes as never },
    },
    transform: jsonSchemaTransform,
    transformObject: (document) => withUsedSchemas(jsonSchemaTransformObject(document)),
  };
}

/** The type provider emits every schema a second time as an `…Input`, used or not. */
function withUsedSchemas<Document extends object>(document: Document): Document {
  const { components } = document as { components?: { schemas?: Record<string, object> } };
  if (!components?.schemas) return document;
  const text = JSON.stringify(document);
  const used = Object.entries(components.schemas)
    .filter(([name]) => text.includes(`"#/components/schemas/${name}"`))
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return { ...document, components: { ...components, schemas: Object.fromEntries(used) } };
}
