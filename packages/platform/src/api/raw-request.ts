/** A vendor API call as it came: signatures cover the raw query and body, so nothing is parsed before the vendor's room sees it. */
export interface RawApiRequest {
  method: string;
  path: string;
  /** Without the question mark, undecoded. */
  rawQuery: string;
  /** Names in lower case. */
  headers: Record<string, string | undefined>;
  body: Buffer;
  remoteAddress: string;
}

export interface RawApiResponse {
  status: number;
  headers: Record<string, string>;
  body: string;
}
