// Every name in the documents is one that the programs have, and the tables of names are complete.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import pino from "pino";
import { describe, expect, test } from "vitest";
import { statusDocumentSchema } from "../../../provisioner/report/status-document.ts";
import { stateSchema } from "../../../provisioner/state/schema.ts";
import { APPLIED_STATES } from "../../../reloader/report/applied-state.ts";
import { Report } from "../../../reloader/report/report.ts";
import { ROOT, readDocuments } from "../../docs/documents.ts";
import { provisionerMetrics, reloaderMetrics } from "../../docs/metrics.ts";
import { settingNames } from "../../docs/settings.ts";

const documents = await readDocuments();
const read = (path: string) => readFileSync(join(ROOT, path), "utf8");
const textOf = (path: string) => documents.find((document) => document.path === path)?.text ?? "";

/** The words in `code` of the first column of the table that begins with this heading. */
function firstColumn(path: string, heading: string): string[] {
  const table = textOf(path).split(`${heading}\n|---|`)[1]?.split("\n\n")[0] ?? "";
  const cells = table.split("\n").map((row) => row.split("|")[1] ?? "");
  return cells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, word]) => `${word}`));
}

/** Every reason, out of the types that list them. */
function reasons(): string[] {
  const types = read("provisioner/model/reasons.ts").split("export const")[0] ?? "";
  return [...new Set([...types.matchAll(/\| "([a-z_]+)"/g)].map(([, word]) => `${word}`))];
}

/** Identifiers of other programs. */
const OTHERS = new Set(["namePrefix", "podMonitorSelectorNilUsesHelmValues", "ruleSelectorNilUsesHelmValues"]);

/** All source text of the project, in which a documented identifier has to occur. */
const sources = ["common", "provisioner", "reloader", "deploy", "test"]
  .flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" }).map((p) => `${folder}/${p}`),
  )
  .filter((path) => /\.(ts|mjs|ya?ml|env|sh|conf)$/.test(path) && !path.startsWith("test/unit/docs/"))
  .map(read)
  .join("\n");

describe.each(documents)("$path", ({ path, text }) => {
  test("names only npm scripts that exist", () => {
    const { scripts }: { scripts: Record<string, string> } = JSON.parse(read("package.json"));
    const named = [...text.matchAll(/npm run ([a-z:-]+)/g)].map(([, name]) => `${name}`);
    expect(named.filter((name) => !(name in scripts))).toEqual([]);
  });

  test("names only variables that can be set", () => {
    const composed = [...read("docker-compose.yml").matchAll(/\$\{([A-Z_]+)/g)].map(([, name]) => `${name}`);
    const known = new Set([...settingNames(), ...composed]);
    const named =
      text.match(/\b(VAST|BLACKLIST|NGINX|UPSTREAM|PROVISIONER|RELOADER|DOCKER|STATE)_[A-Z_]*[A-Z]\b/g) ?? [];
    expect([...new Set(named)].filter((name) => !known.has(name))).toEqual([]);
  });

  test("names only metrics that the programs register", async () => {
    const known = [...(await provisionerMetrics()), ...(await reloaderMetrics())].map(({ name }) => name);
    const named = [...text.matchAll(/\bvast_pod_[a-z_]+[a-z]\b/g)].map(([name]) => name);
    expect(named.filter((name) => !known.includes(name))).toEqual([]);
  });

  test("names only states and reasons that exist", () => {
    const named = [...text.matchAll(/`(?:blocked|unavailable|provisioning|ready): ([a-z_]+)`/g)].map(
      ([, word]) => word,
    );
    expect(named.filter((word) => !reasons().includes(`${word}`))).toEqual([]);
  });

  test("names only files that exist", () => {
    const named = [...text.matchAll(/`((?:\.ci|[a-z-]+)\/[\w./-]*)`/g)].map(([, name]) => `${name}`);
    const folders = [ROOT, join(ROOT, dirname(path)), join(ROOT, "provisioner")];
    const missing = named.filter((name) => !folders.some((folder) => existsSync(join(folder, name))));
    expect(missing.filter((name) => !name.startsWith("dist/"))).toEqual([]);
  });

  test("names only identifiers that occur in the source", () => {
    const code = [...text.matchAll(/`([^`\n]+)`/g)].map(([, word]) => `${word}`);
    const words = code.filter((word) => /^([a-z]+(_[a-z0-9]+)+|[a-z]+([A-Z][a-z0-9]+)+)$/.test(word));
    const ours = words.filter((word) => !word.startsWith("vast_pod_") && !OTHERS.has(word));
    expect(ours.filter((word) => !new RegExp(`\\b${word}\\b`).test(sources))).toEqual([]);
  });
});

describe("the tables of names are complete", () => {
  const provisioner = "provisioner/README.md";
  const reference = "deploy/reference.md";
  const reloader = "reloader/README.md";

  test("all reasons", () => {
    const section = textOf(reference).split("<!-- generated: reasons -->")[1]?.split("<!-- end -->")[0] ?? "";
    const documented = [...section.matchAll(/^### ([a-z_]+)$/gm)].map(([, word]) => `${word}`);
    expect(documented.sort()).toEqual(reasons().sort());
  });

  test("all fields of the provisioner's /status", () => {
    const documented = firstColumn(reference, "<!-- generated: status-fields -->\n\n| field | meaning |");
    expect(documented.filter((path) => !path.includes("."))).toEqual(Object.keys(statusDocumentSchema.shape));
  });

  test("all fields of the state file", () => {
    const documented = firstColumn(provisioner, "milliseconds.\n\n| field | meaning |");
    expect(documented.sort()).toEqual(Object.keys(stateSchema.shape).sort());
  });

  test("all fields of the reloader's /status", () => {
    const fields = Object.keys(new Report(pino({ level: "silent" }), 0, 0).status({ pid: null, problem: null }));
    expect(firstColumn(reloader, "## /status\n\n| field | meaning |")).toEqual(fields);
  });

  test("all words of the reloader's state", () => {
    expect(firstColumn(reloader, "| state | meaning | what to do |")).toEqual([...APPLIED_STATES]);
  });
});
