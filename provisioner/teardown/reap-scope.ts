// Which pods' instances a prefix of labels means. A label belongs to a pod here only if the pod's own VAST_LABEL makes exactly this
// label; everything else may be the instance of somebody else. Pure.
import type { Namespace } from "../kubernetes/pod-desired.ts";
import { labelOf } from "../model/label.ts";

/** The names of the StatefulSets whose pods have labels of the prefix and their number. */
export interface ReapScope {
  sets: readonly string[];
}

export interface ReapRequest {
  /** The beginning of the labels, up to the pod's number: `k8s_pod=vast-pod-`. */
  prefix: string;
  /** VAST_LABEL of this command; needed where the StatefulSet does not show that of its pods. */
  label: string | undefined;
  /** The StatefulSet itself was deleted for good. */
  setDeleted: boolean;
}

type Sets = Pick<Namespace, "sets">["sets"];
const DEFAULT = undefined;
const DEFAULT_TEXT = "k8s_pod=$" + "{POD_NAME}"; // as it is written in settings
// A name that a StatefulSet can have.
const SET_NAME = /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/;

/** The scope, or a problem that says what to do. */
export function reapScope(request: ReapRequest, sets: Sets, namespace: string): ReapScope | { problem: string } {
  const { prefix, setDeleted } = request;
  const fitting = sets.filter((set) => labelProblem(request, set) === null).map(({ name }) => name);
  if (fitting.length > 0) return { sets: fitting };
  const named = sets.find(({ name }) => name === nameAtEnd(prefix));
  if (named !== undefined) return { problem: labelProblem(request, named) ?? "" };
  if (setDeleted) return deletedSet(request, sets);
  return {
    problem: `the namespace ${namespace} has no StatefulSet ${nameAtEnd(prefix)}: correct --prefix, whose part after the last = or / must be the name of the StatefulSet and a dash, or add --set-deleted if the StatefulSet was deleted for good`,
  };
}

/** Why the labels of this set's pods are not known to be the prefix and the pod's number; or null. */
function labelProblem({ prefix, label }: ReapRequest, { name, label: source }: Sets[number]): string | null {
  if (source.kind === "several")
    return `the containers of the StatefulSet ${name} have different values of VAST_LABEL: give them the same one`;
  if (source.kind === "elsewhere" && label === undefined)
    return `the pods of ${name} may have VAST_LABEL from a ConfigMap or Secret: set VAST_LABEL of this command to the same value, or to ${DEFAULT_TEXT} if they have none`;
  const schemes = source.kind === "value" ? [source.value ?? DEFAULT] : [];
  // A setting of this command that the template does not show must fit as well.
  if (label !== undefined && (source.kind === "elsewhere" || source.value === null)) schemes.push(label);
  const [wrong] = schemes
    .filter((scheme) => !makes(scheme, name, prefix))
    .map((scheme) => mismatch(scheme, name, prefix));
  return wrong ?? null;
}

function mismatch(scheme: string | undefined, set: string, prefix: string): string {
  const first = labelOf({ VAST_LABEL: scheme, POD_NAME: `${set}-0` });
  return `the pods of ${set} label their instances ${first} (VAST_LABEL), which is not --prefix ${prefix} and the pod's number: correct --prefix`;
}

/** Whether the pods of a set have labels that consist of the prefix and the pod's number. */
function makes(scheme: string | undefined, set: string, prefix: string): boolean {
  // Two numbers: a label without the pod's name could end in a number by chance.
  return ["0", "1"].every((n) => labelOf({ VAST_LABEL: scheme, POD_NAME: `${set}-${n}` }) === `${prefix}${n}`);
}

/** The deleted set's pods had the label setting of this command: only it can tell. */
function deletedSet({ prefix, label }: ReapRequest, sets: Sets): ReapScope | { problem: string } {
  const ends = Array.from({ length: prefix.length - 1 }, (_, i) => prefix.slice(i, -1));
  const name = ends.find((end) => SET_NAME.test(end) && makes(label ?? DEFAULT, end, prefix));
  if (name === undefined)
    return {
      problem: `with --set-deleted this command's VAST_LABEL (${label ?? `not set, so ${DEFAULT_TEXT}`}) tells how the pods labelled their instances, and it cannot make a label of --prefix ${prefix} and a number: correct --prefix, or set VAST_LABEL to what the pods had`,
    };
  return sets.some((set) => set.name === name)
    ? { problem: `the StatefulSet ${name} exists: do without --set-deleted` }
    : { sets: [name] };
}

/** The StatefulSet that a prefix names, for messages: the part after its last `=` or `/`. */
function nameAtEnd(prefix: string): string {
  return prefix.slice(Math.max(prefix.lastIndexOf("="), prefix.lastIndexOf("/")) + 1, -1);
}

/** The pods that may have an instance with this label; none if it is not ours. */
export function podsOf(label: string | null, { prefix }: Pick<ReapRequest, "prefix">, { sets }: ReapScope): string[] {
  if (label === null || !label.startsWith(prefix)) return [];
  const number = label.slice(prefix.length);
  return /^(0|[1-9]\d{0,9})$/.test(number) ? sets.map((set) => `${set}-${number}`) : [];
}
