import { describe, expect, test } from "vitest";
import { awaitAnswer } from "../../../../provisioner/doctor/await-answer.ts";
import type { Instance } from "../../../../provisioner/vast/rows.ts";
import { fakeClock } from "../../../fakes/fake-clock.ts";
import { vastError } from "../fakes.ts";
import { LABEL, MINUTE, row } from "../plan/situation.ts";

const ID = 7835610;

interface Script {
  /** The row in each list, the last one from then on; undefined: not listed; an error: unknown. */
  lists: readonly (Partial<Instance> | undefined | Error)[];
  probe?: { ok: boolean; why: string };
  stop?: AbortSignal;
  allowLocal?: boolean;
}

async function wait({ lists, probe = { ok: true, why: "" }, stop, allowLocal = false }: Script) {
  const clock = fakeClock();
  const progress: string[] = [];
  let asked = 0;
  const answer = await clock.drive(
    awaitAnswer(
      {
        clock,
        label: LABEL,
        upstreamPort: undefined,
        allowLocal,
        progress: (text) => progress.push(text),
        client: {
          async listInstances() {
            const one = lists[Math.min(asked, lists.length - 1)];
            asked += 1;
            if (one instanceof Error) throw one;
            return one === undefined ? [row({ id: 5 })] : [row({ id: ID, ...one })];
          },
        },
        probe: async (endpoint) => ({ endpoint, startedAt: 0, at: 0, tcp: true, ...probe }),
      },
      ID,
      2 * MINUTE,
      stop ?? new AbortController().signal,
    ),
  );
  return { answer, progress };
}

describe("the wait for an instance", () => {
  test("ends when its probe passes, and says meanwhile what Vast.ai says", async () => {
    const loading = { actualStatus: "loading", statusMessage: "pulling\u001b[2J 3 of 9 GB" };
    const { answer, progress } = await wait({ lists: [undefined, vastError("unavailable"), loading, {}] });
    expect(answer).toEqual({ answers: true, at: "203.0.113.9:41234" });
    expect(progress).toEqual([
      "it was not listed",
      "the list is unknown (PUT /api/v0/asks/1/: HTTP 400: it said so)",
      "loading, Vast.ai says: pulling 3 of 9 GB",
    ]);
  });

  test.each([
    [
      { lists: [{}], probe: { ok: false, why: "refused" } },
      /^not within 120 s: running, but 203\.0\.113\.9:41234 does not answer: refused$/,
    ],
    [
      { lists: [{ actualStatus: "loading", statusMessage: "manifest unknown" }] },
      /^image_unavailable: manifest unknown$/,
    ],
    [{ lists: [{ actualStatus: "loading" }, undefined] }, /^it is listed no more/],
    [{ lists: [{ address: "127.0.0.1" }] }, /^not within 120 s: running, but .*loopback/],
    [{ lists: [undefined] }, /^not within 120 s: it was not listed$/],
    [{ lists: [{ actualStatus: null }], stop: AbortSignal.abort() }, /^broken off$/],
  ])("ends with the reason: %o", async (script: Script, why) => {
    expect((await wait(script)).answer).toEqual({ answers: false, why: expect.stringMatching(why) });
  });

  test("takes an address of this machine only where that is allowed", async () => {
    expect((await wait({ lists: [{ address: "127.0.0.1" }], allowLocal: true })).answer.answers).toBe(true);
  });
});
