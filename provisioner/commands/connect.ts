// Wires the Vast.ai account for a command: pacing, transport and client. Touches nothing until the client makes a call.
import type { Clock } from "../../common/clock.ts";
import { type ClientOptions, createVastClient, type VastClient } from "../vast/client.ts";
import { createPacing, type Pacing } from "../vast/pacing.ts";
import { createTransport, type Send, type TransportOptions } from "../vast/transport.ts";

export interface AccountOptions extends Omit<TransportOptions, "pacing"> {
  clock: Clock;
  /** Returns 0 to 1. */
  random: () => number;
  client?: Omit<ClientOptions, "apiKey">;
  /** Paces the calls together with those of other pods; `local` paces them alone. */
  pace?: (local: Pacing) => Pacing;
  /** Sees each call and its answer. */
  wrap?: (send: Send) => Send;
}

/** `pacing` is the client's: it spaces the calls of each endpoint. */
export interface Account {
  client: VastClient;
  /** For calls that only one command makes. */
  send: Send;
  pacing: Pacing;
}

export function connectAccount({ random, client: clientOptions, pace, wrap, ...transport }: AccountOptions): Account {
  const local = createPacing(transport.clock, random);
  const pacing = pace?.(local) ?? local;
  const { apiKey } = transport;
  const transported = createTransport({ ...transport, pacing });
  const send = wrap?.(transported) ?? transported;
  return { client: createVastClient(send, { ...clientOptions, apiKey }), send, pacing };
}
