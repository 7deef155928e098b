// Which server may be published while the list is unknown, once it answers: the one that was published a short while ago, the one that the
// last list has shown, or a predecessor's. Pure but for the state that it is given.
import type { Clock } from "../common/clock.ts";
import type { Lease } from "./lease/lease.ts";
import type { LeftServer } from "./lease/mirror.ts";
import { type LoopState, takeState } from "./loop-state.ts";
import type { Desired, Limits } from "./model/desired.ts";
import { matchesDesired } from "./model/matches-desired.ts";
import type { Observation, Published } from "./model/observation.ts";
import type { Plan } from "./model/plan.ts";
import { servedOnceItAnswers } from "./plan/serving.ts";
import { newTrack } from "./state/track.ts";

// For so long a port is not given to another customer: that takes the end of the contract and a new one that gets the same port.
const SHORT_OUTAGE_MS = 120_000;

/**
 * What is published, or was until a short while ago: then its probe may bring it back without a new list. A passing HTTP probe proves
 * more than an open port, so with one it may come back however long it was away. While the list is unknown also what is expected.
 */
export function lastServed(
  { file, served, expected }: Pick<LoopState, "file" | "served" | "expected">,
  httpProbe: boolean,
  at: number,
  listKnown: boolean,
): Published {
  const published = { server: file?.server ?? null, instance: file?.instance ?? null };
  if (published.server !== null) return published;
  if (!listKnown && expected !== null && at <= expected.until) return expected.published;
  if (served === null || published.instance?.id !== served.id) return published;
  const short = served.downSince !== null && at - served.downSince <= SHORT_OUTAGE_MS;
  return short || httpProbe ? { ...published, server: served.server } : published;
}

// For how long a server may be expected to answer: with an open port as long as one that has served, and with an HTTP probe long enough for
// a node that is replaced.
const EXPECT_HTTP_MS = 600_000;
const expectedForMs = (limits: Limits) => (limits.httpProbe ? EXPECT_HTTP_MS : SHORT_OUTAGE_MS);

/**
 * From the decision on a list on, the instance that it shows at its address may serve once it answers: the next lists may be refused.
 * While the list is unknown, what was expected before stays so.
 */
export function expectServer(
  loop: LoopState,
  { plan, seen }: { plan: Plan; seen: Observation },
  { desired, limits, clock }: { desired: Desired; limits: Limits; clock: Clock },
): void {
  if (!seen.list.known) return;
  const published = servedOnceItAnswers(plan, { desired, state: loop.state, seen });
  const ageMs = Math.max(0, clock.now() - seen.listedAt);
  loop.expected = published && { published, until: clock.monotonic() + expectedForMs(limits) - ageMs };
}

/** Takes over what a renewal of the lease has answered. */
export function onLease(
  loop: LoopState,
  { state, ownership, left = null }: Awaited<ReturnType<Lease["renew"]>>,
  parts: { desired: Desired; limits: Limits; clock: Clock },
): void {
  takeState(loop, state);
  loop.ownership = ownership;
  if (ownership.kind !== "ours") loop.expected = null;
  else if (left !== null) inheritServer(loop, left, parts);
}

/**
 * On a new volume: the server that a predecessor with the lease published may be served while the list is unknown, once its probe passes,
 * as the provisioner would serve its own (servingWhileUnknown). Not where another image or template is wanted: in a rollout the next pod
 * would be stopped for it.
 */
function inheritServer(
  loop: LoopState,
  { server, instance, servedAt, listedAt }: LeftServer,
  { desired, limits, clock }: { desired: Desired; limits: Limits; clock: Clock },
): void {
  const { state, seen, file } = loop;
  if (seen?.list.known || file?.instance) return;
  const { image, templateHash } = matchesDesired(instance, desired, state.template);
  if (image !== "same" || templateHash === "different") return;
  const now = clock.now();
  const leftMs = expectedForMs(limits) - Math.abs(now - servedAt);
  if (leftMs < 0) return;
  const { host, port } = server;
  const track = { ...newTrack(now), endpoint: { host, port }, wasReady: true, notServingSince: now };
  loop.state = { ...state, tracks: { [instance.id]: track }, listUnknownSince: Math.min(listedAt, now) };
  const published = { server: { scheme: desired.upstreamScheme, host, port }, instance };
  loop.expected = { published, until: clock.monotonic() + leftMs };
}
