// Names the runs that broke a law, and how to see each of them whole. Pure.
import type { Verdict } from "./run-one.ts";
import type { Task } from "./tasks.ts";

export function breachLines(verdicts: readonly Verdict[], tasks: readonly Task[]): string[] {
  const failing = verdicts.filter(broken);
  const seeds = failing.map(({ seed }) => seed).join(", ");
  return [
    ...failing.flatMap(({ seed, breaches, shortest }) => [
      `seed ${seed} breaks:`,
      ...[...breaches, ...shortest].map((line) => `  ${line}`),
      ...tasks.filter((task) => task.seed === seed).map((task) => `  full timeline: ${repeatOf(task)}`),
    ]),
    `${podHoursText(tasks)}, ${failing.length} seeds break a law`,
    ...(failing.length === 0 ? [] : [`failing seeds: ${seeds}`]),
  ];
}

export const broken = ({ breaches }: Verdict): boolean => breaches.length > 0;

function podHoursText(tasks: readonly Task[]): string {
  return `${tasks.length} seeds, ${tasks.reduce((sum, { hours, pods }) => sum + hours * pods, 0)} pod-hours`;
}

/** The command that makes the same run. */
function repeatOf({ seed, hours, pods, fleet, mix, order }: Task): string {
  const flags = [`--seed ${seed} --hours ${hours} --pods ${pods}`, fleet ? "--fleet" : "--no-fleet"];
  if (mix !== undefined && mix !== "hard") flags.push(`--mix ${mix}`);
  if (order !== undefined && mix === "quality") flags.push(`--order ${order}`);
  return `npm run simulate -- ${flags.join(" ")}`;
}
