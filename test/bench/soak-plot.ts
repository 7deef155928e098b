// Draws what a soak run has measured over time as an SVG: one plot for each measure, one line for each program. Pure.
import type { SoakMeasure, SoakSample } from "./soak-verdict.ts";

const PLOT = { width: 380, height: 220, left: 48, right: 12, top: 32, bottom: 40 };
const COLOURS = ["#15803d", "#2563eb", "#c2410c", "#7c3aed"];
const MEASURES: readonly { measure: SoakMeasure; title: string }[] = [
  { measure: "memoryMb", title: "resident memory, MB" },
  { measure: "descriptors", title: "open descriptors" },
  { measure: "loopDelayMs", title: "delay of the event loop, 99th percentile, ms" },
];

/** `faults`: when something was broken, in seconds; drawn as marks on the axis. */
export function soakPlot(programs: ReadonlyMap<string, readonly SoakSample[]>, faults: readonly number[]): string {
  const { width, height } = PLOT;
  const plots = MEASURES.map(
    (one, i) => `<g transform="translate(${i * width} 0)">${drawn(one.title, one.measure, programs, faults)}</g>`,
  );
  const size = `viewBox="0 0 ${width * MEASURES.length} ${height}"`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" ${size} font-family="sans-serif" font-size="11">`,
    "<title>Memory, descriptors and event loop of the programs over a run with faults</title>",
    `<rect width="100%" height="100%" fill="white"/>`,
    ...plots,
    "</svg>",
    "",
  ].join("\n");
}

function drawn(
  title: string,
  measure: SoakMeasure,
  programs: ReadonlyMap<string, readonly SoakSample[]>,
  faults: readonly number[],
): string {
  const { width, height, left, right, top, bottom } = PLOT;
  const all = [...programs.values()].flat();
  const end = Math.max(1, ...all.map(({ at }) => at));
  const most = Math.max(1, ...all.flatMap((sample) => sample[measure] ?? [])) * 1.1;
  const x = (at: number) => round(left + ((width - left - right) * at) / end);
  const y = (value: number) => round(height - bottom - ((height - top - bottom) * value) / most);
  const floor = height - bottom;
  const lines = [...programs].map(([name, samples], i) => {
    const points = samples.flatMap((sample) => {
      const value = sample[measure];
      return value === null ? [] : [`${x(sample.at)},${y(value)}`];
    });
    if (points.length === 0) return "";
    const colour = COLOURS[i % COLOURS.length];
    return `<polyline fill="none" stroke="${colour}" points="${points.join(" ")}"/><text x="${left + 8}" y="${top + 12 + 13 * i}" fill="${colour}">${name}</text>`;
  });
  return [
    `<text x="${left}" y="18" font-size="13">${title}</text>`,
    `<path fill="none" stroke="#888" d="M${left} ${top}V${floor}H${width - right}"/>`,
    ...faults.map((at) => `<path stroke="#bbb" d="M${x(at)} ${floor}v4"/>`),
    ...[0, 0.5, 1].map((share) => {
      const value = (share * most) / 1.1;
      return `<text x="${left - 6}" y="${y(value) + 4}" text-anchor="end">${Math.round(value)}</text>`;
    }),
    ...[0, 0.5, 1].map(
      (share) =>
        `<text x="${x(share * end)}" y="${floor + 16}" text-anchor="middle">${Math.round((share * end) / 60)}</text>`,
    ),
    `<text x="${(left + width - right) / 2}" y="${height - 8}" text-anchor="middle">minutes</text>`,
    ...lines,
  ].join("\n");
}

const round = (value: number) => Math.round(value * 10) / 10;
