import { expect, test } from "vitest";
import { historyNames, historyScreen } from "../../../../provisioner/screens/history-screen.ts";

const NOW = Date.UTC(2026, 10, 24, 12);
const plain = (_: string, text: string) => text;
const marked = (style: string, text: string) => `<${style}>${text}`;
const one = (minutesAgo: number, state: string, reason: string, message: string, instanceId: number | null = null) => ({
  at: new Date(NOW - minutesAgo * 60_000).toISOString(),
  state,
  reason,
  message,
  instanceId,
});
const HISTORY = [
  one(90, "provisioning", "no_instance", "there is no instance"),
  one(85, "ready", "instance_ready", "7 serves", 7),
  one(5, "blocked", "no_offer", "9 above\u001b[2J VAST_MAX_DPH"),
];
const document = { schema: 1, label: "k8s_pod=vast-pod-0", from: "provisioner", history: HISTORY } as const;

test("the history says since when, how long, what and why, the newest last", () => {
  expect(historyScreen(document, NOW, plain, null)).toBe(
    [
      "k8s_pod=vast-pod-0   as the provisioner here says\n",
      "SINCE (UTC)             FOR  STATE         REASON          INSTANCE  MESSAGE\n",
      "2026-11-24 10:30:00      5m  provisioning  no_instance            -  there is no instance\n",
      "2026-11-24 10:35:00  1h 20m  ready         instance_ready         7  7 serves\n",
      "2026-11-24 11:55:00     5m+  blocked       no_offer               -  9 above VAST_MAX_DPH\n",
    ].join(""),
  );
});

test("the names are the instances that the pod had, each once", () => {
  const history = [
    ...HISTORY,
    one(4, "provisioning", "instance_starting", "8 loads", 8),
    one(1, "ready", "instance_ready", "8", 8),
  ];
  expect(historyNames({ ...document, history })).toBe("7\n8\n");
});

test("on a narrow screen columns are left out and named", () => {
  const text = historyScreen(document, NOW, plain, 74);
  expect(text).toContain("(hidden to fit: FOR, INSTANCE; -o wide shows them)\n");
  for (const line of text.split("\n").slice(1)) expect(line.length).toBeLessThanOrEqual(74);
});

test("states have colours besides their words", () => {
  const text = historyScreen(document, NOW, marked, null);
  expect(text).toContain("<green>ready");
  expect(text).toContain("<red>blocked");
});

test("an empty history and its source are said in words", () => {
  expect(historyScreen({ ...document, from: "state_file", history: [] }, NOW, plain, 80)).toBe(
    "k8s_pod=vast-pod-0   from the state file: no provisioner answers here\nnothing has happened yet\n",
  );
});
