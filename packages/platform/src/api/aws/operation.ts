/** One operation of the AWS API: a row says how it is called, `run` does it. Families lie in `operations/`. */

/** Signing name: what tells planes that share paths apart. */
export type AwsService = "iot" | "iotdata" | "iot-jobs-data";

/** Who asks: the holder of an access key, or a device with a certificate whose policies decide. */
export type AwsPrincipal =
  | { kind: "access-key"; id: string }
  | {
      kind: "certificate";
      certificateId: string;
      /** Throws `aws.forbidden` unless the policies allow it; `resource` without the ARN's head: `topic/a/b`, `thing/t`. */
      demand(action: string, resource: string): void;
    };

export interface AwsRequest {
  readonly principal: AwsPrincipal;
  /** Decoded labels of the row's path. */
  readonly labels: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Buffer;
  /** The body as a JSON object; `{}` when empty. Throws `aws.body_not_json`. */
  json(): Readonly<Record<string, unknown>>;
  readonly remoteAddress: string;
}

/** `json` absent and `bytes` absent: an empty body. */
export interface AwsAnswer {
  status?: number;
  json?: object;
  bytes?: Uint8Array;
  headers?: Readonly<Record<string, string>>;
}

export interface AwsOperation {
  /** As in the vendor's model: `CreateThing`. */
  readonly name: string;
  readonly service: AwsService;
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** `/things/{thingName}`; `{topic+}` takes the rest of the path, slashes too. */
  readonly path: string;
  /** Throws PlatformError; its row's `aws` names the exception and the status. */
  run(request: AwsRequest): Promise<AwsAnswer>;
}
