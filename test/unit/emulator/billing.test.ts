import { describe, expect, it } from "vitest";
import { dump, listed, onlyOffer, rent, type Trial, trial } from "./harness.ts";

const HOUR = 3600;
/** A trial whose instance is up after ten seconds, and its instance, up. */
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
  it("charges the disk from create and the cards from the first running, to the cent", () => {
    const t = trial({ settings: { bootSeconds: 30 * 60 } });
    const id = rent(t); // half an hour of loading
    t.pass(2.5 * HOUR);
    expect(dump(t, id).cost).toEqual({
      gpu: expect.closeTo(2 * 0.36, 9),
      disk: expect.closeTo((2.5 * 0.15 * 20) / 720, 9),
    });
  });

  it("charges no cards while stopped or while the host is away, and nothing after the end", () => {
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

  it("takes what was spent off the account's credit", () => {
    const { t } = up();
    t.pass(10 * HOUR);
    const { credit, balance } = t.api("GET", "/api/v0/users/current/").body;
    expect([credit, balance]).toEqual([expect.closeTo(10_000 - 3.6 - ((10 + 10 / HOUR) * 0.15 * 20) / 720, 5), 0]);
  });
});

describe("an instance that a test plants", () => {
  it("is live at once, with the fields that were named", () => {
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

  it("has the status that was named", () => {
    const t = trial({ machines: 0 });
    const { body } = t.order("POST", "instances", { actual_status: "exited", cur_state: "stopped" });
    expect(listed(t, Number(body.id))).toMatchObject({ actual_status: "exited", cur_state: "stopped" });
    expect(t.emulator.endpoints()).toEqual([]);
  });
});
