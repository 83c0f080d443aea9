export type * from "./broker.ts";
export type * from "./codec/packet.ts";
export type * from "./ports.ts";
