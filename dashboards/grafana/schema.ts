import { join } from "node:path";
import { createGenerator } from "ts-json-schema-generator";

/** JSON Schema of a board, made from the SDK's types (`schema-types.ts`); nothing is allowed in it that they do not name. */
export function boardSchema(): object {
  const generator = createGenerator({
    path: join(import.meta.dirname, "schema-types.ts"),
    tsconfig: join(import.meta.dirname, "..", "..", "tsconfig.json"),
    type: "Board",
    // tsc has checked them; this only reads their shape.
    skipTypeCheck: true,
    additionalProperties: false,
    topRef: false,
    sortProps: true,
  });
  return generator.createSchema("Board");
}
