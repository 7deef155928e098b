import { expect, test } from "vitest";
import type { FleetNumbers } from "../../bench/fleet-phases.ts";
import { fleetPlot } from "../../bench/fleet-plot.ts";

const numbers = (coldStart: number | null): FleetNumbers => ({
  coldStart,
  rollout: null,
  outage: null,
  mostDown: null,
  longestDown: null,
  longestWithoutBoot: null,
  refused: 5,
  calls: 100,
  idleCalls: null,
  redisOperations: 0,
  simulatedHours: 1,
});

const points = (svg: string) => [...svg.matchAll(/<polyline[^>]* points="([^"]*)"/g)].map(([, at]) => at);

test("each program has a line over the number of pods, on logarithmic axes", () => {
  const svg = fleetPlot([
    { program: "store", pods: 1, numbers: numbers(1) },
    { program: "store", pods: 10, numbers: numbers(10) },
    { program: "store", pods: 100, numbers: numbers(100) },
  ]);
  const [coldStart] = points(svg);
  expect(coldStart).toBe("56,216 210,128 364,40");
});

test("a run that did not end has no point, and the plot is one SVG element", () => {
  const svg = fleetPlot([
    { program: "naive", pods: 1, numbers: numbers(1) },
    { program: "naive", pods: 50, numbers: numbers(null) },
  ]);
  expect(points(svg)[0]?.split(" ")).toHaveLength(1);
  expect(svg).toMatch(/^<svg [^>]*>[\s\S]*<\/svg>\n$/);
  expect(svg).not.toContain("NaN");
});
