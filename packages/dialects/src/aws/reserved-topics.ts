/** The reserved topics (AWS reference, reserved topics): rows by name; `{thingName}` stands for one level. */

/** Topics that are handled when somebody publishes on them. */
export const reservedRequestTopics = {
  "shadow/get": "$aws/things/{thingName}/shadow/get",
  "shadow/update": "$aws/things/{thingName}/shadow/update",
  "shadow/delete": "$aws/things/{thingName}/shadow/delete",
  "named-shadow/get": "$aws/things/{thingName}/shadow/name/{shadowName}/get",
  "named-shadow/update": "$aws/things/{thingName}/shadow/name/{shadowName}/update",
  "named-shadow/delete": "$aws/things/{thingName}/shadow/name/{shadowName}/delete",
  "jobs/get-pending": "$aws/things/{thingName}/jobs/get",
  "jobs/start-next": "$aws/things/{thingName}/jobs/start-next",
  "jobs/get": "$aws/things/{thingName}/jobs/{jobId}/get",
  "jobs/update": "$aws/things/{thingName}/jobs/{jobId}/update",
  "certificates/create": "$aws/certificates/create/{format}",
  "certificates/create-from-csr": "$aws/certificates/create-from-csr/{format}",
  "provisioning/provision": "$aws/provisioning-templates/{templateName}/provision/{format}",
  "defender/metrics": "$aws/things/{thingName}/defender/metrics/{format}",
  "basic-ingest": "$aws/rules/{ruleName}",
} as const;

export type ReservedTopicName = keyof typeof reservedRequestTopics;
