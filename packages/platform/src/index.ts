/** The server's door: what the command line starts. */
export { type StartRequest, startServer } from "./start-server.ts";
