import type * as dashboard from "@grafana/grafana-foundation-sdk/dashboard";
import { format } from "oxfmt";
import { type Board, drawBoard } from "./board.ts";
import { water } from "./boards/water.ts";
import { type Language, languages } from "./language.ts";
import { boardSchema } from "./schema.ts";

export const boards: readonly Board[] = [water];

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
  const files = new Map<string, object>([
    ["dashboards/grafana/schema/board.json", boardSchema()],
    ...drawnBoards().map(
      ({ board, language, json }) =>
        [`dashboards/grafana/json/${language}/${board.name}.json`, json] as const,
    ),
  ]);
  const formatted = [...files].map(async ([path, content]) => {
    const { code } = await format(path, JSON.stringify(content), { printWidth });
    return [path, code] as const;
  });
  return new Map(await Promise.all(formatted));
}
