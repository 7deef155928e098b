import { describe, expect, test } from "vitest";
import { billingSentence } from "../../../../provisioner/teardown/billing.ts";
import { LABEL, NOW, observation, row, servingTrack, state, unknown } from "../plan/situation.ts";

const intent = (contract: number | null) => ({
  offerId: 1,
  hostId: 2,
  machineId: 3,
  dollarsPerHour: 0.25,
  label: LABEL,
  startedAt: NOW,
  contract,
});
const pendingDelete = (id: number) => ({ id, reason: "duplicate", since: NOW, deleteSentAt: NOW });
const COMMAND = "vast-provisioner destroy";

describe("the last log line says what is still being billed", () => {
  test("which instance, at what price, and how to destroy it", () => {
    expect(billingSentence(observation([row()]), state(), LABEL)).toBe(
      `instance 7835610 (RTX 4090, $0.316/h) is still being billed; destroy it with: ${COMMAND}`,
    );
  });

  test("all of several", () => {
    const text = billingSentence(observation([row({ id: 1 }), row({ id: 2 })]), state(), LABEL);
    expect(text).toMatch(/instance 1 .* and instance 2 .* are still being billed; destroy them with/);
  });

  test("a created instance that is not listed yet", () => {
    const text = billingSentence(observation([]), state({ intent: intent(42) }), LABEL);
    expect(text).toBe(`instance 42 ($0.250/h) is still being billed; destroy it with: ${COMMAND}`);
  });

  test("a created instance once only when it is listed", () => {
    const text = billingSentence(observation([row({ id: 42 })]), state({ intent: intent(42) }), LABEL);
    expect(text.match(/instance 42/g)).toHaveLength(1);
  });

  test("a create whose outcome is unknown", () => {
    const text = billingSentence(observation([]), state({ intent: intent(null) }), LABEL);
    expect(text).toContain(`may have made an instance with the label ${LABEL}`);
    expect(text).toContain(COMMAND);
  });

  test("an instance whose destroy is not verified yet", () => {
    const text = billingSentence(observation([row()]), state({ pendingDeletes: [pendingDelete(7835610)] }), LABEL);
    expect(text).toBe(`it is not verified yet that instance 7835610 is destroyed; destroy it again with: ${COMMAND}`);
  });

  test("nothing", () => {
    expect(billingSentence(observation([]), state(), LABEL)).toBe(
      `no instance has the label ${LABEL}: nothing is being billed`,
    );
  });

  test("that it is unknown, with the instances seen last and created since", () => {
    const last = state({ tracks: { 5: servingTrack() }, intent: intent(42) });
    for (const seen of [null, observation([], { list: unknown() })]) {
      const text = billingSentence(seen, last, LABEL);
      expect(text).toMatch(/unknown.*instance 5, 42.*k8s_pod=vast-pod-0/);
      expect(text).toContain(COMMAND);
    }
  });
});
