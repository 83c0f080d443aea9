/** Thing models in the form of the vendor's model operations, which is not TSL (reference 7.3). */
import type { DataType, Parameter, ThingModel } from "@thingstead/thing-model";

type Json = Record<string, unknown>;

const accessFlags = { r: "READ_ONLY", w: "WRITE_ONLY", rw: "READ_WRITE" } as const;
const eventTypes = { info: "INFO_EVENT_TYPE", alert: "ALERT_EVENT_TYPE", error: "ERROR_EVENT_TYPE" } as const;

/** The whole of a module. Members are in the order of their names, as the vendor writes them. */
export function writeThingModelJson(model: ThingModel, productKey: string): string {
  const { version = "", description = "" } = { version: model.profile.version, description: "" };
  return JSON.stringify(
    sorted({
      _ppk: { version, description },
      productKey,
      ...(model.functionBlockId === undefined
        ? {}
        : { functionBlockId: model.functionBlockId, functionBlockName: model.functionBlockName ?? model.functionBlockId }),
      properties: model.properties.map(({ identifier, name, accessMode, required, desc, dataType }) => ({
        identifier,
        name,
        ...(desc === undefined ? {} : { description: desc }),
        rwFlag: accessFlags[accessMode],
        required,
        custom: true,
        productKey,
        ...writeType(dataType),
      })),
      events: model.events.map(({ identifier, name, type, required, desc, outputData }) => ({
        identifier,
        eventName: name,
        ...(desc === undefined ? {} : { description: desc }),
        eventType: eventTypes[type],
        required,
        custom: true,
        productKey,
        outputdata: outputData.map((parameter, index) => writeParameter(parameter, "PARAM_OUTPUT", index)),
      })),
      services: model.services.map(({ identifier, name, callType, required, desc, inputData, outputData }) => ({
        identifier,
        serviceName: name,
        ...(desc === undefined ? {} : { description: desc }),
        callType: callType.toUpperCase(),
        required,
        custom: true,
        productKey,
        inputParams: inputData.map((parameter, index) => writeParameter(parameter, "PARAM_INPUT", index)),
        outputParams: outputData.map((parameter, index) => writeParameter(parameter, "PARAM_OUTPUT", index)),
      })),
    }),
  );
}

function writeParameter({ identifier, name, dataType }: Parameter, direction: "PARAM_INPUT" | "PARAM_OUTPUT", paraOrder: number): Json {
  return { identifier, name, custom: true, direction, paraOrder, ...writeType(dataType) };
}

function writeType(dataType: DataType): Json {
  const name = dataType.type.toUpperCase();
  switch (dataType.type) {
    case "int":
    case "float":
    case "double": {
      const { min, max, step, unit, unitName } = dataType.specs ?? {};
      const specs = { min, max, step, unit, unitName };
      const given = Object.fromEntries(Object.entries(specs).filter(([, value]) => value !== undefined));
      return { dataType: name, dataSpecs: { custom: true, dataType: name, ...given } };
    }
    case "bool":
    case "enum": {
      const choices = Object.entries(dataType.specs ?? {});
      return {
        dataType: name,
        dataSpecsList: choices.map(([value, label]) => ({ custom: true, dataType: name, name: label, value: Number(value) })),
      };
    }
    case "text":
      return { dataType: name, dataSpecs: { custom: true, dataType: name, length: Number(dataType.specs?.length ?? 2048) } };
    case "date":
      return { dataType: name, dataSpecs: { custom: true, dataType: name } };
    case "array": {
      const { dataType: childDataType, ...child } = writeType(dataType.specs.item);
      return {
        dataType: name,
        dataSpecs: { custom: true, dataType: name, size: Number(dataType.specs.size), childDataType, ...child },
      };
    }
    case "struct":
      return {
        dataType: name,
        dataSpecsList: dataType.specs.map(({ identifier, name: childName, dataType: inner }) => {
          const { dataType: childDataType, ...child } = writeType(inner);
          return { custom: true, dataType: name, identifier, childName, name: childName, childDataType, ...child };
        }),
      };
  }
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).sort(([left], [right]) => (left < right ? -1 : left > right ? 1 : 0));
  return Object.fromEntries(entries.map(([name, inner]) => [name, sorted(inner)]));
}
