import { z } from "zod";
import { answers, type ApiContext, type ApiServer } from "../context.ts";
import { unknownName } from "../reading-query.ts";
import { GatewayAccount, Gateways, Totals } from "../schemas.ts";

export function gatewayRoutes(server: ApiServer, { port }: ApiContext): void {
  server.get(
    "/api/v1/gateways",
    {
      config: { access: "viewer" },
      schema: {
        tags: ["gateways"],
        summary: "Every gateway's ledger",
        description:
          "sent = stored + duplicate + refused + on its way, in readings; `balanced` says whether it holds.",
        response: answers("The ledgers.", Gateways),
      },
    },
    async () => ({ gateways: await port.accounts() }),
  );

  server.get(
    "/api/v1/gateways/:gateway",
    {
      config: { access: "viewer" },
      schema: {
        tags: ["gateways"],
        summary: "One gateway's ledger",
        description: "What became of the readings it sent.",
        params: z.object({ gateway: z.string() }),
        response: answers("The ledger.", GatewayAccount),
      },
    },
    async ({ params: { gateway } }) => {
      const accounts = await port.accounts();
      const account = accounts.find((one) => one.gateway === gateway);
      if (account) return account;
      const names = accounts.map((one) => one.gateway);
      throw unknownName("unknown-gateway", "gateway", gateway, names);
    },
  );

  server.get(
    "/api/v1/totals",
    {
      config: { access: "viewer" },
      schema: {
        tags: ["gateways"],
        summary: "Sums over all gateways",
        description: "Readings since the platform started, and how many are on their way now.",
        response: answers("The sums.", Totals),
      },
    },
    async () => port.totals(),
  );
}
