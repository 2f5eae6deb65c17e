import type { Store } from "#store/port.ts";

/** The store, with some of its methods replaced. */
export function storeOver(store: Store, replaced: Partial<Store>): Store {
  return new Proxy(store, {
    get(target, key) {
      const value: unknown = Reflect.get(key in replaced ? replaced : target, key);
      return typeof value === "function" && !(key in replaced) ? value.bind(target) : value;
    },
  });
}
