/** `node tools/conformance-table/main.ts`: writes docs/reference/mqtt-conformance.md. */
import { writeFileSync } from "node:fs";
import { documentPath, renderDocument } from "./document.ts";

writeFileSync(documentPath, renderDocument());
