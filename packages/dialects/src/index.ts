export * from "./alibaba/index.ts";
export * from "./aws/index.ts";
export type * from "./dialect.ts";
export * from "./plain/index.ts";
