// `npm run docs`: writes the generated parts of all documents again, the files made from the alert rules, and the dashboards.
import { writeFile } from "node:fs/promises";
import { alertFiles } from "./alert-files.ts";
import { dashboardFiles } from "./dashboard-files.ts";
import { ROOT, readDocuments, regenerate } from "./documents.ts";
import { generatedPart } from "./parts.ts";

for (const { path, text } of await readDocuments()) {
  const written = await regenerate(text, generatedPart);
  if (written === text) continue;
  await writeFile(`${ROOT}${path}`, written);
  process.stdout.write(`${path} was written again\n`);
}

for (const [path, content] of [...(await alertFiles()), ...dashboardFiles()])
  await writeFile(`${ROOT}${path}`, content);
