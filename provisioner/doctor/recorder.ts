// Keeps what the API answered, so that its form can be looked at afterwards, and sends a read that several checks need only once.
// Touches the API through the function that it is given.
import type { ApiCall, Send } from "../vast/transport.ts";

export interface Recorder {
  send: Send;
  /** The bodies of the answers to a call, like "GET /api/v1/instances/". */
  bodiesOf(call: string): readonly Readonly<Record<string, unknown>>[];
}

// The account is asked for by everything else.
const SHARED = "GET /api/v0/users/current/";
const nameOf = ({ method, path }: ApiCall) => `${method} ${path}`;

export function createRecorder(send: Send): Recorder {
  const bodies = new Map<string, Record<string, unknown>[]>();
  let shared: ReturnType<Send> | null = null;
  const recorded: Send = async (call, signal) => {
    const body = await send(call, signal);
    bodies.set(nameOf(call), [...(bodies.get(nameOf(call)) ?? []), body]);
    return body;
  };
  return {
    bodiesOf: (call) => bodies.get(call) ?? [],
    send(call, signal) {
      if (nameOf(call) !== SHARED) return recorded(call, signal);
      shared ??= recorded(call, signal);
      return shared;
    },
  };
}
