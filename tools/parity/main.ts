/** `node tools/parity/main.ts`: writes docs/reference/parity-alibaba.md, parity-aws.md and parity-esp-at.md. */
import { writeFileSync } from "node:fs";
import { awsDocumentPath, renderAwsDocument } from "./aws.ts";
import { documentPath, renderDocument } from "./document.ts";
import { espAtDocumentPath, renderEspAtDocument } from "./esp-at.ts";

writeFileSync(documentPath, renderDocument());
writeFileSync(awsDocumentPath, renderAwsDocument());
writeFileSync(espAtDocumentPath, renderEspAtDocument());
