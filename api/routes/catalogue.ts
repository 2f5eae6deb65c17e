import { answers, type ApiContext, type ApiServer } from "../context.ts";
import { CatalogueAnswer } from "../schemas.ts";

export function catalogueRoutes(server: ApiServer, { port }: ApiContext): void {
  server.get(
    "/api/v1/catalogue",
    {
      config: { access: "viewer" },
      schema: {
        tags: ["catalogue"],
        summary: "What this city measures",
        description: "Every measurement and field with unit, kind, ranges and names in Arabic and English.",
        response: answers("The catalogue.", CatalogueAnswer),
      },
    },
    () => ({ measurements: [...port.catalogue.measurements] }),
  );
}
