import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "../../../../common/clock.ts";
import { type ClusterAccess, openCluster } from "../../../../provisioner/kubernetes/cluster.ts";
import { AUTHORITY } from "../../../kubernetes/certificates.ts";
import { type FakeCluster, startFakeCluster } from "../../../kubernetes/fake-cluster.ts";
import { SELF_SIGNED } from "../observe/self-signed.ts";

const SETS = "/apis/apps/v1/namespaces/models/statefulsets";

describe("the cluster's API", () => {
  let fake: FakeCluster;
  let files: Record<string, string>;
  beforeEach(async () => {
    fake = await startFakeCluster();
    files = { ...fake.serviceAccount };
    fake.statefulSets.set("vast-pod", { name: "vast-pod", replicas: 2 });
  });
  afterEach(() => fake.close());

  const access = (more: Partial<ClusterAccess> = {}): ClusterAccess => ({
    env: { KUBERNETES_SERVICE_HOST: "127.0.0.1", KUBERNETES_SERVICE_PORT: String(fake.port) },
    readFile: (path) => {
      const text = files[path.replace("/account/", "")];
      if (text === undefined) throw new Error("ENOENT");
      return text;
    },
    clock: systemClock,
    folder: "/account",
    ...more,
  });

  test("returns an object that exists", async () => {
    const lookup = await openCluster(access()).get(`${SETS}/vast-pod`);
    expect(lookup).toMatchObject({ kind: "found", body: { metadata: { name: "vast-pod" }, spec: { replicas: 2 } } });
  });

  test("changes parts of an object, and removes what is null", async () => {
    fake.pods.set("vast-pod-0", "vast-pod");
    const path = "/api/v1/namespaces/models/pods/vast-pod-0";
    const cluster = openCluster(access());
    const annotate = (annotations: object) => cluster.patch(path, { metadata: { annotations } });
    expect((await annotate({ a: "1", b: "2" })).kind).toBe("found");
    expect((await annotate({ a: null })).kind).toBe("found");
    expect(fake.annotations.get("vast-pod-0")).toEqual({ b: "2" });
    expect((await cluster.patch(`${path}9`, {})).kind).toBe("missing");
  });

  test("distinguishes missing from unknown", async () => {
    expect((await openCluster(access()).get(`${SETS}/other`)).kind).toBe("missing");
    fake.trouble = { status: 503, body: "<html>" };
    expect((await openCluster(access()).get(`${SETS}/other`)).kind).toBe("unknown");
  });

  test("puts the pages of a list together, and of a pod asks for no more than its metadata", async () => {
    for (const name of ["a-0", "a-1", "a-2", "a-3", "a-4"]) fake.pods.set(name, "a");
    const pods = await openCluster(access()).list("/api/v1/namespaces/models/pods", "metadata");
    expect(pods).toEqual({
      kind: "found",
      body: {
        kind: "PartialObjectMetadataList",
        items: ["a-0", "a-1", "a-2", "a-3", "a-4"].map((name) => ({ metadata: { name } })),
      },
    });
    expect(fake.asked).toHaveLength(3);
    const sets = await openCluster(access()).list(SETS, "objects");
    expect(sets).toMatchObject({ body: { kind: "StatefulSetList", items: [{ spec: { replicas: 2 } }] } });
  });

  test("does not take a part of a list for the whole", async () => {
    for (const name of ["a-0", "a-1", "a-2"]) fake.pods.set(name, "a");
    const cluster = openCluster(access());
    fake.onAsk = (path) => {
      if (path.includes("continue=")) fake.trouble = { status: 410, body: "{}" };
    };
    expect(await cluster.list("/api/v1/namespaces/models/pods", "metadata")).toMatchObject({
      kind: "unknown",
      why: expect.stringContaining("answered 410"),
    });
    fake.trouble = { status: 200, body: '{"kind":"PodList"}' };
    expect(await cluster.list(SETS, "objects")).toMatchObject({
      kind: "unknown",
      why: expect.stringMatching(/no list/),
    });
  });

  test("gets the current token with each request", async () => {
    const cluster = openCluster(access());
    files.token = "an expired one";
    const refused = await cluster.get(SETS);
    expect(refused).toMatchObject({
      kind: "unknown",
      why: expect.stringMatching(/answered 401: the token of the service account is not valid/),
    });
    files.token = fake.serviceAccount.token;
    expect((await cluster.get(SETS)).kind).toBe("found");
  });

  test("is unknown when its certificate comes from another authority", async () => {
    files["ca.crt"] = SELF_SIGNED.cert;
    expect(await openCluster(access()).get(SETS)).toMatchObject({ kind: "unknown" });
    expect(fake.asked).toEqual([]);
    expect(AUTHORITY).not.toBe(SELF_SIGNED.cert);
  });

  test("is unknown when the connection is cut, and the result does not contain the token", async () => {
    fake.trouble = "cut";
    const lookup = await openCluster(access()).get(SETS);
    expect(lookup.kind).toBe("unknown");
    expect(JSON.stringify(lookup)).not.toContain(fake.serviceAccount.token.trim());
  });

  test("is unknown when it does not answer in time", async () => {
    fake.trouble = "hang";
    const stop = new AbortController();
    const lookup = openCluster(access()).get(SETS, stop.signal);
    stop.abort(new Error("enough"));
    expect(await lookup).toMatchObject({ kind: "unknown", why: expect.stringContaining("no answer in time") });
  });

  test("cannot be opened outside a pod: the error names what is missing", () => {
    expect(() => openCluster(access({ env: {} }))).toThrow(/KUBERNETES_SERVICE_HOST is not set/);
    delete files.token;
    expect(() => openCluster(access())).toThrow(/account\/token cannot be read: mount a service account/);
  });
});
