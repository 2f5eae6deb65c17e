import type { City } from "./places.ts";

/**
 * Qatar's eight municipalities by ISO 3166-2, and the districts that sensors are placed in (codes are ours, below their
 * municipality's). Another city is another file like this one.
 */
export const qatar: City = {
  code: "QA",
  name: { en: "Qatar", ar: "قطر" },
  zone: "Asia/Qatar",
  first_day_of_week: "sunday",
  municipalities: [
    {
      code: "QA-DA",
      name: { en: "Doha", ar: "الدوحة" },
      aliases: ["Ad Dawhah"],
      districts: [
        { code: "QA-DA-msheireb", name: { en: "Msheireb", ar: "مشيرب" }, aliases: ["Msheireb Downtown"] },
        { code: "QA-DA-al-dafna", name: { en: "Al Dafna", ar: "الدفنة" }, aliases: ["West Bay"] },
        { code: "QA-DA-old-airport", name: { en: "Old Airport", ar: "المطار العتيق" }, aliases: [] },
        { code: "QA-DA-al-sadd", name: { en: "Al Sadd", ar: "السد" }, aliases: [] },
        {
          code: "QA-DA-industrial-area",
          name: { en: "Industrial Area", ar: "المنطقة الصناعية" },
          aliases: [],
        },
      ],
    },
    {
      code: "QA-RA",
      name: { en: "Al Rayyan", ar: "الريان" },
      aliases: [],
      districts: [
        {
          code: "QA-RA-education-city",
          name: { en: "Education City", ar: "المدينة التعليمية" },
          aliases: [],
        },
        { code: "QA-RA-al-gharrafa", name: { en: "Al Gharrafa", ar: "الغرافة" }, aliases: [] },
        { code: "QA-RA-muaither", name: { en: "Muaither", ar: "معيذر" }, aliases: [] },
      ],
    },
    {
      code: "QA-WA",
      name: { en: "Al Wakrah", ar: "الوكرة" },
      aliases: ["Al Wakra"],
      districts: [
        { code: "QA-WA-al-wukair", name: { en: "Al Wukair", ar: "الوكير" }, aliases: [] },
        { code: "QA-WA-mesaieed", name: { en: "Mesaieed", ar: "مسيعيد" }, aliases: [] },
        { code: "QA-WA-hamad-port", name: { en: "Hamad Port", ar: "ميناء حمد" }, aliases: [] },
      ],
    },
    {
      code: "QA-US",
      name: { en: "Umm Salal", ar: "أم صلال" },
      aliases: [],
      districts: [
        {
          code: "QA-US-umm-salal-mohammed",
          name: { en: "Umm Salal Mohammed", ar: "أم صلال محمد" },
          aliases: [],
        },
        { code: "QA-US-al-kharaitiyat", name: { en: "Al Kharaitiyat", ar: "الخريطيات" }, aliases: [] },
      ],
    },
    {
      code: "QA-KH",
      name: { en: "Al Khor and Al Thakhira", ar: "الخور والذخيرة" },
      aliases: ["Al Khor", "الخور"],
      districts: [
        { code: "QA-KH-ras-laffan", name: { en: "Ras Laffan", ar: "رأس لفان" }, aliases: [] },
        { code: "QA-KH-al-thakhira", name: { en: "Al Thakhira", ar: "الذخيرة" }, aliases: [] },
      ],
    },
    {
      code: "QA-ZA",
      name: { en: "Al Daayen", ar: "الظعاين" },
      aliases: ["الضعاين"],
      districts: [
        { code: "QA-ZA-lusail", name: { en: "Lusail", ar: "لوسيل" }, aliases: [] },
        { code: "QA-ZA-umm-qarn", name: { en: "Umm Qarn", ar: "أم قرن" }, aliases: [] },
      ],
    },
    {
      code: "QA-MS",
      name: { en: "Al Shamal", ar: "الشمال" },
      aliases: [],
      districts: [
        {
          code: "QA-MS-madinat-ash-shamal",
          name: { en: "Madinat ash Shamal", ar: "مدينة الشمال" },
          aliases: [],
        },
        { code: "QA-MS-al-ruwais", name: { en: "Al Ruwais", ar: "الرويس" }, aliases: [] },
      ],
    },
    {
      code: "QA-SH",
      name: { en: "Al Sheehaniya", ar: "الشيحانية" },
      aliases: ["الشحانية"],
      districts: [
        { code: "QA-SH-dukhan", name: { en: "Dukhan", ar: "دخان" }, aliases: [] },
        { code: "QA-SH-umm-bab", name: { en: "Umm Bab", ar: "أم باب" }, aliases: [] },
        { code: "QA-SH-al-jemailiya", name: { en: "Al Jemailiya", ar: "الجميلية" }, aliases: [] },
      ],
    },
  ],
};
