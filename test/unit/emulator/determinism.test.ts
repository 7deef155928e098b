import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createAgenda } from "../../emulator/agenda.ts";
import { seededRandom } from "../../emulator/random.ts";
import { numberAt, offers, rowsOf, type Trial, trial } from "./harness.ts";

/** Long runs on a busy machine. */
const PATIENT = { timeout: 180_000 };

/** Days of creates, failures and destroys; returns every byte of all answers. */
function story(seed: number): string {
  const t: Trial = trial({ seed, machines: 20, settings: { offerGoneProbability: 0.2 } });
  const said: string[] = [];
  const call = (...request: Parameters<Trial["api"]>) => {
    const answer = t.api(...request);
    said.push(`${answer.status} ${answer.text}`);
    return answer;
  };
  t.order("POST", "faults", {
    times: 0,
    probability: 0.1,
    method: "PUT",
    effect: { kind: "commit-then", status: 502 },
  });
  for (let hour = 0; hour < 30; hour++) {
    const [offer] = offers(t, { disk_space: { gte: 30 }, limit: 1 });
    call("PUT", `/api/v0/asks/${offer?.id}/`, {
      image: "example/app:1",
      env: { "-p 8000:8000": "1" },
      disk: 20,
      label: `n${hour % 5}`,
    });
    t.pass(1800);
    const event = ["exit", "offline", "restart", "outbid", "move", "recover"][hour % 6] ?? "exit";
    t.order("POST", `instances/any/${event}`);
    t.pass(1800);
    const rows = rowsOf(call("GET", "/api/v1/instances/"), "instances");
    const oldest = rows[0];
    if (oldest && rows.length > 4) call("DELETE", `/api/v0/instances/${numberAt(oldest, "id")}/`);
  }
  return [...said, t.order("GET", "state").text].join("\n");
}

describe("the core in virtual time", () => {
  it("gives the same run, byte for byte, for the same seed, and another run for another seed", PATIENT, () => {
    const first = story(11);
    expect(first.length).toBeGreaterThan(50_000);
    expect(story(11) === first).toBe(true);
    expect(story(12) === first).toBe(false);
  });

  it("gives the same result whether the clock moves in one step or in many", PATIENT, () => {
    const run = (steps: number) => {
      const t = trial({ machines: 10 });
      const [offer] = offers(t, { disk_space: { gte: 30 } });
      t.api("PUT", `/api/v0/asks/${offer?.id}/`, { image: "example/app:1", disk: 20 });
      for (let i = 0; i < steps; i++) t.pass(7200 / steps);
      return t.order("GET", "instances/any").body;
    };
    const { cost: once, ...atOnce } = run(1);
    const { cost: often, ...inSteps } = run(720);
    expect(inSteps).toEqual(atOnce);
    expect(numberAt(often as { gpu: number }, "gpu")).toBeCloseTo(numberAt(once as { gpu: number }, "gpu"), 9);
  });

  it("uses no clock, randomness or network except the injected ones", () => {
    const root = fileURLToPath(new URL("../../emulator", import.meta.url));
    const files = readdirSync(root, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".ts"));
    const core = files.filter((name) => !name.startsWith("servers/") && name !== "main.ts");
    expect(core.length).toBeGreaterThan(30);
    for (const name of core) {
      const text = readFileSync(`${root}/${name}`, "utf8");
      expect(text, name).not.toMatch(
        /Date\.now|new Date\(\)|Math\.random|randomBytes|randomInt|randomUUID|performance\.now|setTimeout/,
      );
      expect(text, name).not.toMatch(/from "node:(net|http|fs|timers|child_process|os)/);
    }
  });
});

describe("the agenda", () => {
  it("returns entries in order of time, and in order of adding for the same time", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 20 })), fc.integer({ min: 0, max: 20 }), (times, now) => {
        const agenda = createAgenda();
        const ran: [number, number][] = [];
        times.forEach((at, index) => {
          agenda.add(at, () => ran.push([at, index]));
        });
        for (let due = agenda.takeDue(now); due; due = agenda.takeDue(now)) due.run();
        const expected = times.map((at, index): [number, number] => [at, index]).filter(([at]) => at <= now);
        expected.sort(([a, i], [b, j]) => a - b || i - j);
        expect(ran).toEqual(expected);
        const later = times.filter((at) => at > now);
        expect(agenda.nextAt()).toBe(later.length === 0 ? null : Math.min(...later));
      }),
    );
  });
});

describe("randomness", () => {
  it("is uniform, and different for each name", () => {
    const a = seededRandom(1, "a");
    const counts = Array<number>(10).fill(0);
    for (let i = 0; i < 10_000; i++) {
      const digit = a.integer(0, 9);
      counts[digit] = (counts[digit] ?? 0) + 1;
    }
    expect(Math.min(...counts)).toBeGreaterThan(700);
    expect(seededRandom(1, "a").hex(16)).not.toBe(seededRandom(1, "b").hex(16));
    expect(seededRandom(1, "a").hex(16)).toBe(seededRandom(1, "a").hex(16));
  });
});
