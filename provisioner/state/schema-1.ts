// Reads what version 0.1.0 wrote (schema 1): the same facts under other names. Pure.
import * as z from "zod";

const schema1 = z.looseObject({
  schema: z.literal(1),
  doomed: z.array(z.looseObject({ askedAt: z.unknown().optional(), answered: z.unknown().optional() })).optional(),
  deafApps: z.unknown().optional(),
});

/** The JSON of a state file or of its copy in Redis, of either schema, in the names of schema 2. Anything else is returned unchanged. */
export function fromSchema1(json: unknown): unknown {
  const read = schema1.safeParse(json);
  if (!read.success) return json;
  const { doomed, deafApps, ...same } = read.data;
  return {
    ...same,
    schema: 2,
    ...(doomed === undefined ? {} : { pendingDeletes: doomed.map(renameDelete) }),
    ...(deafApps === undefined ? {} : { notListening: deafApps }),
  };
}

function renameDelete({ askedAt, answered, ...same }: { askedAt?: unknown; answered?: unknown }): object {
  return { ...same, deleteSentAt: askedAt, ...(answered === undefined ? {} : { deleteConfirmed: answered }) };
}
