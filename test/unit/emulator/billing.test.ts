import { describe, expect, it } from "vitest";
import { dump, listed, onlyOffer, rent, type Trial, trial } from "./harness.ts";

const HOUR = 3600;
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

describe("what instances cost", () => {
  it("charges the disk from the create on, and the GPUs from the first time it runs, to the cent", () => {
    const t = trial({ settings: { bootSeconds: 30 * 60 } });
    const id = rent(t); // half an hour of loading
    t.pass(2.5 * HOUR);
    expect(dump(t, id).cost).toEqual({
      gpu: expect.closeTo(2 * 0.36, 9),
      disk: expect.closeTo((2.5 * 0.15 * 20) / 720, 9),
    });
  });

  it("charges no GPUs while stopped or while the host is offline, and nothing after the end", () => {
    const { t, id } = up();
    t.pass(HOUR);
    happens(t, id, "offline");
    t.pass(HOUR);
    happens(t, id, "recover");
    t.api("PUT", `/api/v0/instances/${id}/`, { state: "stopped" });
    t.pass(HOUR);
    t.api("DELETE", `/api/v0/instances/${id}/`);
    t.pass(HOUR);
    expect(dump(t, id).cost).toEqual({
      gpu: expect.closeTo(0.36, 9),
      disk: expect.closeTo(((3 + 10 / HOUR) * 0.15 * 20) / 720, 9),
    });
  });

  it("subtracts what was spent from the account's credit", () => {
    const { t } = up();
    t.pass(10 * HOUR);
    const { credit, balance } = t.api("GET", "/api/v0/users/current/").body;
    expect([credit, balance]).toEqual([expect.closeTo(10_000 - 3.6 - ((10 + 10 / HOUR) * 0.15 * 20) / 720, 5), 0]);
  });
});

describe("an instance that a test creates by a control route", () => {
  it("is live at once, with the given fields", () => {
    const t = trial({ machines: 0 });
    const { body } = t.order("POST", "instances", {
      label: "k8s_pod=a",
      image_uuid: "x/y:1",
      template_hash_id: "abc",
      host_id: 5,
      geolocation: "Mars, MA",
    });
    expect(listed(t, Number(body.id))).toMatchObject({
      label: "k8s_pod=a",
      image_uuid: "x/y:1",
      template_hash_id: "abc",
      host_id: 5,
      geolocation: "Mars, MA",
      actual_status: "running",
    });
    expect(onlyOffer(t)).toBeGreaterThan(0);
  });

  it("has the given status", () => {
    const t = trial({ machines: 0 });
    const { body } = t.order("POST", "instances", { actual_status: "exited", cur_state: "stopped" });
    expect(listed(t, Number(body.id))).toMatchObject({ actual_status: "exited", cur_state: "stopped" });
    expect(t.emulator.endpoints()).toEqual([]);
  });
});
