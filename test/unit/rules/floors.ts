// Which rooms of the code exist, and which room may import which. The tables to edit when a room is added. Pure data.

/**
 * The rooms of a program from top to bottom: a folder, or a file beside the folders. A room imports from rooms on lower
 * floors only, so rooms on one floor know nothing of each other. Both programs stand on `common`.
 */
export const FLOORS: Readonly<Record<"provisioner" | "reloader", readonly (readonly string[])[]>> = {
  provisioner: [
    ["main"],
    ["commands"],
    ["doctor", "page"],
    ["screens"],
    ["reconcile", "serve", "report", "teardown", "settings"],
    ["release-server"],
    ["keep", "secrets"],
    ["expected-server"],
    ["act", "loop-state", "variables"],
    ["plan", "observe", "lease", "search"],
    ["state", "publish", "blacklist"],
    ["fleet", "template"],
    ["model"],
    ["vast", "redis", "kubernetes"],
  ],
  reloader: [
    ["main"],
    ["commands"],
    ["reconcile", "loop", "settings"],
    ["report", "variables"],
    ["plan", "watch"],
    ["apply"],
    ["inputs"],
    ["render", "disk-problem"],
    ["nginx"],
  ],
};

/** What each folder of test/ may import besides itself. No other folder may import test/, and only test/unit itself imports test/unit. */
export const TEST_IMPORTS: Readonly<Record<string, readonly string[]>> = {
  sandbox: ["common"],
  emulator: ["common"],
  fakes: ["common"],
  local: ["test/sandbox", "test/emulator", "common"],
  simulation: ["test/emulator", "provisioner", "common"],
  integration: [
    "test/sandbox",
    "test/fakes",
    "test/kubernetes",
    "test/emulator",
    "test/simulation",
    "provisioner",
    "reloader",
    "common",
  ],
  slow: ["test/integration", "test/sandbox"],
  docs: ["provisioner", "reloader", "common", "deploy"],
  kubernetes: ["test/sandbox", "test/docs", "common"],
  containers: ["test/sandbox", "test/integration", "test/kubernetes", "common"],
  cluster: ["test/sandbox", "test/integration", "test/kubernetes", "test/containers", "common"],
  bench: ["test/sandbox", "test/local", "test/integration", "test/simulation", "test/emulator", "reloader", "common"],
  unit: [
    "test/bench",
    "test/cluster",
    "test/docs",
    "test/emulator",
    "test/fakes",
    "test/kubernetes",
    "test/local",
    "test/sandbox",
    "test/simulation",
    "provisioner",
    "reloader",
    "common",
    "deploy",
  ],
};

/** Packages that only one file may import, because that file sets their safety defaults. */
export const PACKAGE_HOMES: Readonly<Record<string, string>> = { axios: "common/http.ts" };
