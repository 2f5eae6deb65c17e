import type { Catalogue, Measurement } from "#telemetry/catalogue.ts";
import type { Bands } from "./dead-band.ts";
import { FieldLayout, maxFields } from "./field-scanner.ts";
import type { FieldKind, FilterRule } from "./rule.ts";
import type { AverageFields } from "./window-average.ts";

/** What a rule says of the fields of one measurement, by slot; it follows the layout as that grows. */
export class RuleFields {
  readonly rule: FilterRule;
  readonly layout: FieldLayout;
  readonly bands: Bands = { absolute: new Float64Array(maxFields), share: new Float64Array(maxFields) };
  readonly averages: AverageFields & { readonly kinds: (FieldKind | undefined)[] } = {
    kinds: [],
    weights: new Int8Array(maxFields).fill(-1),
  };
  readonly #measurement: Measurement | undefined;

  constructor(rule: FilterRule, measurement: string, catalogue: Catalogue) {
    this.rule = rule;
    const index = catalogue.indexOf(measurement);
    this.#measurement = index === undefined ? undefined : catalogue.measurements[index];
    this.layout = new FieldLayout(
      this.#measurement && new Set(this.#measurement.fields.map(({ name }) => name)),
    );
  }

  /** To be called when a line was scanned: it may have brought new fields. */
  follow(): void {
    const { kinds } = this.averages;
    if (kinds.length === this.layout.size) return;
    while (kinds.length < this.layout.size) this.#add(this.layout.names[kinds.length]!);
    // A field may have come before the one that weights it.
    for (const [slot, name] of this.layout.names.entries()) {
      const weight = this.#measurement?.fields.find((field) => field.name === name)?.weighted_by;
      if (weight !== undefined) this.averages.weights[slot] = this.layout.names.indexOf(weight);
    }
  }

  #add(name: string): void {
    const slot = this.averages.kinds.length;
    const field = this.#measurement?.fields.find((known) => known.name === name);
    const kind = field?.state === true ? "state" : field?.kind;
    this.averages.kinds.push(this.rule.average?.kinds[name] ?? kind);
    const band = this.rule.dead_band?.[name] ?? 0;
    if (typeof band === "number") this.bands.absolute[slot] = band;
    else this.bands.share[slot] = Number(band.slice(0, -1)) / 100;
  }
}
