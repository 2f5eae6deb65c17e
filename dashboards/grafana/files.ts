import type * as dashboard from "@grafana/grafana-foundation-sdk/dashboard";
import { format } from "oxfmt";
import { stringify } from "yaml";
import { type Board, drawBoard } from "./board.ts";
import { city } from "./boards/city.ts";
import { energy } from "./boards/energy.ts";
import { food } from "./boards/food.ts";
import { forecasts } from "./boards/forecasts.ts";
import { gatewaysBoard } from "./boards/gateways.ts";
import { goalsBoard } from "./boards/goals.ts";
import { platform } from "./boards/platform.ts";
import { traffic } from "./boards/traffic.ts";
import { water } from "./boards/water.ts";
import { type Language, languages } from "./language.ts";
import { provisioningFiles } from "./provisioning.ts";
import { boardSchema } from "./schema.ts";

export const boards: readonly Board[] = [
  city,
  traffic,
  water,
  energy,
  food,
  goalsBoard,
  forecasts,
  gatewaysBoard,
  platform,
];

export interface DrawnBoard {
  readonly board: Board;
  readonly language: Language;
  /** As Grafana reads it: what JSON keeps. */
  readonly json: dashboard.Dashboard;
}

export function drawnBoards(): DrawnBoard[] {
  return languages.flatMap((language) =>
    boards.map((board) => ({
      board,
      language,
      json: JSON.parse(JSON.stringify(drawBoard(board, language))) as dashboard.Dashboard,
    })),
  );
}

/** Every generated file, by its path in the repository. @param printWidth  of the repository's formatter */
export async function generatedFiles(printWidth: number): Promise<Map<string, string>> {
  const files = new Map<string, string>([
    ["dashboards/grafana/schema/board.json", JSON.stringify(boardSchema())],
    ...drawnBoards().map(
      ({ board, language, json }) =>
        [`${boardsFolder}/${language}/${board.name}.json`, JSON.stringify(json)] as const,
    ),
    ...[...provisioningFiles()].map(
      ([path, content]) =>
        [`${provisioningFolder}/${path}`, madeBy + stringify(content, { lineWidth: 0 })] as const,
    ),
  ]);
  const formatted = [...files].map(async ([path, text]) => {
    const { code } = await format(path, text, { printWidth });
    return [path, code] as const;
  });
  return new Map(await Promise.all(formatted));
}

export const boardsFolder = "dashboards/grafana/json";
export const provisioningFolder = "deploy/grafana/provisioning";
/** Folders that hold nothing else. */
export const generatedFolders = [boardsFolder, provisioningFolder, "dashboards/grafana/schema"];
const madeBy = "# Made by `npm run docs` from dashboards/grafana; do not edit.\n";
