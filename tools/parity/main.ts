/** `node tools/parity/main.ts`: writes docs/reference/parity-alibaba.md. */
import { writeFileSync } from "node:fs";
import { documentPath, renderDocument } from "./document.ts";

writeFileSync(documentPath, renderDocument());
