// Waits until a rented instance answers its probe, as the provisioner would. Touches the API and the instance.
import { type Clock, stopwatch } from "../../common/clock.ts";
import { oneLine } from "../../common/terminal.ts";
import { currentEndpoint, remoteOnly } from "../model/endpoint.ts";
import { failureIn, phaseOf } from "../model/instance-phase.ts";
import type { Probe } from "../observe/probe.ts";
import type { VastClient } from "../vast/client.ts";
import { asVastError } from "../vast/errors.ts";
import type { Instance } from "../vast/rows.ts";

export interface AwaitAnswerParts {
  client: Pick<VastClient, "listInstances">;
  clock: Clock;
  label: string;
  probe: Probe;
  upstreamPort: number | undefined;
  /** An instance may have an address of this machine. */
  allowLocal: boolean;
  /** Called when the text changes. */
  progress(text: string): void;
}

export type AwaitedAnswer = { answers: true; at: string } | { answers: false; why: string };

// The list's rate limit is one second, and other pods with this key list too.
const POLL_MS = 5000;

export async function awaitAnswer(
  parts: AwaitAnswerParts,
  id: number,
  waitMs: number,
  stop: AbortSignal,
): Promise<AwaitedAnswer> {
  const { clock } = parts;
  const waitedMs = stopwatch(clock);
  const startedAt = clock.now();
  let noMapSince: number | null = null;
  let wasListed = false;
  let why = "it was not listed";
  for (;;) {
    const rows = await listed(parts, stop);
    const row = rows.known ? rows.value.find((one) => one.id === id) : undefined;
    if (row !== undefined) {
      wasListed = true;
      const failure = failureIn(row.statusMessage);
      if (failure !== null) return { answers: false, why: `${failure}: ${oneLine(row.statusMessage)}` };
      const isRunning = phaseOf(row, startedAt, clock.now()).phase === "running";
      noMapSince = isRunning ? (noMapSince ?? clock.now()) : null;
      const result = await look(parts, row, noMapSince, isRunning, stop);
      if (result.answers) return result;
      ({ why } = result);
    } else if (!rows.known) why = rows.why;
    else if (wasListed) return { answers: false, why: "it is listed no more: its host has ended it" };
    if (stop.aborted) return { answers: false, why: "broken off" };
    if (waitedMs() + POLL_MS > waitMs)
      return { answers: false, why: `not within ${Math.round(waitMs / 1000)} s: ${why}` };
    parts.progress(why);
    await clock.sleep(POLL_MS, stop);
  }
}

async function look(
  { clock, probe, upstreamPort, allowLocal }: AwaitAnswerParts,
  row: Instance,
  noMapSince: number | null,
  isRunning: boolean,
  stop: AbortSignal,
): Promise<AwaitedAnswer> {
  const says = oneLine(row.statusMessage);
  if (!isRunning)
    return { answers: false, why: `${row.actualStatus ?? "scheduled"}${says === "" ? "" : `, Vast.ai says: ${says}`}` };
  const choice = currentEndpoint(row, { endpoint: null, noMapSince }, upstreamPort, clock.now());
  const { found, ...rest } = allowLocal ? choice : remoteOnly(choice);
  if (!found || !("endpoint" in rest)) return { answers: false, why: `running, but ${"why" in rest ? rest.why : "?"}` };
  const { host, port } = rest.endpoint;
  const result = await probe(rest.endpoint, row.id, stop);
  if (result.ok) return { answers: true, at: `${host}:${port}` };
  return { answers: false, why: `running, but ${host}:${port} does not answer: ${result.why}` };
}

async function listed(
  { client, label }: AwaitAnswerParts,
  stop: AbortSignal,
): Promise<{ known: true; value: readonly Instance[] } | { known: false; why: string }> {
  try {
    return { known: true, value: await client.listInstances(label, stop) };
  } catch (error) {
    return { known: false, why: `the list is unknown (${asVastError(error).message})` };
  }
}
