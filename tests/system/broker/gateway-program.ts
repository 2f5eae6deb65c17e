import { gatewayCommand } from "#cli/gateway.ts";

// `marsad gateway …` alone, as a process of its own.
await gatewayCommand().parseAsync();
