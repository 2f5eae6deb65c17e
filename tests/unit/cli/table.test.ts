import { expect, test } from "vitest";
import { type Column, formatTable } from "#cli/table.ts";

interface Row {
  readonly place: string;
  readonly sensors?: number;
}

const columns: readonly Column<Row>[] = [
  { title: "PLACE", value: ({ place }) => place },
  { title: "SENSORS", value: ({ sensors }) => sensors, align: "right" },
];

test("columns are as wide as their widest cell, numbers stand right, what is unknown is a hyphen", () => {
  expect(formatTable(columns, [{ place: "Doha", sensors: 12 }, { place: "Al Wakrah" }])).toBe(
    "PLACE      SENSORS\nDoha            12\nAl Wakrah        -\n",
  );
});

test("marks on a letter take no room of their own", () => {
  expect(formatTable(columns, [{ place: "e\u0301", sensors: 1 }])).toBe(
    "PLACE  SENSORS\ne\u0301            1\n",
  );
});

test("text from outside cannot move the cursor", () => {
  expect(formatTable(columns, [{ place: "\u001B[2J\n", sensors: 1 }])).not.toContain("\u001B");
});

test("without rows there are the titles", () => {
  expect(formatTable(columns, [])).toBe("PLACE  SENSORS\n");
});
