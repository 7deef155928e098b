// Rules about names and sizes of source files given as text. Each rule returns one sentence per offender. Pure.
import { posix } from "node:path";
import type { SourceFile } from "./import-rules.ts";

const MAX_LINES = 300;
const MAX_LINE_LENGTH = 140;

const isProgram = ({ path }: SourceFile) => /^(common|provisioner|reloader)\/.*\.ts$/.test(path);

/** Programs: no file is longer than 300 lines. */
export function fileLengthOffences(files: readonly SourceFile[]): string[] {
  return files.filter(isProgram).flatMap(({ path, text }) => {
    const lines = text.trimEnd().split("\n").length;
    return lines <= MAX_LINES ? [] : [`${path} has ${lines} lines, at most ${MAX_LINES} are allowed`];
  });
}

/** Comments of code, and every line of documents, YAML and shell scripts, has at most 140 characters. */
export function lineLengthOffences(files: readonly SourceFile[]): string[] {
  return files.flatMap(({ path, text }) => {
    const isCode = /\.(ts|mjs)$/.test(path);
    if (!isCode && !/\.(md|ya?ml|sh|conf)$|(^|\/)(Dockerfile|run)$|\.env\.example$/.test(path)) return [];
    return text.split("\n").flatMap((line, i) => {
      if ([...line].length <= MAX_LINE_LENGTH || (isCode && !/^\s*(\/\/|\/?\*)/.test(line))) return [];
      return [`${path}:${i + 1} has ${[...line].length} characters, at most ${MAX_LINE_LENGTH} are allowed`];
    });
  });
}

/** The environment is read where programs begin, and handed in everywhere else. */
export function environmentOffences(files: readonly SourceFile[]): string[] {
  return files
    .filter((file) => isProgram(file) && /process\s*\.\s*env|process\[/.test(file.text))
    .filter(({ path }) => !/(^|\/)(main|settings)\.ts$/.test(path))
    .map(({ path }) => `${path} reads the environment, but only main.ts and settings.ts may`);
}

/** test/unit mirrors the sources: each file lies in the folder that is named as the folder of what it tests. */
export function mirrorOffences(files: readonly SourceFile[]): string[] {
  const folders = new Set(files.map(({ path }) => posix.dirname(path)));
  return files
    .filter(({ path }) => /^test\/unit\/(common|provisioner|reloader)\/.*\.test\.ts$/.test(path))
    .filter(({ path }) => !folders.has(posix.dirname(path).replace(/^test\/unit\//, "")))
    .map(({ path }) => `${path} mirrors no folder of the sources`);
}

const EXPORT = /^export (?:async )?(?:abstract )?(?:const|let|function\*?|class|interface|type|enum) (\w+)/gm;

/** An exported name means one thing in all of common, provisioner and reloader. */
export function exportedTwiceOffences(files: readonly SourceFile[]): string[] {
  const homes = new Map<string, Set<string>>();
  for (const { path, text } of files.filter(isProgram)) {
    for (const [, name = ""] of text.matchAll(EXPORT)) homes.set(name, (homes.get(name) ?? new Set()).add(path));
  }
  return [...homes]
    .filter(([, paths]) => paths.size > 1)
    .map(([name, paths]) => `${name} is exported by ${[...paths].toSorted().join(" and ")}`);
}

/** Words that the code once used with a private meaning, and the field's words for them. */
export const FIELD_WORDS: Readonly<Record<string, string>> = {
  Aim: "DesiredConfig",
  aimAt: "desiredConfig",
  askHash: "fetchConfigHash",
  awaitsAnswer: "needsConfirmation",
  Bell: "WakeSignal",
  bornAt: "createdAt",
  burst: "debounce",
  CannotRender: "RenderError",
  deaf: "notListening",
  deafApps: "notListening",
  doom: "markForDeletion",
  doomed: "pendingDeletes",
  Echo: "HashProbe",
  giveUp: "abortMutations, or timeout",
  heldBack: "suppressed",
  judge: "match",
  leash: "parentDeathSignal",
  lifeOf: "phaseOf",
  Looked: "Inputs",
  Memory: "State",
  notAhead: "clampTimestamps",
  notOurs: "leaseHeldByOther",
  onNamesakes: "onDuplicateTemplates",
  purse: "balanceFields",
  QueryRefused: "QueryError",
  really: "dryRun",
  SAYINGS: "MESSAGES",
  standIn: "fallback",
  Standing: "Serving",
  standingOf: "servingNow",
  unfit: "rejectReason",
  unmet: "firstMismatch",
  UnquotableError: "UnsafeValueError",
  untidy: "cleanupError",
  verbatim: "quoteLiteral",
  whyNone: "explainNoOffers",
  World: "Dependencies",
};

/** Reads the state files of 0.1.0, whose words stay what they were. */
const OLD_SCHEMA = "provisioner/state/schema-1.ts";

/** Identifiers of the programs use the field's words. Comments and quoted texts do not count. */
export function privateWordOffences(files: readonly SourceFile[]): string[] {
  return files
    .filter((file) => isProgram(file) && file.path !== OLD_SCHEMA)
    .flatMap(({ path, text }) => {
      const code = text
        .replace(/\/\*[\s\S]*?\*\//g, "")
        .replace(/"(?:[^"\\\n]|\\.)*"/g, '""')
        .replace(/(^|\s)\/\/.*$/gm, "");
      const words = new Set(code.match(/\b\w+\b/g));
      return Object.entries(FIELD_WORDS)
        .filter(([word]) => words.has(word))
        .map(([word, instead]) => `${path} uses the name ${word}: say ${instead}`);
    });
}
