// Reads from the pod template of a StatefulSet where its pods have their label from. Pure.
import * as z from "zod";

const container = z.looseObject({
  args: z.array(z.string()).nullish(),
  env: z
    .array(z.looseObject({ name: z.string(), value: z.string().nullish(), valueFrom: z.unknown().optional() }))
    .nullish(),
  envFrom: z.array(z.unknown()).nullish(),
});
export const podTemplate = z.looseObject({
  spec: z.looseObject({ initContainers: z.array(container).nullish(), containers: z.array(container).nullish() }),
});

/**
 * - `value`: the text of VAST_LABEL in the template itself, or null when it certainly sets none
 * - `elsewhere`: it may be in a ConfigMap or Secret, which this program may not read
 * - `several`: the containers have different ones
 */
export type LabelSource = { kind: "value"; value: string | null } | { kind: "elsewhere" } | { kind: "several" };

const NAME = "VAST_LABEL";
const FLAG = "--vast-label";

export function labelSourceIn(template: z.infer<typeof podTemplate> | null | undefined): LabelSource {
  const containers = [...(template?.spec.initContainers ?? []), ...(template?.spec.containers ?? [])];
  const values = new Set<string>();
  let elsewhere = false;
  for (const { args, env, envFrom } of containers) {
    const flag = flagIn(args ?? []);
    const variable = env?.findLast(({ name }) => name === NAME); // the last one counts, and any counts more than `envFrom`
    const value = flag ?? variable?.value;
    if (value)
      values.add(value); // an empty value means the default
    else if (variable === undefined ? (envFrom ?? []).length > 0 : variable.valueFrom != null) elsewhere = true;
  }
  const [first] = values;
  if (values.size > 1) return { kind: "several" };
  if (first !== undefined) return { kind: "value", value: first };
  return elsewhere ? { kind: "elsewhere" } : { kind: "value", value: null };
}

/** The value of `--vast-label=x` or `--vast-label x`; a flag overrides the variable. */
function flagIn(args: readonly string[]): string | undefined {
  const at = args.findIndex((arg) => arg === FLAG || arg.startsWith(`${FLAG}=`));
  return args[at] === FLAG ? args[at + 1] : args[at]?.slice(FLAG.length + 1);
}
