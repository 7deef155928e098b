import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { provisionerMetrics, reloaderMetrics } from "../docs/metrics.ts";
import { VARIABLES } from "../docs/settings.ts";
import { ROOT } from "../sandbox/sandbox.ts";
import { MANIFESTS, type Manifest, render } from "./kustomize.ts";
import { type Container, containersOf, podTemplatesOf } from "./pods.ts";
import { problemsOf, unknownFieldsOf } from "./schemas.ts";

const COMPONENTS = [
  "reaper",
  "blacklist",
  "scale-down",
  "events",
  "monitoring",
  "monitoring-operator",
  "dashboards",
  "network-policies",
];
const OVERLAYS = ["demo", "standard", "full", "example"];
const pairs = COMPONENTS.flatMap((a, i) => COMPONENTS.slice(i + 1).map((b) => [a, b]));

// RFC 6761: no name under .invalid ever resolves.
const REGISTRY = "registry.invalid/vast-pod/";
const OFFICIAL_IMAGES = ["nginx", "redis"];
// The example stands for a user's own registry (RFC 2606).
const EXAMPLE_REGISTRY = "registry.example.com/vast-pod/";
const isOurs = (image: string) => image.startsWith(REGISTRY) || image.startsWith(EXAMPLE_REGISTRY);

/** Every rendering that a user can apply, by name. */
const renderings = new Map<string, Manifest[]>();
let folder = "";

beforeAll(async () => {
  folder = await mkdtemp(join(MANIFESTS, ".test-")); // kustomize refuses files outside its root, and absolute paths
  renderings.set("base", await render(join(MANIFESTS, "base")));
  for (const overlay of OVERLAYS) renderings.set(overlay, await render(join(MANIFESTS, "overlays", overlay)));
  for (const components of [...COMPONENTS.map((one) => [one]), ...pairs, COMPONENTS]) {
    const kustomization = {
      apiVersion: "kustomize.config.k8s.io/v1beta1",
      kind: "Kustomization",
      resources: [relative(folder, join(MANIFESTS, "base"))],
      components: components.map((one) => relative(folder, join(MANIFESTS, "components", one))),
    };
    await writeFile(join(folder, "kustomization.yaml"), JSON.stringify(kustomization));
    renderings.set(components.join(" + "), await render(folder));
  }
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** The ConfigMaps from which a manifest's containers get variables. */
const settingsOf = (manifest: Manifest) =>
  containersOf(manifest).flatMap(({ envFrom = [] }) => envFrom.map(({ configMapRef }) => configMapRef.name));

/** Fails with the rendering, the object and the problem, for all of them at once. */
function everywhere(judge: (manifest: Manifest, all: readonly Manifest[]) => string[]): void {
  const problems = new Set<string>();
  for (const [name, all] of renderings)
    for (const one of all)
      for (const problem of judge(one, all)) problems.add(`${name}: ${one.kind} ${one.metadata.name}: ${problem}`);
  expect([...problems]).toEqual([]);
}

const everyContainer = (judge: (container: Container, manifest: Manifest) => string[]) =>
  everywhere((manifest) =>
    containersOf(manifest).flatMap((one) => judge(one, manifest).map((problem) => `${one.name}: ${problem}`)),
  );

/** The annotations of an object and of its pods. */
function scrapeAnnotations({ metadata, spec }: Manifest): Record<string, string>[] {
  const { template } = (spec ?? {}) as { template?: { metadata?: { annotations?: Record<string, string> } } };
  const { annotations } = metadata as { annotations?: Record<string, string> };
  return [annotations, template?.metadata?.annotations].filter((one) => one !== undefined);
}

describe("every component, pair of components and overlay", () => {
  test("renders", () => {
    expect(renderings.size).toBe(1 + OVERLAYS.length + COMPONENTS.length + pairs.length + 1);
    for (const [name, all] of renderings) expect(all.length, name).toBeGreaterThan(5);
  });

  test("matches Kubernetes' schemas", () => everywhere(problemsOf));

  test("has no field that Kubernetes does not know", async () => {
    expect(await unknownFieldsOf([...renderings.values()].flat())).toEqual([]);
  });

  test("puts its objects into the requested namespace, each with a unique name", () => {
    for (const [name, all] of renderings) {
      const names = all.map((one) => `${one.kind} ${one.metadata.name}`);
      expect(new Set(names).size, name).toBe(names.length);
      expect(
        all.filter((one) => "namespace" in one.metadata),
        name,
      ).toEqual([]);
    }
  });
});

describe("a container", () => {
  test("has no privileges, a read-only root and its own non-root user", () =>
    everywhere((manifest) =>
      podTemplatesOf(manifest).flatMap((spec) =>
        [...(spec.initContainers ?? []), ...spec.containers].flatMap((one) => {
          const own = one.securityContext ?? {};
          const user = own.runAsUser ?? spec.securityContext?.runAsUser;
          return [
            own.privileged ? "is privileged" : "",
            own.allowPrivilegeEscalation === false ? "" : "may gain privileges",
            own.readOnlyRootFilesystem === true ? "" : "may write its root",
            own.capabilities?.drop?.includes("ALL") && !own.capabilities.add ? "" : "keeps capabilities",
            spec.securityContext?.runAsNonRoot === true && user !== undefined && user > 0 ? "" : "may run as root",
            spec.securityContext?.seccompProfile?.type === "RuntimeDefault" ? "" : "has no seccomp profile",
          ].flatMap((problem) => (problem === "" ? [] : [`${one.name} ${problem}`]));
        }),
      ),
    ));

  test("has an image with a version", () =>
    everyContainer(({ image }) =>
      /^[a-z0-9./-]+:(?!latest$)[A-Za-z0-9._-]+$/.test(image) ? [] : [`its image is ${image}`],
    ));

  test("has no image that a stranger could publish: ours have a registry that can belong to nobody", () =>
    everyContainer(({ image }) => {
      return isOurs(image) || OFFICIAL_IMAGES.includes(image.split(":")[0] ?? "") ? [] : [`its image is ${image}`];
    }));

  test("of the pod gets the settings of one file, whether they are the provisioner's or the reloader's", () =>
    everywhere((manifest, all) => {
      if (manifest.metadata.name !== "vast-pod" || manifest.kind !== "StatefulSet") return [];
      const [pod] = podTemplatesOf(manifest);
      const sources = (pod?.initContainers ?? []).map((one) =>
        (one.envFrom ?? []).map((each) => each.configMapRef.name),
      );
      const there = all.filter((one) => one.kind === "ConfigMap").map((one) => one.metadata.name);
      const one = sources[0]?.[0] ?? "";
      return there.includes(one) && sources.every((names) => names.length === 1 && names[0] === one)
        ? []
        : [`its sidecars read the settings of ${JSON.stringify(sources)}`];
    }));

  test("has requests and a memory limit", () =>
    everyContainer(({ resources }) => [
      ...(resources?.requests?.cpu && resources.requests.memory ? [] : ["no requests"]),
      ...(resources?.limits?.memory ? [] : ["no memory limit"]),
    ]));

  test("of a service has a liveness probe", () =>
    everyContainer(({ livenessProbe }, { kind }) =>
      kind === "CronJob" || livenessProbe ? [] : ["no liveness probe"],
    ));

  test("gets only variables of the settings table", () => {
    const known = new Set(Object.keys(VARIABLES).flatMap((name) => [name, `${name}_FILE`]));
    everyContainer(({ image, env = [] }) =>
      isOurs(image) ? env.filter(({ name }) => !known.has(name)).map(({ name }) => `unknown ${name}`) : [],
    );
    everywhere(({ metadata, data }, all) =>
      all.flatMap(settingsOf).includes(metadata.name) ? Object.keys(data ?? {}).filter((name) => !known.has(name)) : [],
    );
  });

  test("that calls Vast.ai gets the settings from a ConfigMap whose name changes with them, so that a change restarts the pods", () =>
    everywhere((manifest, all) =>
      containersOf(manifest)
        .filter((one) => isOurs(one.image) && one.image.includes("/provisioner:"))
        .flatMap((one) => {
          const [name, ...others] = (one.envFrom ?? []).map(({ configMapRef }) => configMapRef.name);
          const there = all.some((other) => other.kind === "ConfigMap" && other.metadata.name === name);
          return there && others.length === 0 && /^vast-pod-[a-z0-9]{10}$/.test(name ?? "")
            ? []
            : [`${one.name} has the settings ${name}`];
        }),
    ));

  test("mounts only existing volumes, and every volume is mounted", () =>
    everywhere((manifest) =>
      podTemplatesOf(manifest).flatMap((spec) => {
        const claims = (manifest.spec as { volumeClaimTemplates?: { metadata: { name: string } }[] })
          .volumeClaimTemplates;
        const there = new Set(
          [...(spec.volumes ?? []), ...(claims ?? []).map((one) => one.metadata)].map((one) => one.name),
        );
        const used = [...(spec.initContainers ?? []), ...spec.containers].flatMap((one) => one.volumeMounts ?? []);
        const names = new Set(used.map((one) => one.name));
        return [
          ...[...names].filter((name) => !there.has(name)).map((name) => `no volume ${name}`),
          ...[...there].filter((name) => !names.has(name)).map((name) => `nobody mounts ${name}`),
        ];
      }),
    ));
});

describe("the pod", () => {
  const pod = (rendering: string) => {
    const set = renderings
      .get(rendering)
      ?.find((one) => one.kind === "StatefulSet" && one.metadata.name === "vast-pod");
    const [spec] = set === undefined ? [] : podTemplatesOf(set);
    if (spec === undefined) throw new Error(`${rendering} has no StatefulSet vast-pod`);
    return spec;
  };
  const container = (rendering: string, name: string) => {
    const { initContainers = [], containers } = pod(rendering);
    const found = [...initContainers, ...containers].find((one) => one.name === name);
    if (found === undefined) throw new Error(`${rendering} has no container ${name}`);
    return found;
  };

  test("has nginx as its only main container; provisioner and reloader are sidecars that start before it", () => {
    for (const name of renderings.keys()) {
      const { initContainers = [], containers } = pod(name);
      expect(containers.map((one) => one.name)).toEqual(["nginx"]);
      expect(initContainers.map((one) => [one.name, one.restartPolicy])).toEqual([
        ["provisioner", "Always"],
        ["reloader", "Always"],
      ]);
    }
  });

  test("gives nginx and the reloader one UID, and the provisioner another", () => {
    expect(container("full", "nginx").securityContext?.runAsUser).toBe(101);
    expect(container("full", "reloader").securityContext?.runAsUser).toBe(101);
    expect(container("full", "provisioner").securityContext?.runAsUser).toBe(10001);
    expect(pod("full").shareProcessNamespace).toBe(true);
  });

  test("is ready when nginx is: no sidecar has a readiness probe, and their liveness probes use /livez", () => {
    for (const name of ["provisioner", "reloader"]) {
      expect(container("full", name).readinessProbe).toBeUndefined();
      expect(container("full", name).livenessProbe?.httpGet?.path).toBe("/livez");
    }
    expect(container("full", "nginx").readinessProbe).toMatchObject({
      httpGet: { path: "/-/ready" },
      periodSeconds: 1,
    });
    expect(container("full", "nginx").livenessProbe?.httpGet?.path).toBe("/-/live");
    expect(container("full", "nginx").startupProbe).toMatchObject({
      httpGet: { path: "/-/live" },
      periodSeconds: 1,
      failureThreshold: 60,
    });
  });

  test("gives the upstream file to the reloader read-only, and the state file to the provisioner only", () => {
    const mounts = (name: string) => container("full", name).volumeMounts ?? [];
    expect(mounts("reloader").find((one) => one.name === "upstream")?.readOnly).toBe(true);
    expect(mounts("provisioner").find((one) => one.name === "upstream")?.readOnly).toBeUndefined();
    for (const name of ["nginx", "reloader"]) {
      const names = mounts(name).map((one) => one.name);
      for (const secret of ["state", "secret", "token"]) expect(names).not.toContain(secret);
    }
  });

  test("gives a service account's token to the provisioner only, and only with scale-down or events", () => {
    for (const name of renderings.keys()) {
      expect(pod(name).automountServiceAccountToken).toBe(false);
      const has = (container(name, "provisioner").volumeMounts ?? []).some((one) => one.name === "token");
      const isUsed = /scale-down|events/.test(name) || ["standard", "full", "example"].includes(name);
      expect(has, name).toBe(isUsed);
    }
  });

  test("writes Events only with the component for them, which may read and change pods and write Events", () => {
    const isOn = (name: string) =>
      container(name, "provisioner").env?.some((one) => one.name === "KUBERNETES_EVENTS" && one.value === "true") ===
      true;
    expect(["base", "full", "events", "scale-down + events"].map(isOn)).toEqual([false, false, true, true]);
    const role = renderings.get("events")?.find(({ kind }) => kind === "Role");
    expect(role).toMatchObject({
      rules: [
        { apiGroups: [""], resources: ["events"], verbs: ["create", "patch"] },
        { apiGroups: [""], resources: ["pods"], verbs: ["get", "patch"] },
      ],
    });
  });

  test("shares its Redis with the reaper, which may connect to it", () => {
    const reaperOf = (name: string) => {
      const job = renderings.get(name)?.find(({ kind }) => kind === "CronJob");
      return job === undefined ? undefined : containersOf(job)[0];
    };
    const redisOf = (env: Container["env"]) => env?.filter((one) => /^BLACKLIST_(ENABLED|REDIS)/.test(one.name));
    expect(redisOf(reaperOf("reaper")?.env)).toEqual([]);
    for (const name of ["reaper + blacklist", "standard", "full", "example"]) {
      const shared = redisOf(reaperOf(name)?.env);
      expect(shared, name).toHaveLength(3);
      expect(shared, name).toEqual(redisOf(container(name, "provisioner").env));
    }
    const policy = renderings
      .get("full")
      ?.find((one) => `${one.kind} ${one.metadata.name}` === "NetworkPolicy vast-pod-redis");
    expect(JSON.stringify(policy?.spec)).toContain('"app.kubernetes.io/component":"reaper"');
  });

  test("keeps its instance unless scale-down is used", () => {
    const onTerminate = (name: string) =>
      container(name, "provisioner").env?.find((one) => one.name === "VAST_ON_TERMINATE")?.value;
    expect(onTerminate("base")).toBeUndefined();
    expect(onTerminate("demo")).toBeUndefined();
    expect(onTerminate("scale-down")).toBe("scale-down");
  });
});

describe("names and selectors", () => {
  test("every Service and budget selects the pods of exactly one template", () =>
    everywhere((one, all) => {
      const spec = one.spec as { selector?: Record<string, string> & { matchLabels?: Record<string, string> } };
      if (!["Service", "PodDisruptionBudget"].includes(one.kind)) return [];
      const wanted = Object.entries(spec.selector?.matchLabels ?? spec.selector ?? {}) as [string, string][];
      const chosen = all.filter((other) =>
        podTemplatesOf(other).some((pods) => wanted.every(([key, value]) => pods.labels?.[key] === value)),
      );
      return wanted.length > 0 && chosen.length === 1 ? [] : [`selects ${chosen.length} templates`];
    }));

  test("every port of a Service is a port of a container, by name only where older clusters support it", () =>
    everywhere((one, all) => {
      if (one.kind !== "Service") return [];
      const { ports } = one.spec as { ports: { targetPort: string | number }[] };
      const templates = all.flatMap(podTemplatesOf);
      const open = new Set<string | number>([
        // Not for sidecars: before Kubernetes 1.33 the endpoints of a Service do not have their named ports.
        ...templates.flatMap((pod) => pod.containers.flatMap((each) => each.ports ?? [])).map((port) => port.name),
        ...all.flatMap(containersOf).flatMap((each) => (each.ports ?? []).map((port) => port.containerPort)),
      ]);
      return ports.filter((port) => !open.has(port.targetPort)).map((port) => `no port ${port.targetPort}`);
    }));

  test("the disruption budget does not block a drain for pods that wait for an offer", () => {
    for (const [name, all] of renderings) {
      const [budget, ...others] = all.filter((one) => one.kind === "PodDisruptionBudget");
      expect(budget?.spec, name).toMatchObject({ maxUnavailable: "50%", unhealthyPodEvictionPolicy: "AlwaysAllow" });
      expect(others).toEqual([]);
    }
  });

  test("every referenced ConfigMap, Secret and service account exists", () => {
    everywhere((one, all) => {
      const text = JSON.stringify(one);
      const there = (kind: string) => all.filter((other) => other.kind === kind).map((other) => other.metadata.name);
      const named = (pattern: RegExp) => [...text.matchAll(pattern)].map((match) => match[1] ?? "");
      return [
        ...named(/"configMap(?:Ref)?":\{(?:[^{}]*,)?"name":"([^"]+)"/g).filter(
          (name) => name !== "kube-root-ca.crt" && !there("ConfigMap").includes(name),
        ),
        ...named(/"serviceAccountName":"([^"]+)"/g).filter((name) => !there("ServiceAccount").includes(name)),
      ];
    });
  });

  test("no rendering but the demo's has a Secret: an apply would replace the user's own", () => {
    for (const [name, all] of renderings)
      expect(
        all.filter((one) => one.kind === "Secret").map((one) => one.metadata.name),
        name,
      ).toEqual(name === "demo" ? ["vast-pod"] : []);
  });

  test("every key of a Secret that a container needs is in the example, and in the demo's", async () => {
    const example = await readFile(join(MANIFESTS, "secret.example.env"), "utf8");
    const demo = renderings.get("demo")?.find((one) => one.kind === "Secret");
    const used = [...renderings.values()].flat().flatMap((one) => {
      const text = JSON.stringify(podTemplatesOf(one));
      return [...text.matchAll(/\/etc\/vast-pod\/secret\/([A-Z_]+)|"key":"([A-Z_]+)","name":"vast-pod"/g)].map(
        (match) => match[1] ?? match[2] ?? "",
      );
    });
    const keys = [...new Set(used)].sort();
    expect(keys).toEqual(["DOCKER_LOGIN", "REDIS_PASSWORD", "VAST_API_KEY"]);
    expect([...example.matchAll(/^([A-Z_]+)=/gm)].map((match) => match[1]).sort()).toEqual(keys);
    expect(Object.keys((demo?.stringData ?? {}) as object).sort()).toEqual(keys);
  });

  test("no rendering says how many pods there are: an apply would undo `kubectl scale`", () => {
    for (const [name, all] of renderings) {
      const set = all.find((one) => one.kind === "StatefulSet" && one.metadata.name === "vast-pod");
      expect(set?.spec, name).not.toHaveProperty("replicas");
    }
  });

  test("the demo needs no StorageClass", () => {
    const claims = (renderings.get("demo") ?? []).flatMap(
      (one) => (one.spec as { volumeClaimTemplates?: unknown[] } | undefined)?.volumeClaimTemplates ?? [],
    );
    expect(claims).toEqual([]);
  });

  test("nginx' main config in the base is the one in deploy/", async () => {
    expect(await readFile(join(MANIFESTS, "base/nginx.conf"), "utf8")).toBe(
      await readFile(join(ROOT, "deploy/nginx.conf"), "utf8"),
    );
  });

  test("Prometheus is sent to the status ports and never to nginx, which would pass /metrics on to the instance", () => {
    const statusPorts = ["provisioner", "reloader"];
    const portsOf = (all: readonly Manifest[]) =>
      all.flatMap((one) => containersOf(one)).flatMap(({ ports = [] }) => ports);
    for (const [name, all] of renderings) {
      const scraped = all.flatMap(scrapeAnnotations).filter((one) => one["prometheus.io/scrape"] === "true");
      const numbers = scraped.map((one) => Number(one["prometheus.io/port"]));
      const annotated = portsOf(all).filter(({ containerPort }) => numbers.includes(containerPort));
      const monitors = all.filter(({ kind }) => kind === "PodMonitor");
      const monitored = monitors.flatMap(
        ({ spec }) => (spec as { podMetricsEndpoints: { port: string }[] }).podMetricsEndpoints,
      );
      const existing = monitored.filter(({ port }) => portsOf(all).some((one) => one.name === port));
      const isAnnotated = /(^| )monitoring( |$)|full|example/.test(name);
      const isMonitored = /monitoring-operator/.test(name);
      expect(
        annotated.map((port) => port.name),
        name,
      ).toEqual(isAnnotated ? statusPorts : []);
      expect(
        existing.map(({ port }) => port),
        name,
      ).toEqual(isMonitored ? statusPorts : []);
    }
  });

  test("the programs have every metric of the alert rules", async () => {
    const rules = await readFile(join(ROOT, "deploy/monitoring/alerts.yaml"), "utf8");
    const named = new Set(rules.match(/vast_pod_[a-z_]+/g));
    expect(named.size).toBeGreaterThan(5);
    const registered = [...(await provisionerMetrics()), ...(await reloaderMetrics())].map(({ name }) => name);
    expect([...named].filter((name) => !registered.includes(name))).toEqual([]);
  });

  test("these tests cover every folder of components and overlays", async () => {
    expect((await readdir(join(MANIFESTS, "components"))).sort()).toEqual([...COMPONENTS].sort());
    expect((await readdir(join(MANIFESTS, "overlays"))).sort()).toEqual([...OVERLAYS].sort());
  });
});
