import { z } from "zod";
import { findPlace, unknownPlace, type Place } from "#telemetry/places.ts";
import { answers, type ApiContext, type ApiServer } from "../context.ts";
import { SeriesPage } from "../schemas.ts";

const SeriesParameters = z.strictObject({
  measurement: z.string().optional(),
  sensor: z.string().optional(),
  agency: z.string().optional(),
  place: z
    .string()
    .refine((text) => findPlace(text) !== undefined, { error: ({ input }) => unknownPlace(String(input)) })
    .optional()
    .meta({ description: "A place's code, name or alias; a municipality includes its districts." }),
  limit: z.coerce.number().int().min(1).max(10_000).default(1_000),
  cursor: z
    .string()
    .regex(/^\d{1,10}$/, "is not a cursor: take `next` of the page before")
    .optional()
    .meta({ description: "`next` of the page before." }),
});

export function seriesRoutes(server: ApiServer, { port }: ApiContext): void {
  server.get(
    "/api/v1/series",
    {
      config: { access: "viewer" },
      schema: {
        tags: ["readings"],
        summary: "The series that exist",
        description:
          "A series is one measurement of one sensor. Pages are ordered by series number; a series that appears " +
          "meanwhile comes on a later page.",
        querystring: SeriesParameters,
        response: answers("A page of series.", SeriesPage),
      },
    },
    ({ query: { measurement, sensor, agency, place, limit, cursor } }) => {
      const inPlace = place === undefined ? undefined : findPlace(place);
      const after = cursor === undefined ? -1 : Number(cursor);
      const found = port
        .series(sensor === undefined ? undefined : [sensor])
        .filter(
          (entry) =>
            entry.series > after &&
            (measurement === undefined || entry.measurement === measurement) &&
            (sensor === undefined || entry.sensor === sensor) &&
            (agency === undefined || entry.agency === agency) &&
            (inPlace === undefined || isWithin(entry.attributes?.place, inPlace)),
        )
        .sort((a, b) => a.series - b.series);
      const page = found.slice(0, limit);
      return {
        series: page.map(({ gateway, attributes, ...entry }) => ({
          ...entry,
          gateway: gateway ?? null,
          attributes: attributes ?? null,
        })),
        next: found.length > limit ? String(page.at(-1)!.series) : null,
      };
    },
  );
}

/** Is the place of this code `area`, or a district of it? */
function isWithin(code: string | undefined, area: Place): boolean {
  const place = code === undefined ? undefined : findPlace(code);
  return place !== undefined && (place.code === area.code || place.municipality === area.code);
}
