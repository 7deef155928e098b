// Gauges that are read at each scrape, counters and histograms for `/metrics`. Touches only the registry that it gets;
// prom-client's global registry stays empty.
import Counter from "prom-client/lib/counter.js";
import Gauge from "prom-client/lib/gauge.js";
import Histogram from "prom-client/lib/histogram.js";
import Registry from "prom-client/lib/registry.js";
import { VERSION } from "./version.ts";

export type { Counter, Histogram, Registry };

/** The answer of `/metrics`: the text format of Prometheus, version 0.0.4. */
export interface MetricsText {
  contentType: string;
  metrics(): Promise<string>;
}

export interface MetricDescription<L extends string> {
  name: string;
  help: string;
  labels?: readonly L[];
}

/** A counter or histogram. */
export interface CountedDescription<L extends string> extends MetricDescription<L> {
  /**
   * The lines that are there from the start, at 0. A line that appears with its first event is already 1 when Prometheus first reads it,
   * so `increase()` does not see that event.
   */
  known?: readonly Readonly<Record<L, string>>[];
}

/** One line of a metric. */
export interface Sample<L extends string> {
  labels?: Readonly<Record<L, string>>;
  value: number;
}

type Reading<L extends string> = readonly Sample<L>[] | number | null;

export const createRegistry = (): Registry => new Registry();

/**
 * A gauge whose value is read at each scrape. An unknown value has no line, because any number would look like a fact. `read` must
 * not reject: the whole scrape would fail.
 */
export function gaugeOf<L extends string = never>(
  registry: Registry,
  { name, help, labels = [] }: MetricDescription<L>,
  read: () => Reading<L> | Promise<Reading<L>>,
): void {
  new Gauge<string>({
    name,
    help,
    labelNames: labels,
    registers: [registry],
    async collect() {
      const samples = samplesOf(await read());
      this.reset();
      if (labels.length === 0) this.remove(); // otherwise its line would be 0
      for (const sample of samples) this.set({ ...sample.labels }, sample.value);
    },
  });
}

/** A counter whose value is kept elsewhere and read at each scrape. */
export function countOf<L extends string = never>(
  registry: Registry,
  { name, help, labels = [] }: MetricDescription<L>,
  read: () => readonly Sample<L>[] | number,
): void {
  new Counter<string>({
    name,
    help,
    labelNames: labels,
    registers: [registry],
    collect() {
      this.reset();
      for (const sample of samplesOf(read())) this.inc({ ...sample.labels }, sample.value);
    },
  });
}

/** A counter that counts from the start of the program. */
export function counter<L extends string = never>(
  registry: Registry,
  { name, help, labels = [], known = [] }: CountedDescription<L>,
): Counter<L> {
  const counted = new Counter<L>({ name, help, labelNames: labels, registers: [registry] });
  for (const line of known) counted.inc({ ...line }, 0);
  return counted;
}

/** `buckets` are upper bounds in the unit of the metric's name. */
export function histogram<L extends string = never>(
  registry: Registry,
  { name, help, labels = [], known = [], buckets }: CountedDescription<L> & { buckets: number[] },
): Histogram<L> {
  const counted = new Histogram<L>({ name, help, buckets, labelNames: labels, registers: [registry] });
  for (const line of known) counted.zero({ ...line });
  return counted;
}

/** Which version of which program runs where. */
export function registerBuildInfo(registry: Registry, program: string): void {
  gaugeOf(
    registry,
    {
      name: "vast_pod_build_info",
      help: "1, with the name of the program and its version.",
      labels: ["program", "version"],
    },
    () => [{ labels: { program, version: VERSION }, value: 1 }],
  );
}

function samplesOf<L extends string>(read: Reading<L>): readonly Sample<L>[] {
  if (read === null) return [];
  return typeof read === "number" ? [{ value: read }] : read;
}
