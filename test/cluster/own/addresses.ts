// The addresses of our own cluster. They exist only in its network namespace, so they cannot collide with the machine's.
export const NODE = "node1";
export const NODE_IP = "172.31.0.1";
export const API_URL = `https://${NODE_IP}:6443`;
export const SERVICE_RANGE = "10.0.0.0/16";
/** The first address of the range: what the API server calls its own Service. */
export const API_SERVICE_IP = "10.0.0.1";
export const POD_RANGE = "10.244.0.0/16";
export const DOMAIN = "cluster.local";
