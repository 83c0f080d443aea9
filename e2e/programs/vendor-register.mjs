// Dynamic registration with the vendor's SDK, unmodified. Argument: a JSON object of its options. Prints the answer.
import { createRequire } from "node:module";

const sdk = createRequire(import.meta.url)("alibabacloud-iot-device-sdk");
sdk.register(JSON.parse(process.argv[2]), (answer) => console.log(JSON.stringify(answer)));
