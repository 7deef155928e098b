// Volumes of our own cluster, which has no storage class: folders of the node. Pure.
import { join } from "node:path";

// As many as the tests claim at the same time, and more.
const COUNT = 4;

/** Objects for the API server. A claim without a class gets one of them. */
export const volumes = (folder: string) =>
  Array.from({ length: COUNT }, (_, i) => ({
    apiVersion: "v1",
    kind: "PersistentVolume",
    metadata: { name: `volume-${i}` },
    spec: {
      capacity: { storage: "1Gi" },
      accessModes: ["ReadWriteOnce"],
      hostPath: { path: join(folder, `volume-${i}`), type: "Directory" },
    },
  }));
