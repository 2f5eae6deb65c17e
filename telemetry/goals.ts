interface Named {
  readonly title: { readonly en: string; readonly ar: string };
}

/** The strategic goals that indicators serve; `kpi.goal`. */
export const goals = {
  mobility: { title: { en: "Mobility", ar: "التنقل" } },
  logistics: { title: { en: "Logistics", ar: "الخدمات اللوجستية" } },
  resources: { title: { en: "Water, energy and food", ar: "الماء والطاقة والغذاء" } },
  health: { title: { en: "Health", ar: "الصحة" } },
  sports: { title: { en: "Sports", ar: "الرياضة" } },
  governance: { title: { en: "Data governance", ar: "حوكمة البيانات" } },
} as const satisfies Record<string, Named>;
export type Goal = keyof typeof goals;

export interface Indicator extends Named {
  readonly goal: Goal;
  /** UCUM. */
  readonly unit: string;
  /** Which direction of its value is progress. */
  readonly better: "up" | "down";
}

const share = "1";

/** What is measured for the goals, by `kpi.indicator`. */
export const indicators = {
  congestion_share: {
    goal: "mobility",
    unit: share,
    better: "down",
    title: { en: "Congestion share", ar: "نسبة الازدحام" },
  },
  travel_time_reliability: {
    goal: "mobility",
    unit: "1",
    better: "down",
    title: { en: "Travel-time reliability", ar: "موثوقية زمن الرحلة" },
  },
  clean_air: {
    goal: "mobility",
    unit: share,
    better: "up",
    title: { en: "Clean air on corridors", ar: "نقاء الهواء على المحاور" },
  },
  port_corridor_reliability: {
    goal: "logistics",
    unit: "1",
    better: "down",
    title: { en: "Port corridor reliability", ar: "موثوقية محور الميناء" },
  },
  cold_chain: {
    goal: "logistics",
    unit: share,
    better: "up",
    title: { en: "Cold-chain compliance", ar: "الالتزام بسلسلة التبريد" },
  },
  water_per_person: {
    goal: "resources",
    unit: "L/d",
    better: "down",
    title: { en: "Water per person", ar: "استهلاك الفرد من المياه" },
  },
  electricity_per_person: {
    goal: "resources",
    unit: "kW.h/d",
    better: "down",
    title: { en: "Electricity per person", ar: "استهلاك الفرد من الكهرباء" },
  },
  water_loss: {
    goal: "resources",
    unit: share,
    better: "down",
    title: { en: "Total water loss", ar: "إجمالي فاقد المياه" },
  },
  water_storage_cover: {
    goal: "resources",
    unit: "d",
    better: "up",
    title: { en: "Water storage cover", ar: "تغطية مخزون المياه" },
  },
  solar_share: {
    goal: "resources",
    unit: share,
    better: "up",
    title: { en: "Solar share", ar: "حصة الطاقة الشمسية" },
  },
  food_reserve_cover: {
    goal: "resources",
    unit: "mo",
    better: "up",
    title: { en: "Food reserve cover", ar: "تغطية المخزون الغذائي" },
  },
  food_self_sufficiency: {
    goal: "resources",
    unit: share,
    better: "up",
    title: { en: "Food self-sufficiency", ar: "الاكتفاء الذاتي الغذائي" },
  },
  water_quality: {
    goal: "health",
    unit: share,
    better: "up",
    title: { en: "Drinking water within limits", ar: "مياه الشرب ضمن الحدود" },
  },
  emergency_corridor_time: {
    goal: "health",
    unit: "min",
    better: "down",
    title: { en: "Emergency corridor time", ar: "زمن محاور الطوارئ" },
  },
  venue_egress_time: {
    goal: "sports",
    unit: "min",
    better: "down",
    title: { en: "Venue egress time", ar: "زمن إخلاء الملاعب" },
  },
  completeness: {
    goal: "governance",
    unit: share,
    better: "up",
    title: { en: "Completeness", ar: "الاكتمال" },
  },
  delivery: { goal: "governance", unit: share, better: "up", title: { en: "Delivery", ar: "التسليم" } },
  freshness: { goal: "governance", unit: "s", better: "down", title: { en: "Freshness", ar: "الحداثة" } },
  alert_response: {
    goal: "governance",
    unit: "h",
    better: "down",
    title: { en: "Alert response", ar: "الاستجابة للتنبيهات" },
  },
} as const satisfies Record<string, Indicator>;
export type IndicatorName = keyof typeof indicators;
