import { describe, expect, test } from "vitest";
import type { ApplyOutcome } from "../../../../reloader/apply/apply.ts";
import { foldOutcome } from "../../../../reloader/plan/fold-outcome.ts";
import type { ReloadInput } from "../../../../reloader/plan/input.ts";
import { EMPTY_MEMORY, type ReloadMemory } from "../../../../reloader/plan/memory.ts";
import { planReload } from "../../../../reloader/plan/plan-reload.ts";
import { addRefusal } from "../../../../reloader/plan/retry.ts";
import { configFor, PROXY, server } from "../samples.ts";
import { inputFor, unusable } from "./plan-input.ts";

const NOW = 1_000_000;
const NEW = server(2);
const OLD = server(1);
const SETTLED: ApplyOutcome = { kind: "settled", reload: null, why: null };
const DOWN: ApplyOutcome = { kind: "nginx_down", why: "nginx is not running" };
const refusal = (why = "no"): ApplyOutcome => ({ kind: "refused", why, rolledBack: true, running: true });

/** The memory after the pass that this input and memory lead to. */
function folded(input: ReloadInput, outcome: ApplyOutcome | null, memory: ReloadMemory = EMPTY_MEMORY, now = NOW) {
  return foldOutcome(memory, input, planReload(input, memory, now), outcome, now);
}

describe("a config that settled", () => {
  test("is what nginx was last proven to run, with the generation of the upstream file", () => {
    const { applied } = folded(inputFor(NEW), SETTLED);
    expect(applied).toEqual({ generation: 6, server: NEW, hash: configFor(NEW).hash });
  });

  test("keeps its earlier generation when it does not serve what is desired", () => {
    const applied = { generation: 5, server: OLD, hash: configFor(OLD).hash };
    const input = inputFor(NEW, { good: configFor(OLD), ...unusable("the file is gone") });
    expect(folded(input, SETTLED, { ...EMPTY_MEMORY, applied }).applied).toEqual(applied);
  });

  test("has generation 0 when this run has not proven it before", () => {
    const input = inputFor(NEW, { good: configFor(OLD), ...unusable("the file is gone") });
    expect(folded(input, SETTLED).applied).toMatchObject({ generation: 0, server: OLD });
  });

  test("ends its refusal when it is the desired one, and no refusal otherwise", () => {
    const refused = addRefusal(null, configFor(NEW).hash, "no", NOW);
    const memory = { ...EMPTY_MEMORY, refused };
    const input = inputFor(NEW, { good: configFor(OLD) });
    expect(folded(input, SETTLED, memory).refused).toEqual(refused);
    expect(folded(input, SETTLED, memory, NOW + 5_000).refused).toBeNull();
  });
});

describe("a config that nginx refused", () => {
  test("is remembered with its retry time", () => {
    const memory = folded(inputFor(NEW), refusal());
    expect(memory.refused).toMatchObject({ hash: configFor(NEW).hash, why: "no", failures: 1, retryAt: NOW + 5_000 });
    expect(memory.refusedFallback).toBeNull();
  });

  test("is remembered apart from the desired one when it is a fallback", () => {
    const refused = addRefusal(null, configFor(NEW).hash, "no", NOW);
    const memory = folded(inputFor(NEW, { good: configFor(OLD) }), refusal(), { ...EMPTY_MEMORY, refused });
    expect(memory.refused).toEqual(refused);
    expect(memory.refusedFallback).toMatchObject({ hash: configFor(OLD).hash, failures: 1 });
  });

  test("turns the access log off for good when nginx could not open that", () => {
    const proxy = { ...PROXY, accessLog: "/dev/stdout" };
    const why = 'open() "/dev/stdout" failed (6: No such device or address)';
    const memory = folded(inputFor(NEW, { proxy }), refusal(why));
    expect(memory.logRefusal).toBe(why);
    expect(folded(inputFor(NEW, { proxy }), SETTLED, memory).logRefusal).toBe(why);
  });

  test("has the setting in its message when nginx names the file of the authorities", () => {
    const proxy = { ...PROXY, tls: { authorities: "/ca.pem", name: null } };
    const memory = folded(inputFor(NEW, { proxy }), refusal('cannot load certificate "/ca.pem"'));
    expect(memory.refused?.why).toContain("set NGINX_UPSTREAM_TLS_CA to a PEM file");
  });
});

describe("an nginx that is down", () => {
  test("is down since the first pass without it", () => {
    const first = folded(inputFor(NEW), DOWN);
    expect(first.nginxDown).toEqual({ since: NOW, usedFallback: false });
    expect(folded(inputFor(NEW), DOWN, first, NOW + 1_000).nginxDown).toEqual({ since: NOW, usedFallback: false });
  });

  test("is remembered to have had a fallback config on the disk, until it is back", () => {
    const down = { ...EMPTY_MEMORY, nginxDown: { since: NOW, usedFallback: false } };
    const fallback = folded(inputFor(NEW), DOWN, down, NOW + 60_000);
    expect(fallback.nginxDown).toEqual({ since: NOW, usedFallback: true });
    expect(folded(inputFor(NEW), DOWN, fallback, NOW + 120_000).nginxDown?.usedFallback).toBe(true);
    expect(folded(inputFor(NEW), SETTLED, fallback, NOW + 120_000).nginxDown).toBeNull();
  });
});

test("a pass without a config to apply changes nothing", () => {
  const memory = { ...EMPTY_MEMORY, nginxDown: { since: NOW, usedFallback: true } };
  expect(folded(inputFor(NEW), null, memory)).toBe(memory);
});

test("an outcome that proves nothing keeps what was proven", () => {
  const applied = { generation: 5, server: OLD, hash: configFor(OLD).hash };
  const outcomes: ApplyOutcome[] = [DOWN, refusal(), { kind: "failed", why: "", because: "disk" }];
  for (const outcome of outcomes) {
    expect(folded(inputFor(NEW), outcome, Object.freeze({ ...EMPTY_MEMORY, applied })).applied).toEqual(applied);
  }
});
