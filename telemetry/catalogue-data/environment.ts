import type { Measurement } from "../catalogue.ts";
import { gauge, percent, temperature } from "./fields.ts";

export const environment: readonly Measurement[] = [
  {
    name: "weather",
    domain: "environment",
    title: { en: "Weather", ar: "الطقس" },
    period_s: 300,
    seasons: ["day"],
    bad: "none",
    fields: [
      gauge("temp", "Cel", "Air temperature", "درجة حرارة الهواء", {
        plausible: [-5, 55],
        physical: temperature,
      }),
      gauge("humidity", "%", "Humidity", "الرطوبة", { plausible: [0, 100], physical: percent }),
      gauge("wind_speed", "m/s", "Wind speed", "سرعة الرياح", { plausible: [0, 60] }),
      gauge("irradiance", "W/m2", "Irradiance", "الإشعاع الشمسي", { plausible: [0, 1400] }),
    ],
  },
  {
    name: "air_quality",
    domain: "environment",
    title: { en: "Air quality", ar: "جودة الهواء" },
    period_s: 300,
    seasons: ["day", "week"],
    bad: "up",
    fields: [
      gauge("pm2_5", "ug/m3", "Fine particles (PM2.5)", "الجسيمات الدقيقة (PM2.5)", { plausible: [0, 2000] }),
      gauge("pm10", "ug/m3", "Particles (PM10)", "الجسيمات العالقة (PM10)", { plausible: [0, 2000] }),
      gauge("no2", "ug/m3", "Nitrogen dioxide", "ثاني أكسيد النيتروجين", { plausible: [0, 1000] }),
    ],
  },
];
