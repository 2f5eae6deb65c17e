import { makeCatalogue } from "./catalogue.ts";
import type { Catalogue } from "./catalogue.ts";
import { energy } from "./catalogue-data/energy.ts";
import { environment } from "./catalogue-data/environment.ts";
import { food } from "./catalogue-data/food.ts";
import { platform } from "./catalogue-data/platform.ts";
import { traffic } from "./catalogue-data/traffic.ts";
import { water } from "./catalogue-data/water.ts";

/** The measurements every city has. Ranges are engineering judgement; this is the one place where they stand. */
export const builtinCatalogue: Catalogue = makeCatalogue([
  ...traffic,
  ...water,
  ...energy,
  ...food,
  ...environment,
  ...platform,
]);
