// What `/metrics` is made of: values that are asked for at each scrape, and counts of what happens. Touches nothing but the
// registry that it is handed; prom-client's own global one stays empty.
import Counter from "prom-client/lib/counter.js";
import Gauge from "prom-client/lib/gauge.js";
import Histogram from "prom-client/lib/histogram.js";
import Registry from "prom-client/lib/registry.js";

export type { Counter, Histogram, Registry };

/** What the status server prints: the text format of Prometheus, version 0.0.4. */
export interface MetricsText {
  contentType: string;
  metrics(): Promise<string>;
}

export interface Described<L extends string> {
  name: string;
  help: string;
  labels?: readonly L[];
}

/** One line of a metric. */
export interface Sample<L extends string> {
  labels?: Readonly<Record<L, string>>;
  value: number;
}

export const createRegistry = (): Registry => new Registry();

/** A gauge that `read` is asked for at each scrape. What is not known is left out: a number would be taken for a fact. */
export function gaugeOf<L extends string = never>(
  registry: Registry,
  { name, help, labels = [] }: Described<L>,
  read: () => readonly Sample<L>[] | number | null,
): void {
  new Gauge<string>({
    name,
    help,
    labelNames: labels,
    registers: [registry],
    collect() {
      this.reset();
      if (labels.length === 0) this.remove(); // or it would say 0
      for (const { labels: of, value } of samplesOf(read())) this.set({ ...of }, value);
    },
  });
}

/** A counter that is kept elsewhere and asked for at each scrape. */
export function countOf<L extends string = never>(
  registry: Registry,
  { name, help, labels = [] }: Described<L>,
  read: () => readonly Sample<L>[] | number,
): void {
  new Counter<string>({
    name,
    help,
    labelNames: labels,
    registers: [registry],
    collect() {
      this.reset();
      for (const { labels: of, value } of samplesOf(read())) this.inc({ ...of }, value);
    },
  });
}

/** A counter that counts from the start of the program. */
export function counter<L extends string = never>(
  registry: Registry,
  { name, help, labels = [] }: Described<L>,
): Counter<L> {
  return new Counter<L>({ name, help, labelNames: labels, registers: [registry] });
}

/** `buckets` are upper bounds, in the unit of the name. */
export function histogram(
  registry: Registry,
  { name, help, buckets }: { name: string; help: string; buckets: number[] },
): Histogram {
  return new Histogram({ name, help, buckets, registers: [registry] });
}

function samplesOf<L extends string>(read: readonly Sample<L>[] | number | null): readonly Sample<L>[] {
  if (read === null) return [];
  return typeof read === "number" ? [{ value: read }] : read;
}
