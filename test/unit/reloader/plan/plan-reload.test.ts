import { describe, expect, test } from "vitest";
import { EMPTY_MEMORY, type ReloadMemory } from "../../../../reloader/plan/memory.ts";
import { planReload } from "../../../../reloader/plan/plan-reload.ts";
import { addRefusal } from "../../../../reloader/plan/retry.ts";
import { NO_RENDER_INPUTS } from "../../../../reloader/render/view.ts";
import { configFor, PROXY, server } from "../samples.ts";
import { inputFor, unusable } from "./plan-input.ts";

const NOW = 1_000_000;
const NEW = server(2);
const OLD = server(1);
/** A memory in which nginx has refused the desired config for this server a moment ago. */
const refusing = (to: typeof NEW | null): ReloadMemory => ({
  ...EMPTY_MEMORY,
  refused: addRefusal(null, configFor(to).hash, "no", NOW),
});

describe("while a server is desired", () => {
  test("plans its config, and writes no 503 page", () => {
    const plan = planReload(inputFor(NEW, { good: configFor(OLD) }), EMPTY_MEMORY, NOW);
    expect(plan).toMatchObject({ config: configFor(NEW), isDesired: true, serves: true, page: null });
  });

  test("plans the good config when nginx refused the desired one a short time ago", () => {
    const plan = planReload(inputFor(NEW, { good: configFor(OLD) }), refusing(NEW), NOW);
    expect(plan).toMatchObject({ config: configFor(OLD), isDesired: false, serves: false, page: null });
  });

  test("plans 503 when nginx refused the desired config and there is no good one", () => {
    const plan = planReload(inputFor(NEW), refusing(NEW), NOW);
    expect(plan).toMatchObject({ config: configFor(null), isDesired: false, serves: false });
    expect(plan.page).toMatchObject({ state: "unavailable", reason: "no_config" });
  });

  test("plans nothing when nginx refused the good config too", () => {
    const memory = { ...refusing(NEW), refusedFallback: addRefusal(null, configFor(OLD).hash, "no", NOW) };
    const plan = planReload(inputFor(NEW, { good: configFor(OLD) }), memory, NOW);
    expect(plan).toMatchObject({ config: null, isDesired: false, serves: false, page: null });
  });

  test("plans the desired config again when its wait is over", () => {
    const plan = planReload(inputFor(NEW, { good: configFor(OLD) }), refusing(NEW), NOW + 5_000);
    expect(plan).toMatchObject({ config: configFor(NEW), isDesired: true });
  });

  test("plans the good config when the desired one cannot be rendered", () => {
    const plan = planReload(
      inputFor(NEW, { good: configFor(OLD), ...unusable("the file is gone") }),
      EMPTY_MEMORY,
      NOW,
    );
    expect(plan).toMatchObject({ config: configFor(OLD), isDesired: false, desired: { problem: "the file is gone" } });
  });

  test("plans 503 with the reason when its name cannot be resolved and there is no good config", () => {
    const resolution = { known: false as const, why: "the name gpu.example cannot be resolved" };
    const plan = planReload(inputFor(server(80, "gpu.example"), { resolution }), EMPTY_MEMORY, NOW);
    expect(plan).toMatchObject({ config: configFor(null), desired: { config: null, problem: resolution.why } });
    expect(plan.page).toMatchObject({ state: "unavailable", reason: "name_not_resolved", message: resolution.why });
  });
});

describe("while no server is desired", () => {
  const own = { inputs: { render: { ...NO_RENDER_INPUTS, template: "{{{nothing}}}" }, usable: true, problem: null } };

  test("plans 503 with the provisioner's own message", () => {
    const input = inputFor(null, { good: configFor(OLD) });
    const plan = planReload(input, EMPTY_MEMORY, NOW);
    expect(plan).toMatchObject({ config: configFor(null), isDesired: true, serves: true });
    expect(plan.page).toEqual(input.upstream.desired.page);
  });

  test("plans 503 from the built-in template when the user's own cannot be rendered", () => {
    const input = inputFor(null, { good: configFor(OLD), ...own });
    const plan = planReload(input, EMPTY_MEMORY, NOW);
    expect(plan).toMatchObject({ config: configFor(null), isDesired: false, serves: true, desired: { config: null } });
    expect(plan.page).toEqual(input.upstream.desired.page);
  });

  test("plans nothing when nginx refused 503 too: the good config names a server that was withdrawn", () => {
    const plan = planReload(inputFor(null, { good: configFor(OLD) }), refusing(null), NOW);
    expect(plan).toMatchObject({ config: null, isDesired: false, serves: false, page: null });
  });
});

describe("while nginx is down", () => {
  const down = (since: number): ReloadMemory => ({ ...EMPTY_MEMORY, nginxDown: { since, usedFallback: false } });

  test("plans the desired config and a safer one in alternate minutes", () => {
    const input = inputFor(NEW, { good: configFor(OLD) });
    const servers = [0, 60_000, 120_000].map((ms) => planReload(input, down(NOW - ms), NOW).config?.server);
    expect(servers).toEqual([NEW, null, NEW]);
  });
});

describe("the access log", () => {
  const proxy = { ...PROXY, accessLog: "/dev/stdout" };

  test("is off, with a warning, when nginx' stdout is a socket", () => {
    const plan = planReload(inputFor(NEW, { proxy, logTarget: "socket:[7]" }), EMPTY_MEMORY, NOW);
    expect(plan.config?.text).not.toContain("/dev/stdout");
    expect(plan.desired.warnings).toEqual([expect.stringContaining("access log is off")]);
  });

  test("is off, with a warning, after nginx refused to open it", () => {
    const memory = { ...EMPTY_MEMORY, logRefusal: 'open() "/dev/stdout" failed (6: No such device or address)' };
    const plan = planReload(inputFor(NEW, { proxy }), memory, NOW);
    expect(plan.config?.text).not.toContain("/dev/stdout");
    expect(plan.desired.warnings).toEqual([expect.stringContaining("access log is off")]);
  });
});

test("the plan depends on its arguments alone, and does not change them", () => {
  const input = Object.freeze(inputFor(NEW, { good: configFor(OLD) }));
  const memory = Object.freeze(refusing(NEW));
  expect(planReload(input, memory, NOW)).toEqual(planReload(input, memory, NOW));
});
