/** One HTTP request at a time, over the station's network. [ESP-AT 7] */
import { type IncomingMessage, request } from "node:http";
import type { Duplex } from "node:stream";
import { AtError, httpError } from "./at-error.ts";
import { type Clock, within } from "./clock.ts";
import type { ModemFaults } from "./faults.ts";
import type { Flash } from "./flash.ts";
import { type Heap, heapCosts } from "./heap.ts";
import type { ModemLimits } from "./limits.ts";
import type { ModemTime } from "./modem-time.ts";
import type { Output } from "./output.ts";
import type { TlsSettings } from "./ports/network.ts";
import type { StationNetwork } from "./station-network.ts";
import { findTlsMaterial } from "./tls-material.ts";

export interface HttpRequest {
  method: "HEAD" | "GET" | "POST" | "PUT" | "DELETE";
  url: URL;
  /** Whole lines, `Name: value`. */
  headers: readonly string[];
  body?: Buffer;
  /** The body is of no interest: the connection is closed before it. */
  isHeadOnly?: true;
  timeoutMilliseconds: number;
}

export interface HttpStateParts {
  network: StationNetwork;
  output: Output;
  flash: Flash;
  heap: Heap;
  clock: Clock;
  time: ModemTime;
  limits: ModemLimits;
  faults: ModemFaults;
  checksServerName: boolean;
  log(text: string): void;
}

export class HttpState {
  readonly #parts: HttpStateParts;
  /** AT+HTTPURLCFG: used where a command gives an empty URL. */
  url = "";
  /** AT+HTTPCHEAD: sent with every request. */
  readonly headers: string[] = [];
  /** AT+HTTPCFG: 0 nothing, 1 sends a certificate, 2 verifies, 3 both. */
  tls = { auth: 0, certificateSlot: 0, caSlot: 0 };

  constructor(parts: HttpStateParts) {
    this.#parts = parts;
  }

  /** `take` gets the body as it comes. Resolves with the head. @throws AtError with the status when it is 400 or more */
  async exchange(wanted: HttpRequest, take: (bytes: Buffer) => void): Promise<IncomingMessage> {
    const { network, heap, log, clock } = this.#parts;
    const { url, timeoutMilliseconds } = wanted;
    const isTls = url.protocol === "https:";
    const giveHeap = heap.take(isTls ? heapCosts.tlsBytes : heapCosts.tcpBytes, httpError);
    const host = url.hostname.replace(/^\[|\]$/g, "");
    let close = () => {};
    try {
      const tls = isTls ? { tls: this.#tlsSettings(host) } : {};
      const port = Number(url.port) || (isTls ? 443 : 80);
      const { stream } = await network.open({ host, port, timeoutMilliseconds, ...tls });
      close = () => stream.destroy();
      return await within(clock, timeoutMilliseconds, this.#send(wanted, stream, take), httpError);
    } catch (error) {
      if (error instanceof AtError) throw error;
      log(`[at-http] ${url.host}: ${error instanceof Error ? error.message : String(error)}`);
      throw httpError();
    } finally {
      close();
      giveHeap();
    }
  }

  #send(wanted: HttpRequest, stream: Duplex, take: (bytes: Buffer) => void): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const { method, url, body } = wanted;
      const headers: Record<string, string> = { Host: url.host, "User-Agent": "ESP32 HTTP Client/1.0", Connection: "close" };
      if (body !== undefined) headers["Content-Length"] = String(body.length);
      for (const line of [...this.headers, ...wanted.headers]) {
        const colon = line.indexOf(":");
        if (colon > 0) headers[line.slice(0, colon).trim()] = line.slice(colon + 1).trim();
      }
      const asked = request({ method, path: `${url.pathname}${url.search}`, headers, createConnection: () => stream });
      asked.once("error", reject);
      asked.once("response", (answer) => {
        const status = answer.statusCode ?? 0;
        if (wanted.isHeadOnly === true) {
          answer.on("error", () => {});
          if (status < 400) resolve(answer);
          else reject(httpError(status));
          return;
        }
        answer.on("data", (bytes: Buffer) => {
          if (status < 400) take(bytes);
        });
        answer.once("error", reject);
        answer.once("end", () => {
          if (status < 400) resolve(answer);
          else reject(httpError(status));
        });
      });
      asked.end(body);
    });
  }

  #tlsSettings(host: string): TlsSettings {
    const { flash, faults, output, time, checksServerName } = this.#parts;
    const { auth, certificateSlot, caSlot } = this.tls;
    const wanted = { use: "https" as const, slot: caSlot, certificateSlot, sendsCertificate: (auth & 1) !== 0, verifies: (auth & 2) !== 0 };
    const material = findTlsMaterial({ flash, faults, ...wanted });
    if ("missing" in material) {
      output.line({ ca: "NO CA FOUND", cert: "NO CERT FOUND", key: "NO PRVT_KEY FOUND" }[material.missing]);
      throw httpError();
    }
    return { ...material, serverName: host, alpn: [], checksName: checksServerName, now: () => time.now() };
  }
}
