/** MQTT by hand: a socket, and mqtt-packet to spell packets. It answers nothing by itself. */
import { connect, type Socket } from "node:net";
import mqttPacket from "mqtt-packet";

export type RawPacket = Record<string, unknown> & { cmd: string };

export class RawMqttClient {
  readonly #socket: Socket;
  readonly #version: 3 | 4 | 5;
  #received: RawPacket[] = [];
  isClosed = false;
  lastActivityAt = performance.now();

  private constructor(socket: Socket, version: 3 | 4 | 5) {
    this.#socket = socket;
    this.#version = version;
    const parser = mqttPacket.parser({ protocolVersion: version });
    parser.on("packet", (packet: object) => {
      this.#received.push(packet as RawPacket);
      this.lastActivityAt = performance.now();
    });
    parser.on("error", (error: Error) => this.#received.push({ cmd: "unreadable", message: error.message }));
    socket.on("data", (bytes) => parser.parse(bytes));
    socket.on("error", () => {});
    socket.on("close", () => {
      this.isClosed = true;
      this.lastActivityAt = performance.now();
    });
  }

  static open(port: number, version: 3 | 4 | 5): Promise<RawMqttClient> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host: "127.0.0.1", port, noDelay: true });
      socket.once("error", reject);
      socket.once("connect", () => {
        socket.off("error", reject);
        resolve(new RawMqttClient(socket, version));
      });
    });
  }

  send(packet: object): void {
    // The library's types follow its parser; what a test sends is checked by the server.
    this.bytes(mqttPacket.generate(packet as Parameters<typeof mqttPacket.generate>[0], { protocolVersion: this.#version }));
  }

  bytes(bytes: Uint8Array): void {
    this.#socket.write(bytes);
  }

  /** Everything that came since the last call. */
  take(): RawPacket[] {
    const packets = this.#received;
    this.#received = [];
    return packets;
  }

  drop(): void {
    this.#socket.destroy();
  }
}
