import { connectGateway, type MqttGateway } from "../../support/mqtt-gateway.ts";
import { admitGateway, type Platform, startPlatform } from "../../support/platform.ts";
import { tempFolder } from "../../support/temp-folder.ts";

/** A gateway of the test's own with its sensors registered. */
export interface OwnGateway extends MqttGateway {
  readonly name: string;
  readonly password: string;
  readonly agency: string;
}

export interface SharedPlatform extends AsyncDisposable {
  readonly platform: Platform;
  /** A gateway that no other test knows; each of `sensors` is announced as `NAME.sensor`. */
  readonly newGateway: (sensors?: readonly string[], options?: { agency?: string }) => Promise<OwnGateway>;
}

/** One platform for the tests of a file; what they do to it they do through gateways of their own. */
export async function sharePlatform(args: readonly string[] = []): Promise<SharedPlatform> {
  await using resources = new AsyncDisposableStack();
  const folder = resources.use(tempFolder("platform"));
  const platform = resources.use(await startPlatform({ folder: folder.path, args }));
  const all = resources.move();
  let gateways = 0;
  return {
    platform,
    async newGateway(sensors = ["a"], { agency = "mobility" } = {}) {
      const name = `gw-${(gateways += 1)}`;
      const identity = { name, agency };
      const password = await admitGateway(platform.data, identity);
      const gateway = await connectGateway({ identity, password, port: platform.mqttPort });
      if (sensors.length > 0) await gateway.birth(sensors.map((sensor) => `${name}.${sensor}`));
      return { ...gateway, name, password, agency };
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

/** A good reading of `sensor`, `ago` milliseconds old. */
export function flowLine(sensor: string, vehicles: number, time: number): string {
  return `traffic_flow,sensor=${sensor} vehicles=${vehicles},speed_avg=48.5 ${time}`;
}
