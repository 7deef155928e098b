// The README promises nothing that is not there.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { Variable } from "../../../common/variables.ts";
import { settingsTable, VARIABLES } from "../docs/settings-table.ts";

const root = new URL("../../../", import.meta.url);
const readme = readFileSync(new URL("README.md", root), "utf8");

test("the README's settings table is the one in code", () => {
  expect(readme).toContain(settingsTable());
});

test("every npm script that the README names exists", () => {
  const { scripts } = JSON.parse(readFileSync(new URL("package.json", root), "utf8")) as {
    scripts: Record<string, string>;
  };
  const named = [...readme.matchAll(/npm run ([a-z:-]+)/g)].map((match) => match[1]);
  expect(named.length).toBeGreaterThan(3);
  expect(named.filter((name) => !(`${name}` in scripts))).toEqual([]);
});

test("every variable that the README names is in the table or in the compose file", () => {
  const prefixed = readme.match(/\b(VAST|BLACKLIST|NGINX|UPSTREAM|PROVISIONER|RELOADER)_[A-Z_]+[A-Z]\b/g) ?? [];
  const files = Object.entries<Variable>(VARIABLES).flatMap(([name, { secret }]) => (secret ? [`${name}_FILE`] : []));
  const compose = readFileSync(new URL("docker-compose.yml", root), "utf8");
  const composed = [...compose.matchAll(/\$\{([A-Z_]+)/g)].map(([, name]) => `${name}`);
  const known = new Set([...Object.keys(VARIABLES), ...files, ...composed, "BLACKLIST_REDIS"]);
  expect([...new Set(prefixed)].filter((name) => !known.has(name))).toEqual([]);
});
