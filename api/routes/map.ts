import { z } from "zod";
import { findPlace } from "#telemetry/places.ts";
import { roles } from "#telemetry/sensor.ts";
import { type ApiContext, type ApiServer, problemAnswer } from "../context.ts";
import type { PlatformPort } from "../ports.ts";

const MapParameters = z.strictObject({
  gateway: z.string().optional(),
  measurement: z.string().optional(),
});

const Dot = z.object({
  type: z.literal("Feature"),
  /** `agency/sensor` */
  id: z.string(),
  geometry: z.object({
    type: z.literal("Point"),
    coordinates: z.array(z.number()).meta({ description: "Longitude and latitude, WGS 84." }),
  }),
  properties: z.object({
    sensor: z.string(),
    agency: z.string(),
    gateway: z.string().nullable(),
    place: z.object({ code: z.string(), en: z.string(), ar: z.string() }),
    site: z.string().nullable(),
    role: z.enum(roles).nullable(),
    measurements: z.array(z.string()),
  }),
});
type Dot = z.infer<typeof Dot>;

/** RFC 7946, so that any map tool opens it as it is. */
export const SensorMap = z.object({ type: z.literal("FeatureCollection"), features: z.array(Dot) });

export function mapRoutes(server: ApiServer, { port }: ApiContext): void {
  server.get(
    "/api/v1/map",
    {
      config: { access: "viewer" },
      schema: {
        tags: ["readings"],
        summary: "The sensors as dots on a map",
        description:
          "GeoJSON (RFC 7946): every sensor that has been heard and whose `position` the registry knows. " +
          "Map tools open it as it is.",
        querystring: MapParameters,
        response: {
          200: {
            description: "The sensors.",
            content: { "application/geo+json": { schema: SensorMap } },
          },
          default: problemAnswer,
        },
      },
    },
    ({ query: { gateway, measurement } }, reply) => {
      const heard = port
        .series()
        .filter(
          (series) =>
            (gateway === undefined || series.gateway === gateway) &&
            (measurement === undefined || series.measurement === measurement),
        );
      reply.type("application/geo+json; charset=utf-8");
      return { type: "FeatureCollection" as const, features: dotsOf(heard) };
    },
  );
}

/** One dot a sensor, however many measurements it has. */
function dotsOf(heard: ReturnType<PlatformPort["series"]>): Dot[] {
  const bySensor = Map.groupBy(heard, ({ agency, sensor }) => `${agency}/${sensor}`);
  return Array.from(bySensor).flatMap(([id, series]): Dot[] => {
    const { agency, attributes, gateway, sensor } = series[0]!;
    const place = attributes && findPlace(attributes.place);
    if (attributes?.position === undefined || place === undefined) return [];
    return [
      {
        type: "Feature",
        id,
        geometry: { type: "Point", coordinates: [...attributes.position] },
        properties: {
          sensor,
          agency,
          gateway: gateway ?? null,
          place: { code: place.code, ...place.name },
          site: attributes.site ?? null,
          role: attributes.role ?? null,
          measurements: series.map(({ measurement }) => measurement),
        },
      },
    ];
  });
}
