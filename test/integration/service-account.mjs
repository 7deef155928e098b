// Tests preload this into a real program: it finds the files of its service account in VAST_POD_TEST_SERVICE_ACCOUNT instead of
// the place where Kubernetes mounts them. The program itself is unchanged.
import { createRequire, syncBuiltinESMExports } from "node:module";

const folder = process.env.VAST_POD_TEST_SERVICE_ACCOUNT;
if (!folder) throw new Error("VAST_POD_TEST_SERVICE_ACCOUNT must name a folder");
const MOUNTED = "/var/run/secrets/kubernetes.io/serviceaccount";

const require = createRequire(import.meta.url);
const fs = require("node:fs");
const { openSync } = fs;
fs.openSync = (path, ...rest) => openSync(String(path).replace(MOUNTED, folder), ...rest);
syncBuiltinESMExports();
