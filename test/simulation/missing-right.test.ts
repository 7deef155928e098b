// The key loses the right to change instances while another image is wanted: what serves is withdrawn once for that, and no more.
import { describe, expect, test } from "vitest";
import { judge } from "./laws/all.ts";
import type { Injection, Scenario } from "./scenario.ts";
import { MINUTE_MS, podKilled, scenarioWith } from "./scenario-with.ts";
import { simulate } from "./simulation.ts";

const SINCE = 9;
const BACK = 39;
// Until the next rehearsal, which is at most 10 min away, the update itself, and a boot.
const SOON_MINUTES = 20;
const during = { at: SINCE * MINUTE_MS, forMs: (BACK - SINCE) * MINUTE_MS };
const scopes = ["misc", "user_read", "instance_read"];
const lost: Injection = { ...during, kind: "account", set: { scopes }, back: { scopes: null } };
const image = (atMinute: number, name: string): Injection => {
  return { kind: "image", at: atMinute * MINUTE_MS, image: name, losesDisk: false };
};
const WANTED = "example/app:2";

const STRATEGIES: [string, Partial<Scenario>][] = [
  ["in-place", { inPlacePods: [0] }],
  ["recreate", {}],
];

async function course(injections: Injection[], strategy: Partial<Scenario>) {
  const { truth } = await simulate(scenarioWith(injections, { ...strategy, emulator: { bootSeconds: 60 } }));
  const spans = truth.pods[0]?.serving ?? [];
  const from = truth.start + SINCE * MINUTE_MS;
  const to = truth.start + BACK * MINUTE_MS;
  /** For how long it served nothing each time while the right was missing, in s. */
  const gaps = spans
    .filter((span) => span.to >= from && span.to < to)
    .map((span) => {
      const next = spans.find((other) => other.from >= span.to);
      return Math.round(((next?.from ?? truth.end) - span.to) / 1000);
    });
  const last = spans.at(-1);
  /** When the last instance or container began to serve, in min after the right was back. */
  const servesAfter = ((last?.from ?? truth.end) - to) / MINUTE_MS;
  return { gaps, servesAfter, shows: last?.shows ?? "", laws: judge(truth).map(({ law }) => law) };
}

describe.each(STRATEGIES)("another image with %s while the key may not change instances", (_, strategy) => {
  test("interrupts what serves once for the drain, and follows soon after the right is back", async () => {
    const { gaps, servesAfter, shows, laws } = await course([lost, image(10, WANTED)], strategy);
    expect(gaps).toHaveLength(1);
    expect(gaps[0]).toBeLessThan(20);
    expect(shows).toContain(WANTED);
    expect(servesAfter).toBeLessThan(SOON_MINUTES);
    expect(laws).toEqual([]);
  });

  test("interrupts it no more for a second image, or after a crash", async () => {
    const more = [image(10, "example/app:3"), image(20, WANTED), podKilled(30, false)];
    const { gaps, shows, laws } = await course([lost, ...more], strategy);
    expect(gaps.filter((seconds) => seconds > 5)).toHaveLength(1);
    expect(shows).toContain(WANTED);
    expect(laws).toEqual([]);
  });

  test("interrupts it ever more seldom where the key may still write labels", async () => {
    const effect = {
      kind: "error",
      status: 403,
      form: "main",
      error: "not_authorized",
      msg: "This key may not do that.",
    };
    const ends = [
      { method: "DELETE", path: "^/api/v0/instances/" },
      { method: "PUT", path: "^/api/v0/instances/update_template/" },
    ];
    const calls = ends.map((end): Injection => {
      const rule = { ...end, times: 0, effect };
      return { ...during, kind: "api-fault", rule };
    });
    const { gaps, laws } = await course([...calls, image(10, WANTED)], strategy);
    expect(gaps).toHaveLength(3); // after 1 and 10 min; the next one would be 20 min later
    expect(laws).toEqual([]);
  });
});
