import { expect, test } from "vitest";
import { soakPlot } from "../../bench/soak-plot.ts";
import { type SoakSample, soakFinding } from "../../bench/soak-verdict.ts";

const MINUTES = 40;

/** One sample a minute. */
function samples(over: (minute: number) => Partial<SoakSample>): SoakSample[] {
  return Array.from({ length: MINUTES }, (_, i) => ({
    at: 60 * (i + 1),
    memoryMb: 60,
    descriptors: 20,
    loopDelayMs: 2,
    cpuSeconds: i,
    ...over(i + 1),
  }));
}

test("what stays the same is flat", () => {
  const same = samples(() => ({}));
  expect(soakFinding(same, "memoryMb")).toEqual({ measure: "memoryMb", early: 60, late: 60, isFlat: true });
  expect(soakFinding(same, "descriptors")).toMatchObject({ isFlat: true });
  expect(soakFinding(same, "loopDelayMs")).toMatchObject({ isFlat: true });
});

test("a leak of 0.3 MB a minute has grown, whatever the first quarter was", () => {
  const leak = samples((minute) => ({ memoryMb: minute <= 10 ? 100 : 60 + 0.3 * minute }));
  expect(soakFinding(leak, "memoryMb")).toMatchObject({ isFlat: false });
});

test("a descriptor that is lost every five minutes has grown", () => {
  const leak = samples((minute) => ({ descriptors: 20 + Math.floor(minute / 5) }));
  expect(soakFinding(leak, "descriptors")).toMatchObject({ early: 23, late: 27, isFlat: false });
});

test("an event loop that is late at the end has grown", () => {
  const late = samples((minute) => ({ loopDelayMs: minute > 30 ? 40 : 4 }));
  expect(soakFinding(late, "loopDelayMs")).toMatchObject({ isFlat: false });
});

test("a program whose event loop is not measured has no finding about it", () => {
  expect(
    soakFinding(
      samples(() => ({ loopDelayMs: null })),
      "loopDelayMs",
    ),
  ).toBeNull();
  expect(soakFinding([], "memoryMb")).toBeNull();
});

test("the plot has one line for each program and measure, and a mark for each fault", () => {
  const svg = soakPlot(
    new Map([
      ["provisioner", samples(() => ({}))],
      ["nginx", samples(() => ({ loopDelayMs: null }))],
    ]),
    [60, 300],
  );
  expect(svg.match(/<polyline/g)).toHaveLength(5);
  expect(svg.match(/stroke="#bbb"/g)).toHaveLength(6);
  expect(svg).toContain("resident memory, MB");
});
