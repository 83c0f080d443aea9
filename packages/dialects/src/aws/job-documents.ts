/** Placeholders of job documents. Source: aws-iot.md, 12.2. */

const parameter = /\$\{aws:iot:parameter:([^}]{1,128})\}/g;

/** Placeholders of a document that only the vendor's own cloud can fill. */
export function unfillablePlaceholder(document: string): string | undefined {
  return /\$\{aws:iot:s3-presigned-url[^}]{0,1000}\}?/.exec(document)?.[0];
}

export function documentParameterNames(document: string): string[] {
  return [...document.matchAll(parameter)].map(([, name = ""]) => name);
}

/** Parameters stand inside JSON texts, so they are escaped as such. */
export function fillDocument(document: string, parameters: Readonly<Record<string, string>>): string {
  return document.replace(parameter, (whole, name: string) =>
    Object.hasOwn(parameters, name) ? JSON.stringify(parameters[name]).slice(1, -1) : whole,
  );
}
