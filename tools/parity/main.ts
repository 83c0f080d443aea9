/** `node tools/parity/main.ts`: writes docs/reference/parity-alibaba.md and parity-esp-at.md. */
import { writeFileSync } from "node:fs";
import { documentPath, renderDocument } from "./document.ts";
import { espAtDocumentPath, renderEspAtDocument } from "./esp-at.ts";

writeFileSync(documentPath, renderDocument());
writeFileSync(espAtDocumentPath, renderEspAtDocument());
