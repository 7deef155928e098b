import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

const CORES = availableParallelism();
// Such tests allocate a lot: a larger young generation saves a sixth of their time.
const YOUNG_GENERATION = ["--max-semi-space-size=64"];
// A minute of CPU time for `npm test`: what the simulation is, and what once went wrong.
const SHORT_SCENARIOS = ["api-outage", "determinism", "freeze", "pod-replacement", "regressions", "template-files"];
const SHORT = SHORT_SCENARIOS.map((name) => `test/simulation/${name}.test.ts`);
const SEEDS = "test/simulation/fault-mix.test.ts";
const SIMULATION = {
  // The files share the modules as well: what the compiler has learned of them in one file makes the next one faster.
  isolate: false,
  setupFiles: "test/unit/left-as-found.ts",
  testTimeout: 300_000,
  maxWorkers: CORES,
  execArgv: YOUNG_GENERATION,
};

export default defineConfig({
  test: {
    // Tests of real processes mostly wait for them and for clocks: more files than cores side by side keep the cores busy
    // with the others meanwhile.
    maxWorkers: Math.min(6 * CORES, 24),
    projects: [
      {
        test: {
          name: "unit",
          include: ["test/unit/**/*.test.ts"],
          // As many processes as cores for all files: a process for each would take twice as long.
          isolate: false,
          maxWorkers: CORES,
          execArgv: YOUNG_GENERATION,
          setupFiles: "test/unit/same-worker.ts",
          // The longest take 5 s of a core, of which a busy machine gives a tenth. Some prepare in a hook what all their tests read.
          testTimeout: 180_000,
          hookTimeout: 180_000,
        },
      },
      // They keep the cores busy by themselves, so they go after the others.
      { test: { ...SIMULATION, name: "simulation", include: SHORT, sequence: { groupOrder: 2 } } },
      {
        test: {
          ...SIMULATION,
          name: "scenarios",
          include: ["test/simulation/**/*.test.ts"],
          exclude: [...SHORT, SEEDS],
          sequence: { groupOrder: 2 },
        },
      },
      // Takes every core for its own processes.
      { test: { name: "seeds", include: [SEEDS], testTimeout: 120_000, sequence: { groupOrder: 3 } } },
      {
        test: {
          name: "containers",
          include: ["test/containers/**/*.test.ts"],
          globalSetup: "test/containers/setup.ts",
          testTimeout: 180_000,
          hookTimeout: 300_000,
        },
      },
      {
        test: {
          name: "kubernetes",
          include: ["test/kubernetes/**/*.test.ts"],
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: "cluster",
          include: ["test/cluster/**/*.test.ts"],
          // One node has to carry them.
          fileParallelism: false,
          testTimeout: 1_200_000,
          hookTimeout: 1_200_000,
        },
      },
      {
        test: {
          name: "integration",
          include: ["test/integration/**/*.test.ts"],
          globalSetup: "test/integration/build.ts",
          sequence: { groupOrder: 1 },
          // A process for each file would take a second of CPU time for each, most of it to load the same modules.
          isolate: false,
          setupFiles: "test/unit/left-as-found.ts",
          // Longer than a wait in a test, so that the wait says what it waited for.
          testTimeout: 400_000,
          hookTimeout: 180_000,
        },
      },
      {
        test: {
          name: "slow",
          include: ["test/slow/**/*.test.ts"],
          globalSetup: "test/integration/build.ts",
          testTimeout: 600_000,
        },
      },
    ],
  },
});
