/** Wrong passwords that are free, and how soon one more is afterwards. */
interface Allowance {
  readonly burst: number;
  readonly every_ms: number;
}

/** Of one address, whatever names it tries. */
const ofAddress: Allowance = { burst: 20, every_ms: 3_000 };
/** For one name, over all addresses from which nobody has signed in under it. */
const ofName: Allowance = { burst: 10, every_ms: 1_000 };
/** For one name from an address where its password was right before. */
const ofFamiliar: Allowance = { burst: 10, every_ms: 3_000 };

/** Names and addresses that are remembered, of each kind; beyond it the one that was seen longest ago is forgotten. */
const remembered = 10_000;

/** Of a try that was let through. */
export interface Try {
  /** The password was right: the try costs nothing, and its address is familiar from now on. */
  succeed(): void;
  /** Nobody looked at the password: the try costs nothing. */
  cancel(): void;
}

/**
 * Slows the guessing of passwords without shutting anybody out: each wrong one uses up an allowance that fills again with time. Strangers use up a name's
 * allowance among themselves; who has signed in from an address before has an allowance of its own there, so that no stranger elsewhere can take it.
 * The memory is bounded.
 */
export class Attempts {
  readonly #now: () => number;
  readonly #addresses: Allowances;
  readonly #names: Allowances;
  readonly #pairs: Allowances;
  readonly #familiar = new Recent<true>();

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
    this.#addresses = new Allowances(ofAddress);
    this.#names = new Allowances(ofName);
    this.#pairs = new Allowances(ofFamiliar);
  }

  /** Takes a try from every allowance that it belongs to. @returns milliseconds until there is one again when there is none */
  begin(name: string, address: string): Try | number {
    const now = this.#now();
    const network = networkOf(address);
    const pair = `${name}\n${network}`;
    const charged: [Allowances, string][] = this.#familiar.has(pair)
      ? [[this.#pairs, pair]]
      : [
          [this.#addresses, network],
          [this.#names, name],
        ];
    const wait = Math.max(...charged.map(([allowances, key]) => allowances.wait(key, now)));
    if (wait > 0) return wait;
    for (const [allowances, key] of charged) allowances.use(key, now, 1);
    const cancel = (): void => {
      for (const [allowances, key] of charged) allowances.use(key, this.#now(), -1);
    };
    return {
      cancel,
      succeed: () => {
        cancel();
        this.#familiar.set(pair, true);
      },
    };
  }
}

/** Leaky buckets by key; what is empty is not kept. */
class Allowances {
  readonly #allowance: Allowance;
  readonly #used = new Recent<{ readonly amount: number; readonly at: number }>();

  constructor(allowance: Allowance) {
    this.#allowance = allowance;
  }

  /** Milliseconds until there is one; 0: now. */
  wait(key: string, now: number): number {
    const { burst, every_ms } = this.#allowance;
    return Math.max(0, (this.#amount(key, now) - (burst - 1)) * every_ms);
  }

  use(key: string, now: number, count: number): void {
    const amount = this.#amount(key, now) + count;
    if (amount > 0) this.#used.set(key, { amount, at: now });
    else this.#used.delete(key);
  }

  #amount(key: string, now: number): number {
    const used = this.#used.get(key);
    return used === undefined ? 0 : Math.max(0, used.amount - (now - used.at) / this.#allowance.every_ms);
  }
}

/** A map that forgets what was set longest ago. */
class Recent<Value> {
  readonly #values = new Map<string, Value>();

  has(key: string): boolean {
    return this.#values.has(key);
  }

  get(key: string): Value | undefined {
    return this.#values.get(key);
  }

  set(key: string, value: Value): void {
    this.#values.delete(key);
    this.#values.set(key, value);
    const [oldest] = this.#values.keys();
    if (oldest !== undefined && this.#values.size > remembered) this.#values.delete(oldest);
  }

  delete(key: string): void {
    this.#values.delete(key);
  }
}

/** Whoever has one IPv6 address has the 2^64 beside it. Some proxies add the client's port, which is another one each time. */
export function networkOf(address: string): string {
  const withoutPort = address.replace(/^\[(.*)\](?::\d+)?$/, "$1").replace(/^([\d.]+):\d+$/, "$1");
  const plain = withoutPort.replace(/^::ffff:(?=\d+\.)/, "").replace(/%.*$/, "");
  if (!plain.includes(":")) return plain;
  const [head = "", tail = ""] = plain.split("::");
  const [before, after] = [groupsOf(head), groupsOf(tail)];
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => "0");
  const network = [...before, ...zeros, ...after].slice(0, 4);
  return `${network.map((group) => Number.parseInt(group, 16).toString(16)).join(":")}::/64`;
}

function groupsOf(text: string): string[] {
  return text === "" ? [] : text.split(":");
}
