// Draws what the fleet bench has measured as an SVG: two plots over the number of pods, both axes logarithmic. Pure.
import type { FleetRow } from "./fleet-table.ts";

const PLOT = { width: 380, height: 260, left: 56, right: 16, top: 40, bottom: 44 };
const COLOURS: Readonly<Record<string, string>> = { naive: "#c2410c", alone: "#2563eb", store: "#15803d" };

interface Plot {
  title: string;
  measured(row: FleetRow): number | null;
  /** The least value shown. */
  from: number;
}

const PLOTS: readonly Plot[] = [
  { title: "cold start, as a multiple of the least possible", measured: ({ numbers }) => numbers.coldStart, from: 1 },
  {
    title: "refused calls, % of all",
    measured: ({ numbers }) => (100 * numbers.refused) / Math.max(1, numbers.calls),
    from: 0.1,
  },
];

export function fleetPlot(rows: readonly FleetRow[]): string {
  const { width, height } = PLOT;
  const plots = PLOTS.map((plot, i) => `<g transform="translate(${i * width} 0)">${drawn(plot, rows)}</g>`);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width * PLOTS.length} ${height}" font-family="sans-serif" font-size="11">`,
    "<title>Cold start and refused calls over the number of pods that share one API key</title>",
    `<rect width="100%" height="100%" fill="white"/>`,
    ...plots,
    "</svg>",
    "",
  ].join("\n");
}

function drawn({ title, measured, from }: Plot, rows: readonly FleetRow[]): string {
  const { width, height, left, right, top, bottom } = PLOT;
  const values = rows.flatMap((row) => measured(row) ?? []);
  const most = Math.max(10 * from, ...values);
  const pods = [...new Set(rows.map((row) => row.pods))].sort((a, b) => a - b);
  const least = pods[0] ?? 1;
  const share = (value: number, low: number, high: number) =>
    high === low ? 0 : Math.log(Math.max(value, low) / low) / Math.log(high / low);
  const x = (n: number) => round(left + (width - left - right) * share(n, least, pods.at(-1) ?? 1));
  const y = (value: number) => round(height - bottom - (height - top - bottom) * share(value, from, most));
  const ticks = Array.from({ length: 8 }, (_, i) => from * 10 ** i).filter((value) => value <= most);
  const line = (program: string, i: number) => {
    const points = rows.flatMap((row) => {
      const value = row.program === program ? measured(row) : null;
      return value === null ? [] : [[x(row.pods), y(value)]];
    });
    const colour = COLOURS[program] ?? "black";
    return [
      `<polyline fill="none" stroke="${colour}" stroke-width="1.5" points="${points.map((at) => at.join(",")).join(" ")}"/>`,
      ...points.map(([cx, cy]) => `<circle cx="${cx}" cy="${cy}" r="2.5" fill="${colour}"/>`),
      `<text x="${left + 8}" y="${top + 12 + 14 * i}" fill="${colour}">${program}</text>`,
    ].join("");
  };
  return [
    `<text x="${left}" y="20" font-size="13">${title}</text>`,
    `<path fill="none" stroke="#888" d="M${left} ${top}V${height - bottom}H${width - right}"/>`,
    ...ticks.map((value) => `<text x="${left - 6}" y="${y(value) + 4}" text-anchor="end">${value}</text>`),
    ...pods.map((n) => `<text x="${x(n)}" y="${height - bottom + 16}" text-anchor="middle">${n}</text>`),
    `<text x="${(left + width - right) / 2}" y="${height - 8}" text-anchor="middle">pods</text>`,
    ...[...new Set(rows.map(({ program }) => program))].map(line),
  ].join("\n");
}

const round = (value: number) => Math.round(value * 10) / 10;
