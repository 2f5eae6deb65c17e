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
      position: [51.531, 25.285],
      name: { en: "Doha", ar: "الدوحة" },
      aliases: ["Ad Dawhah"],
      districts: [
        {
          code: "QA-DA-msheireb",
          position: [51.527, 25.287],
          name: { en: "Msheireb", ar: "مشيرب" },
          aliases: ["Msheireb Downtown"],
        },
        {
          code: "QA-DA-al-dafna",
          position: [51.527, 25.32],
          name: { en: "Al Dafna", ar: "الدفنة" },
          aliases: ["West Bay"],
        },
        {
          code: "QA-DA-old-airport",
          position: [51.552, 25.258],
          name: { en: "Old Airport", ar: "المطار العتيق" },
          aliases: [],
        },
        { code: "QA-DA-al-sadd", position: [51.5, 25.285], name: { en: "Al Sadd", ar: "السد" }, aliases: [] },
        {
          code: "QA-DA-industrial-area",
          position: [51.43, 25.2],
          name: { en: "Industrial Area", ar: "المنطقة الصناعية" },
          aliases: [],
        },
      ],
    },
    {
      code: "QA-RA",
      position: [51.424, 25.292],
      name: { en: "Al Rayyan", ar: "الريان" },
      aliases: [],
      districts: [
        {
          code: "QA-RA-education-city",
          position: [51.435, 25.315],
          name: { en: "Education City", ar: "المدينة التعليمية" },
          aliases: [],
        },
        {
          code: "QA-RA-al-gharrafa",
          position: [51.44, 25.335],
          name: { en: "Al Gharrafa", ar: "الغرافة" },
          aliases: [],
        },
        {
          code: "QA-RA-muaither",
          position: [51.4, 25.27],
          name: { en: "Muaither", ar: "معيذر" },
          aliases: [],
        },
      ],
    },
    {
      code: "QA-WA",
      position: [51.603, 25.171],
      name: { en: "Al Wakrah", ar: "الوكرة" },
      aliases: ["Al Wakra"],
      districts: [
        {
          code: "QA-WA-al-wukair",
          position: [51.537, 25.13],
          name: { en: "Al Wukair", ar: "الوكير" },
          aliases: [],
        },
        {
          code: "QA-WA-mesaieed",
          position: [51.55, 24.99],
          name: { en: "Mesaieed", ar: "مسيعيد" },
          aliases: [],
        },
        {
          code: "QA-WA-hamad-port",
          position: [51.61, 25.02],
          name: { en: "Hamad Port", ar: "ميناء حمد" },
          aliases: [],
        },
      ],
    },
    {
      code: "QA-US",
      position: [51.404, 25.415],
      name: { en: "Umm Salal", ar: "أم صلال" },
      aliases: [],
      districts: [
        {
          code: "QA-US-umm-salal-mohammed",
          position: [51.404, 25.415],
          name: { en: "Umm Salal Mohammed", ar: "أم صلال محمد" },
          aliases: [],
        },
        {
          code: "QA-US-al-kharaitiyat",
          position: [51.43, 25.39],
          name: { en: "Al Kharaitiyat", ar: "الخريطيات" },
          aliases: [],
        },
      ],
    },
    {
      code: "QA-KH",
      position: [51.505, 25.684],
      name: { en: "Al Khor and Al Thakhira", ar: "الخور والذخيرة" },
      aliases: ["Al Khor", "الخور"],
      districts: [
        {
          code: "QA-KH-ras-laffan",
          position: [51.55, 25.9],
          name: { en: "Ras Laffan", ar: "رأس لفان" },
          aliases: [],
        },
        {
          code: "QA-KH-al-thakhira",
          position: [51.54, 25.73],
          name: { en: "Al Thakhira", ar: "الذخيرة" },
          aliases: [],
        },
      ],
    },
    {
      code: "QA-ZA",
      position: [51.45, 25.53],
      name: { en: "Al Daayen", ar: "الظعاين" },
      aliases: ["الضعاين"],
      districts: [
        { code: "QA-ZA-lusail", position: [51.49, 25.42], name: { en: "Lusail", ar: "لوسيل" }, aliases: [] },
        {
          code: "QA-ZA-umm-qarn",
          position: [51.42, 25.56],
          name: { en: "Umm Qarn", ar: "أم قرن" },
          aliases: [],
        },
      ],
    },
    {
      code: "QA-MS",
      position: [51.201, 26.129],
      name: { en: "Al Shamal", ar: "الشمال" },
      aliases: [],
      districts: [
        {
          code: "QA-MS-madinat-ash-shamal",
          position: [51.2, 26.13],
          name: { en: "Madinat ash Shamal", ar: "مدينة الشمال" },
          aliases: [],
        },
        {
          code: "QA-MS-al-ruwais",
          position: [51.2, 26.14],
          name: { en: "Al Ruwais", ar: "الرويس" },
          aliases: [],
        },
      ],
    },
    {
      code: "QA-SH",
      position: [51.222, 25.371],
      name: { en: "Al Sheehaniya", ar: "الشيحانية" },
      aliases: ["الشحانية"],
      districts: [
        { code: "QA-SH-dukhan", position: [50.78, 25.43], name: { en: "Dukhan", ar: "دخان" }, aliases: [] },
        {
          code: "QA-SH-umm-bab",
          position: [50.8, 25.21],
          name: { en: "Umm Bab", ar: "أم باب" },
          aliases: [],
        },
        {
          code: "QA-SH-al-jemailiya",
          position: [51.08, 25.61],
          name: { en: "Al Jemailiya", ar: "الجميلية" },
          aliases: [],
        },
      ],
    },
  ],
};
