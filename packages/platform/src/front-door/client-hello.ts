/** What a TLS client offers, read from its first record: for the choice of a certificate request and for the device log. */
export interface ClientHello {
  /** Highest version offered, as on the wire: 0x0303 = TLS 1.2, 0x0304 = TLS 1.3. */
  version: number;
  /** Suite numbers in the client's order. */
  cipherSuites: readonly number[];
  serverName?: string;
  alpn: readonly string[];
}

const clientHelloMessage = 1;
const extension = { serverName: 0, alpn: 16, supportedVersions: 43 };

/** Reads fields one after another and throws RangeError at the end of the bytes: a short hello is no hello. */
class HelloReader {
  #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  number(size: 1 | 2 | 3): number {
    const value = this.#bytes.readUIntBE(this.#at, size);
    this.#at += size;
    return value;
  }

  /** A vector with a length prefix of `size` bytes. */
  vector(size: 1 | 2 | 3): HelloReader {
    const length = this.number(size);
    return new HelloReader(this.take(length));
  }

  take(length: number): Buffer {
    if (length > this.left) throw new RangeError("the hello ends early");
    const taken = this.#bytes.subarray(this.#at, this.#at + length);
    this.#at += length;
    return taken;
  }

  rest(): Buffer {
    return this.take(this.left);
  }
}

/** Undefined when the record holds no whole ClientHello (fragmented or broken): the TLS stack then has the last word. */
export function parseClientHello(record: Buffer): ClientHello | undefined {
  try {
    const reader = new HelloReader(record);
    reader.number(1);
    reader.number(2);
    const handshake = reader.vector(2);
    if (handshake.number(1) !== clientHelloMessage) return undefined;
    return readHello(handshake.vector(3));
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

// RFC 8446 4.1.2
function readHello(body: HelloReader): ClientHello {
  const hello = { version: body.number(2), cipherSuites: [] as number[], alpn: [] as string[] };
  let serverName: string | undefined;
  body.take(32);
  body.vector(1);
  const suites = body.vector(2);
  while (suites.left > 0) hello.cipherSuites.push(suites.number(2));
  body.vector(1);
  const extensions = body.left > 0 ? body.vector(2) : undefined;
  while (extensions !== undefined && extensions.left > 0) {
    const kind = extensions.number(2);
    const value = extensions.vector(2);
    if (kind === extension.serverName) serverName = readServerName(value);
    else if (kind === extension.alpn) hello.alpn = readAlpn(value);
    else if (kind === extension.supportedVersions) hello.version = readVersions(value, hello.version);
  }
  return serverName === undefined ? hello : { ...hello, serverName };
}

// RFC 6066 3
function readServerName(value: HelloReader): string | undefined {
  const names = value.vector(2);
  while (names.left > 0) {
    const kind = names.number(1);
    const name = names.vector(2).rest();
    if (kind === 0) return name.toString("latin1").toLowerCase();
  }
  return undefined;
}

// RFC 7301 3.1
function readAlpn(value: HelloReader): string[] {
  const names = value.vector(2);
  const alpn: string[] = [];
  while (names.left > 0) alpn.push(names.vector(1).rest().toString("latin1"));
  return alpn;
}

function readVersions(value: HelloReader, legacyVersion: number): number {
  const versions = value.vector(1);
  let highest = legacyVersion;
  while (versions.left > 0) {
    const version = versions.number(2);
    // RFC 8701: GREASE values (0x?a?a) mean nothing.
    if ((version & 0x0f0f) !== 0x0a0a) highest = Math.max(highest, version);
  }
  return highest;
}

const versionNames: Readonly<Record<number, string>> = {
  768: "SSL 3.0",
  769: "TLS 1.0",
  770: "TLS 1.1",
  771: "TLS 1.2",
  772: "TLS 1.3",
};

/** One line for the device log: version, name and the first suites. */
export function describeClientHello(hello: ClientHello | undefined, suitesShownMax = 12): string {
  if (hello === undefined) return "a ClientHello in several records";
  const suites = hello.cipherSuites.slice(0, suitesShownMax).map((suite) => suite.toString(16).padStart(4, "0"));
  const rest = hello.cipherSuites.length - suites.length;
  return [
    versionNames[hello.version] ?? `version 0x${hello.version.toString(16)}`,
    `suites ${suites.join(" ")}${rest > 0 ? ` and ${rest} more` : ""}`,
    hello.serverName === undefined ? "no server name" : `server name ${hello.serverName}`,
    ...(hello.alpn.length > 0 ? [`ALPN ${hello.alpn.join(",")}`] : []),
  ].join(", ");
}
