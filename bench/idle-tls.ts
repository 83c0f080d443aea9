/**
 * Opens idle MQTT connections over TLS and prints `ready` when all are admitted; stays until its input ends.
 *
 * Usage: node bench/idle-tls.ts port count
 */
import { connect } from "node:tls";

const port = Number(process.argv[2]);
const count = Number(process.argv[3]);
const openingMax = 32;
const connackBytes = 4;

function connectPacket(index: number): Buffer {
  const clientId = Buffer.from(`idle-${index}`);
  const body = Buffer.concat([Buffer.from("00044d5154540402000000", "hex"), Buffer.from([clientId.length]), clientId]);
  return Buffer.concat([Buffer.from([0x10, body.length]), body]);
}

function open(index: number): Promise<void> {
  return new Promise((resolve, reject) => {
    // The servers' certificates are their own; what is measured is what a connection weighs there.
    const socket = connect({ port, host: "127.0.0.1", rejectUnauthorized: false, ecdhCurve: "prime256v1" }, () =>
      socket.write(connectPacket(index)),
    );
    socket.on("data", (bytes) => (bytes.length >= connackBytes && bytes[3] === 0 ? resolve() : reject(new Error("not admitted"))));
    socket.on("error", reject);
  });
}

let next = 0;
await Promise.all(
  Array.from({ length: openingMax }, async () => {
    while (next < count) await open(next++);
  }),
);
console.log("ready");
process.stdin.resume().on("end", () => process.exit(0));
