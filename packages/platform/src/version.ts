import manifest from "../package.json" with { type: "json" };

/** Of the server, as `GET /healthz` and the log tell it. */
export const version: string = manifest.version;
