/** TSL JSON out: the vendor's members in the order of the vendor's own published samples. */
import {
  type DataType,
  type ExtraMembers,
  eventMethod,
  type GeneratedFunction,
  isWritable,
  type Parameter,
  type Property,
  type Service,
  serviceMethod,
  setMember,
  type ThingEvent,
  type ThingModel,
  wireIdentifier,
} from "./model.ts";

export interface FormatOptions {
  /**
   * Whether the generated `post`, `set` and `get` are written. Default: in a default module always, in a custom module as far as its file had
   * them [alibaba-device 5.10].
   */
  readonly isGeneratedIncluded?: boolean;
  /** Language of the generated functions' descriptions where the model brings none. */
  readonly language?: "en" | "zh";
}

type JsonMembers = Record<string, unknown>;

/** The vendor's texts in its two consoles. */
const generatedTexts = {
  post: { en: "Submit properties", zh: "属性上报" },
  set: { en: "Set properties", zh: "属性设置" },
  get: { en: "Obtain properties", zh: "属性获取" },
} as const;

/**
 * Writes the TSL as the vendor does [alibaba-device 5.10]: numbers in specs as texts, methods from identifiers, and the generated event `post` and services
 * `set` and `get` from the properties. `get` takes a list of identifiers, `set` the writable properties.
 *
 * @example JSON.stringify(formatThingModel(model)) // what `thing/dsltemplate/get` answers
 */
export function formatThingModel(model: ThingModel, options: FormatOptions = {}): JsonMembers {
  return members(
    [
      ["schema", model.schema],
      ["profile", formatProfile(model)],
      ["link", model.link],
      ["version", model.version],
      ["functionBlockId", model.functionBlockId],
      ["functionBlockName", model.functionBlockName],
      ["properties", model.properties.map(formatProperty)],
      ["events", [...generatedEvents(model, options), ...model.events.map((event) => formatEvent(model, event))]],
      ["services", [...generatedServices(model, options), ...model.services.map((service) => formatService(model, service))]],
      [
        "functionBlocks",
        model.functionBlocks?.map((block) =>
          members(
            [
              ["functionBlockId", block.functionBlockId],
              ["functionBlockName", block.functionBlockName],
              ["productKey", block.productKey],
              ["description", block.description],
            ],
            block.extra,
          ),
        ),
      ],
    ],
    model.extra,
  );
}

/** An object of the members that are there, the unknown ones last. */
function members(known: readonly (readonly [string, unknown])[], extra: ExtraMembers | undefined): JsonMembers {
  const object: JsonMembers = {};
  for (const [name, value] of known) if (value !== undefined) object[name] = value;
  if (extra !== undefined) for (const name of Object.keys(extra)) setMember(object, name, extra[name]);
  return object;
}

function formatProfile({ profile }: ThingModel): JsonMembers {
  return members(
    [
      ["version", profile.version],
      ["productKey", profile.productKey],
      ["deviceName", profile.deviceName],
    ],
    profile.extra,
  );
}

function formatProperty(property: Property): JsonMembers {
  return members(
    [
      ["identifier", property.identifier],
      ["name", property.name],
      ["accessMode", property.accessMode],
      ["required", property.required],
      ["desc", property.desc],
      ["dataType", formatDataType(property.dataType)],
    ],
    property.extra,
  );
}

function formatEvent(model: ThingModel, event: ThingEvent): JsonMembers {
  return members(
    [
      ["identifier", event.identifier],
      ["name", event.name],
      ["type", event.type],
      ["required", event.required],
      ["desc", event.desc],
      ["method", eventMethod(wireIdentifier(model, event.identifier))],
      ["outputData", event.outputData.map(formatParameter)],
    ],
    event.extra,
  );
}

function formatService(model: ThingModel, service: Service): JsonMembers {
  return members(
    [
      ["identifier", service.identifier],
      ["name", service.name],
      ["required", service.required],
      ["callType", service.callType],
      ["desc", service.desc],
      ["method", serviceMethod(wireIdentifier(model, service.identifier))],
      ["inputData", service.inputData.map(formatParameter)],
      ["outputData", service.outputData.map(formatParameter)],
    ],
    service.extra,
  );
}

function formatParameter(parameter: Parameter): JsonMembers {
  return members(
    [
      ["identifier", parameter.identifier],
      ["name", parameter.name],
      ["desc", parameter.desc],
      ["required", parameter.required],
      ["dataType", formatDataType(parameter.dataType)],
    ],
    parameter.extra,
  );
}

function formatDataType(dataType: DataType): JsonMembers {
  return members(
    [
      ["type", dataType.type],
      ["specs", formatSpecs(dataType)],
    ],
    dataType.extra,
  );
}

function formatSpecs(dataType: DataType): unknown {
  switch (dataType.type) {
    case "int":
    case "float":
    case "double": {
      const { specs } = dataType;
      if (specs === undefined) return undefined;
      const known = [
        ["min", specs.min],
        ["max", specs.max],
        ["unit", specs.unit],
        ["unitName", specs.unitName],
        ["step", specs.step],
      ] as const;
      return members(known, specs.extra);
    }
    case "text":
      return dataType.specs === undefined ? undefined : members([["length", dataType.specs.length]], dataType.specs.extra);
    case "bool":
    case "enum":
    case "date":
      return dataType.specs === undefined ? undefined : members([], dataType.specs);
    case "struct":
      return dataType.specs.map(formatParameter);
    case "array": {
      const { size, item, extra } = dataType.specs;
      const known = [
        ["size", size],
        ["item", formatDataType(item)],
      ] as const;
      return members(known, extra);
    }
  }
}

/** A property as a parameter of a generated function: without its access mode. */
function asData(property: Property): JsonMembers {
  return members(
    [
      ["identifier", property.identifier],
      ["name", property.name],
      ["dataType", formatDataType(property.dataType)],
    ],
    undefined,
  );
}

/** Whether a generated function is written: `post` and `get` with any property, `set` with a writable one. */
function isWritten(model: ThingModel, found: GeneratedFunction | undefined, isNeeded: boolean, options: FormatOptions): boolean {
  if (options.isGeneratedIncluded === false) return false;
  if (found !== undefined) return true;
  return isNeeded && (options.isGeneratedIncluded === true || model.functionBlockId === undefined);
}

function generatedEvents(model: ThingModel, options: FormatOptions): JsonMembers[] {
  const found = model.generated.post;
  if (!isWritten(model, found, model.properties.length > 0, options)) return [];
  const texts: GeneratedFunction = found ?? { desc: generatedTexts.post[options.language ?? "en"] };
  return [
    members(
      [
        ["identifier", "post"],
        ["name", texts.name ?? "post"],
        ["type", texts.type ?? "info"],
        ["required", texts.required ?? true],
        ["desc", texts.desc],
        ["method", "thing.event.property.post"],
        ["outputData", model.properties.map(asData)],
      ],
      texts.extra,
    ),
  ];
}

function generatedServices(model: ThingModel, options: FormatOptions): JsonMembers[] {
  const writable = model.properties.filter(isWritable);
  const service = (name: "set" | "get", isNeeded: boolean, inputData: unknown, outputData: unknown): JsonMembers[] => {
    const found = model.generated[name];
    if (!isWritten(model, found, isNeeded, options)) return [];
    const texts: GeneratedFunction = found ?? { desc: generatedTexts[name][options.language ?? "en"] };
    return [
      members(
        [
          ["identifier", name],
          ["name", texts.name ?? name],
          ["required", texts.required ?? true],
          ["callType", texts.callType ?? "async"],
          ["desc", texts.desc],
          ["method", `thing.service.property.${name}`],
          ["inputData", inputData],
          ["outputData", outputData],
        ],
        texts.extra,
      ),
    ];
  };
  const identifiers = model.properties.map((property) => property.identifier);
  return [
    ...service("set", writable.length > 0, writable.map(asData), []),
    ...service("get", model.properties.length > 0, identifiers, model.properties.map(asData)),
  ];
}
