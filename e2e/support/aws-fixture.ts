/** A server and, made through its API by the vendor's client, devices with certificates and policies. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  AttachPolicyCommand,
  AttachThingPrincipalCommand,
  CreateKeysAndCertificateCommand,
  CreatePolicyCommand,
  CreateThingCommand,
  IoTClient,
} from "@aws-sdk/client-iot";
import { type ServerOptions, type ServerProcess, startServerProcess } from "./server-process.ts";

export const awsRegion = "us-east-2";
export const awsAccountId = "123456789012";
/** The vendor's form of a name that devices have built in. */
export const awsHost = `xxx-ats.iot.${awsRegion}.amazonaws.com`;

export interface AwsStatement {
  Effect: "Allow" | "Deny";
  Action: string | string[];
  Resource: string | string[];
  Condition?: object;
}

/** What the vendor's first steps attach. */
export const everything: readonly AwsStatement[] = [{ Effect: "Allow", Action: "iot:*", Resource: "*" }];

export interface AwsDevice {
  certificateId: string;
  certificateArn: string;
  certificatePem: string;
  privateKeyPem: string;
  policyName: string;
  thingName?: string;
  /** For programs that want files. */
  certificateFile: string;
  privateKeyFile: string;
}

export interface AwsFixture {
  server: ServerProcess;
  iot: IoTClient;
  /** `arn:aws:iot:…:topic/a/b` */
  arn(resource: string): string;
  /** Keys and a certificate that is active, a policy attached to it, and to a thing of that name if one is given. */
  createDevice(options?: { thingName?: string; statements?: readonly AwsStatement[]; isActive?: boolean }): Promise<AwsDevice>;
  /** A policy of a new name. */
  createPolicy(statements: readonly AwsStatement[]): Promise<string>;
  /** Options of the vendor's other API clients. */
  clientOptions(): { region: string; endpoint: string; credentials: { accessKeyId: string; secretAccessKey: string } };
  remove(): Promise<void>;
}

let counter = 0;

export async function startAwsFixture(options: ServerOptions = {}): Promise<AwsFixture> {
  const server = await startServerProcess({
    ...options,
    environment: {
      THINGSTEAD_AWS_REGION: awsRegion,
      THINGSTEAD_AWS_ACCOUNT_ID: awsAccountId,
      ...options.environment,
    },
  });
  const clientOptions = () => ({
    region: awsRegion,
    endpoint: `http://127.0.0.1:${server.httpPort}`,
    credentials: { accessKeyId: server.accessKeyId, secretAccessKey: server.accessKeySecret },
  });
  const iot = new IoTClient(clientOptions());

  async function createPolicy(statements: readonly AwsStatement[]): Promise<string> {
    counter += 1;
    const policyName = `policy-${process.pid}-${counter}`;
    const policyDocument = JSON.stringify({ Version: "2012-10-17", Statement: statements });
    await iot.send(new CreatePolicyCommand({ policyName, policyDocument }));
    return policyName;
  }

  async function createDevice({
    thingName,
    statements = everything,
    isActive = true,
  }: Parameters<AwsFixture["createDevice"]>[0] = {}): Promise<AwsDevice> {
    const created = await iot.send(new CreateKeysAndCertificateCommand({ setAsActive: isActive }));
    const { certificateId = "", certificateArn = "", certificatePem = "", keyPair } = created;
    const privateKeyPem = keyPair?.PrivateKey ?? "";
    const policyName = await createPolicy(statements);
    await iot.send(new AttachPolicyCommand({ policyName, target: certificateArn }));
    if (thingName !== undefined) {
      await iot.send(new CreateThingCommand({ thingName }));
      await iot.send(new AttachThingPrincipalCommand({ thingName, principal: certificateArn }));
    }
    const certificateFile = join(server.dataDir, `${certificateId.slice(0, 16)}.crt`);
    const privateKeyFile = join(server.dataDir, `${certificateId.slice(0, 16)}.key`);
    writeFileSync(certificateFile, certificatePem);
    writeFileSync(privateKeyFile, privateKeyPem, { mode: 0o600 });
    return {
      certificateId,
      certificateArn,
      certificatePem,
      privateKeyPem,
      policyName,
      certificateFile,
      privateKeyFile,
      ...(thingName === undefined ? {} : { thingName }),
    };
  }

  return {
    server,
    iot,
    arn: (resource) => `arn:aws:iot:${awsRegion}:${awsAccountId}:${resource}`,
    createDevice,
    createPolicy,
    clientOptions,
    async remove() {
      iot.destroy();
      await server.remove();
    },
  };
}
