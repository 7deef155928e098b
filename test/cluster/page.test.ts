// deploy/kubernetes/README.md, followed word for word. What a test cannot have is changed: the engine and kind are programs that only
// write down how they were called, since the images are in the cluster already; the pods ask the emulator.
import { chmod, cp, mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { VERSION } from "../../common/version.ts";
import { command } from "../containers/command.ts";
import { MANIFESTS } from "../kubernetes/kustomize.ts";
import { findProgram } from "../sandbox/programs.ts";
import { kubectl, openApiProxy } from "./kubectl.ts";
import { inlineCommands, shellBlocks } from "./page.ts";
import { createNamespace, deleteNamespaces, openSurroundings, type Surroundings } from "./surroundings.ts";

describe("the page for Kubernetes", () => {
  const namespace = `vast-pod-page-${process.pid}`;
  const demo = `${namespace}-demo`;
  const outside = `${namespace}-outside`;
  let folder = "";
  let page = "";
  let api: Awaited<ReturnType<typeof openApiProxy>>;
  let surroundings: Surroundings;

  beforeAll(async () => {
    folder = await realpath(await mkdtemp(join(tmpdir(), "vast-pod-page-")));
    page = await readFile(join(MANIFESTS, "README.md"), "utf8");
    await cp(MANIFESTS, join(folder, "deploy/kubernetes"), { recursive: true });
    await mkdir(join(folder, "bin"));
    await symlink(findProgram("kubectl", process.env), join(folder, "bin/kubectl"));
    for (const name of ["docker", "kind"]) {
      const path = join(folder, "bin", name);
      await writeFile(path, `#!/bin/sh\necho ${name} "$@" >>${join(folder, "calls")}\n`);
      await chmod(path, 0o755);
    }
    await writeFile(join(folder, "kubeconfig"), await kubectl("config", "view", "--raw", "--flatten"), { mode: 0o600 });
    api = await openApiProxy();
    surroundings = await openSurroundings(folder, api.url, outside, namespace);
  });
  afterAll(async () => {
    await deleteNamespaces(namespace, demo, outside);
    await api?.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** Runs it as a user does, in the folder of the project. */
  const type = (script: string) =>
    command("sh", ["-euc", filledIn(script)], {
      cwd: folder,
      env: { KUBECONFIG: join(folder, "kubeconfig"), PATH: `${join(folder, "bin")}:${process.env.PATH}` },
    });
  const filledIn = (script: string) =>
    script
      .replaceAll("my-model", namespace)
      .replaceAll("<namespace>", namespace)
      .replaceAll("<pod>", "vast-pod-0")
      .replaceAll("<user>", "somebody")
      .replaceAll("<password>", "something")
      .replaceAll(/<your (copy|overlay)>/g, "my-copy")
      .replace("# then fill it in", "\nsed -i s/replace-me/emulator-key/ secret.env");
  const inNamespace = (name: string) => type(`kubectl config set-context --current --namespace=${name}`);
  const one = (found: readonly string[], start: string) => {
    const [first] = found.filter((each) => each.startsWith(start));
    if (first === undefined) throw new Error(`the page has no command "${start}"`);
    return first;
  };
  const calls = () => readFile(join(folder, "calls"), "utf8");
  const live = async () => (await surroundings.emulator.state()).instances.filter((each) => each.destroyedAt === null);
  const rolledOut = () => type("kubectl -n my-model rollout status statefulset/vast-pod --timeout=500s");

  test("leads to an answer of an instance when it is tried out", async () => {
    await createNamespace(folder, demo);
    await inNamespace(demo);
    const blocks = shellBlocks(page, "Try it out");
    expect(blocks).toHaveLength(1);
    for (const block of blocks) await type(block);
    const image = `registry.invalid/vast-pod/provisioner:${VERSION}`;
    expect(await calls()).toContain(`kind load docker-image ${image}`);
    const answer = await type(`kubectl get --raw /api/v1/namespaces/${demo}/services/vast-pod:http/proxy/who`);
    expect(JSON.parse(answer)).toMatchObject({ instance: expect.any(Number) });
    await deleteNamespaces(demo);
  });

  const ours = "Your own model server";

  test("leads to a model server of one's own", async () => {
    const [images = "", secrets = ""] = shellBlocks(page, ours);
    await type(images);
    expect(await calls()).toContain(`docker push registry.example.com/vast-pod/reloader:${VERSION}`);
    await changedCopy();
    await type(secrets);
    await type(one(inlineCommands(page, ours), "kubectl -n my-model apply"));
    await rolledOut();
    await surroundings.client.answered();
    expect((await live()).map(({ image_uuid }) => image_uuid)).toEqual(["example/app:2"]);
    expect(await type(one(inlineCommands(page, ours), "kubectl -n my-model logs"))).toContain('"event":"start"');
    const status = one(inlineCommands(page, "Alerts"), "kubectl get --raw");
    expect(JSON.parse(await type(status))).toMatchObject({ state: "ready" });
  });

  test("changes the image", async () => {
    const settings = join(folder, "my-copy/settings.env");
    await writeFile(settings, (await readFile(settings, "utf8")).replace("example/app:2", "example/app:3"));
    await type(one(inlineCommands(page, ours), "kubectl -n my-model apply"));
    await rolledOut();
    expect((await live()).map(({ image_uuid }) => image_uuid)).toEqual(["example/app:3"]);
  });

  test("adds pods, which an apply keeps", async () => {
    await type(one(inlineCommands(page, ours), "kubectl -n my-model scale"));
    await rolledOut();
    await type(one(inlineCommands(page, ours), "kubectl -n my-model apply"));
    await rolledOut();
    expect(await live()).toHaveLength(3);
  });

  test("removes everything, and no instance is left", async () => {
    await inNamespace(namespace);
    const [, removal = ""] = page.split("**Before `kubectl delete -k`**");
    const [block = ""] = shellBlocks(`\n## Rest\n${removal}`, "Rest");
    await type(block);
    expect(await live()).toEqual([]);
    await type(one(inlineCommands(page, "Scale-down"), "kubectl delete pvc"));
    expect(await type("kubectl get statefulset,pod,pvc,cronjob,service --output name")).toBe("");
  });

  /** The example with what it marks as CHANGE. */
  async function changedCopy(): Promise<void> {
    const copy = join(folder, "my-copy");
    await cp(join(MANIFESTS, "overlays/example"), copy, { recursive: true });
    await edit(join(copy, "kustomization.yaml"), [
      [/\.\.\/\.\.\//g, "../deploy/kubernetes/"],
      [/registry\.example\.com\/vast-pod\//g, "registry.invalid/vast-pod/"],
    ]);
    await edit(join(copy, "settings.env"), [
      [/^VAST_TEMPLATE_NAME=.*$/m, `VAST_TEMPLATE_NAME=demo\nVAST_URL=${surroundings.vastUrl}`],
    ]);
  }

  async function edit(path: string, changes: readonly (readonly [RegExp, string])[]): Promise<void> {
    let text = await readFile(path, "utf8");
    for (const [from, to] of changes) {
      expect(text).toMatch(from);
      text = text.replace(from, to);
    }
    await writeFile(path, text);
  }
});
