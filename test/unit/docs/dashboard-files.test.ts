import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { dashboardFiles } from "../../docs/dashboard-files.ts";
import { ROOT } from "../../docs/documents.ts";
import { provisionerMetrics, reloaderMetrics } from "../../docs/metrics.ts";

const registered = [...(await provisionerMetrics()), ...(await reloaderMetrics())];

describe.each([...dashboardFiles()])("%s", (path, content) => {
  const { panels }: { panels: { targets?: { expr: string }[] }[] } = JSON.parse(content);
  const expressions = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));

  test("is as made from its code: if not, run `npm run docs`", async () => {
    expect(await readFile(`${ROOT}${path}`, "utf8")).toBe(content);
  });

  test("names only metrics that the programs register, and only labels that these have", () => {
    const known = registered.flatMap(({ name, type, labels }) =>
      (type === "histogram" ? [`${name}_bucket`] : [name]).map((one) => ({ name: one, labels: [...labels, "le"] })),
    );
    const targetLabels = ["namespace", "pod"];
    expect(expressions.length).toBeGreaterThan(20);
    for (const expr of expressions) {
      const used = [...expr.matchAll(/vast_pod_[a-z_]+/g)].map(([name]) => known.find((one) => one.name === name));
      expect(used, expr).not.toContain(undefined);
      const labels = new Set([...targetLabels, ...used.flatMap((one) => one?.labels ?? [])]);
      const by = [...expr.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, names = ""]) => names.split(/, */));
      expect(
        by.filter((name) => name !== "" && !labels.has(name)),
        expr,
      ).toEqual([]);
    }
  });

  test("selects by the variables of the dashboard, so that other namespaces and pods are left out", () => {
    const selectors = expressions.flatMap((expr) => [...expr.matchAll(/vast_pod_[a-z_]+(\{[^}]*\})?/g)]);
    expect(selectors.filter(([, selector = ""]) => !selector.includes('namespace=~"$namespace"'))).toEqual([]);
  });
});
