/** Food whose stock and origin a city watches; the strategic goals have a target for each. */
export const commodities = {
  vegetables: { en: "Vegetables", ar: "خضروات" },
  sheep_goat_meat: { en: "Sheep and goat meat", ar: "لحوم أغنام وماعز" },
  fish: { en: "Fish", ar: "أسماك" },
  dairy: { en: "Dairy", ar: "ألبان" },
  fresh_chicken: { en: "Fresh chicken", ar: "دجاج طازج" },
  table_eggs: { en: "Table eggs", ar: "بيض مائدة" },
  wheat: { en: "Wheat", ar: "قمح" },
  rice: { en: "Rice", ar: "أرز" },
  sugar: { en: "Sugar", ar: "سكر" },
  edible_oil: { en: "Edible oil", ar: "زيوت طعام" },
} as const;
export type Commodity = keyof typeof commodities;
export const commodityNames = Object.keys(commodities) as [Commodity, ...Commodity[]];
