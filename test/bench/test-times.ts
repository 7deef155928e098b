// Sums up a report of vitest: where the time of the tests goes. Pure.

/** What of vitest's JSON report is read. Times in ms. */
export interface TestReport {
  testResults: {
    name: string;
    startTime: number;
    endTime: number;
    assertionResults: { fullName: string; duration?: number | null }[];
  }[];
}

/**
 * The files and the tests that took longest, and the sum of all. Files run side by side, so the sum is longer than the run; what a file
 * takes depends on what ran beside it.
 */
export function timesTable(
  { testResults }: TestReport,
  count: number,
  shortened: (path: string) => string = (path) => path,
): string[] {
  const files = testResults.map(({ name, startTime, endTime }) => ({ name: shortened(name), ms: endTime - startTime }));
  const tests = testResults.flatMap(({ name, assertionResults }) =>
    assertionResults.map(({ fullName, duration }) => ({ name: `${shortened(name)}: ${fullName}`, ms: duration ?? 0 })),
  );
  return [
    `${tests.length} tests in ${files.length} files, ${seconds(sum(files))} s one after the other`,
    ...folders(files).map((one) => line(one)),
    "",
    "The files that take longest:",
    ...longest(files, count).map(line),
    "",
    "The tests that take longest:",
    ...longest(tests, count).map(line),
  ];
}

interface Timed {
  name: string;
  ms: number;
}

/** The sums of the first two folders of the paths. */
function folders(files: readonly Timed[]): Timed[] {
  const sums = new Map<string, number>();
  for (const { name, ms } of files) {
    const folder = name.split("/").slice(0, 2).join("/");
    sums.set(folder, (sums.get(folder) ?? 0) + ms);
  }
  return longest([...sums].map(([name, ms]) => ({ name, ms })));
}

const longest = (timed: readonly Timed[], count?: number) => timed.toSorted((a, b) => b.ms - a.ms).slice(0, count);
const sum = (timed: readonly Timed[]) => timed.reduce((total, { ms }) => total + ms, 0);
const seconds = (ms: number) => (ms / 1000).toFixed(1);
const line = ({ name, ms }: Timed) => `${seconds(ms).padStart(8)} s  ${name}`;
