import { describe, expect, it } from "vitest";
import { listed, rent, type Trial, trial } from "./harness.ts";

const HOUR = 3600;
const words = (t: Trial, id: number) => {
  const row = listed(t, id);
  return row && [row.intended_status, row.cur_state, row.next_state, row.actual_status];
};
/** An emulator with a running instance, which booted in ten seconds. */
function up(body = {}, offer = {}): { t: Trial; id: number } {
  const t = trial({ settings: { bootSeconds: 10 } });
  const id = rent(t, body, offer);
  t.pass(10);
  return { t, id };
}
const happens = (t: Trial, id: number, event: string, body = {}) => {
  const answer = t.order("POST", `instances/${id}/${event}`, body);
  expect(answer.status).toBe(200);
};

describe("starting an instance whose GPUs another customer has", () => {
  const state = (t: Trial, id: number, word: string) => t.api("PUT", `/api/v0/instances/${id}/`, { state: word });

  it("stops, frees its GPUs and starts again if nobody has rented them", () => {
    const { t, id } = up();
    expect(state(t, id, "stopped").body).toEqual({ success: true });
    expect(words(t, id)).toEqual(["stopped", "stopped", "stopped", "exited"]);
    expect(t.emulator.world.market.offers.size).toBe(1);
    expect(state(t, id, "running").body).toEqual({ success: true });
    t.pass(20);
    expect(words(t, id)?.[3]).toBe("running");
  });

  it("restarts an exited container on the GPUs that it still has", () => {
    const { t, id } = up();
    happens(t, id, "exit");
    expect(state(t, id, "running").body).toEqual({ success: true });
    t.pass(20);
    expect(words(t, id)?.[3]).toBe("running");
  });

  it("queues the start while another customer has the GPUs, and starts when they are free", () => {
    const { t, id } = up();
    state(t, id, "stopped");
    happens(t, id, "relet");
    const answer = state(t, id, "running");
    expect([answer.status, answer.body]).toEqual([
      200,
      { success: false, msg: "Required resources are currently unavailable, state change queued." },
    ]);
    expect(words(t, id)).toEqual(["running", "stopped", "running", "exited"]);
    t.pass(24 * HOUR);
    expect(words(t, id)?.[1]).toBe("stopped");
    happens(t, id, "free");
    t.pass(20);
    expect(words(t, id)?.[3]).toBe("running");
  });

  it("forgets a queued start when the instance is told to stop", () => {
    const { t, id } = up();
    state(t, id, "stopped");
    happens(t, id, "relet");
    state(t, id, "running");
    state(t, id, "stopped");
    happens(t, id, "free");
    t.pass(20);
    expect(words(t, id)?.[1]).toBe("stopped");
  });

  it("sets a label, and refuses labels of more than 1024 characters and unknown states", () => {
    const { t, id } = up();
    const put = (body: Record<string, string>) => t.api("PUT", `/api/v0/instances/${id}/`, body);
    expect(put({ label: "new" }).body).toEqual({ success: true, msg: `label for ${id} set to 'new'` });
    expect(listed(t, id)?.label).toBe("new");
    expect(put({ label: "x".repeat(1025) }).body.error).toBe("label_too_long");
    expect(put({ state: "paused" }).body.msg).toBe("Invalid target state");
    t.order("POST", "account", { missingBilling: true });
    expect(put({ state: "running" }).body.error).toBe("missing_billing");
  });
});
